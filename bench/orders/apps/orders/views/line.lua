local template = require("orders.text.template")
local money = require("orders.money")
local render = template("<tr><td>{{name}}</td><td>{{quantity}}</td><td>{{price}}</td><td>{{discount}}</td></tr>\n")

return function(line)
  return render({
    name = line.name,
    quantity = line.quantity,
    price = money.show(line.cents),
    discount = money.show(line.discount),
  })
end
