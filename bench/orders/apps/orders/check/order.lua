local types = require("orders.check.types")
local catalog = require("orders.catalog")

return function(order)
  local problems = {}
  local function wrong(text) problems[#problems + 1] = text end
  if type(order) ~= "table" then return { "no order" } end
  if not types.text(order.customer, 100) then wrong("customer is missing") end
  if type(order.lines) ~= "table" or #order.lines == 0 then
    wrong("there are no lines")
  else
    for number, line in ipairs(order.lines) do
      if not catalog.find(line.sku) then wrong("line " .. number .. ": no such article") end
      if not types.count(line.quantity, 1000) then wrong("line " .. number .. ": quantity") end
    end
  end
  return problems
end
