local catalog = require("orders.catalog")
local discounts = require("orders.discounts")
local tax = require("orders.tax")
local shipping = require("orders.shipping")
local stock = require("orders.stock")

local totals = {}

function totals.of(order)
  local sums = { net = 0, tax = 0, weight = 0, lines = {} }
  for number, line in ipairs(order.lines) do
    local article = catalog.find(line.sku)
    local discount = discounts.ofLine(line, article)
    local cents = article.cents * line.quantity - discount
    stock.take(line.sku, line.quantity)
    sums.lines[number] = { name = article.name, quantity = line.quantity, cents = cents, discount = discount }
    sums.net = sums.net + cents
    sums.tax = sums.tax + tax(cents, order.country, article.kind)
    sums.weight = sums.weight + article.weight * line.quantity
  end
  sums.discount = discounts.ofOrder(order, sums.net)
  sums.shipping = shipping(sums.weight, order.country)
  sums.total = sums.net - sums.discount + sums.tax + sums.shipping
  return sums
end

return totals
