local template = require("orders.text.template")
local money = require("orders.money")
local viewOfLine = require("orders.views.line")

local page = template([[
<!doctype html><title>Order of {{customer}}</title>
<h1>Thank you, {{customer}}</h1>
<table>
{{lines}}</table>
<p>Net {{net}}, tax {{tax}}, shipping {{shipping}}, discount {{discount}}: <b>{{total}}</b></p>
]])
local problem = template("<!doctype html><title>Sorry</title><p>{{text}}</p>\n")

local view = {}

function view.page(order, sums)
  local rows = {}
  for number, line in ipairs(sums.lines) do rows[number] = viewOfLine(line) end
  return page({
    customer = order.customer,
    lines = { html = table.concat(rows) },
    net = money.show(sums.net),
    tax = money.show(sums.tax),
    shipping = money.show(sums.shipping),
    discount = money.show(sums.discount),
    total = money.show(sums.total),
  })
end

function view.problem(text)
  return problem({ text = text })
end

return view
