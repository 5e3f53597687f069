local bulk = require("orders.discounts.bulk")
local coupon = require("orders.discounts.coupon")
local money = require("orders.money")

local discounts = {}

function discounts.ofLine(line, article)
  return money.round(bulk(line, article))
end

function discounts.ofOrder(order, cents)
  return money.round(coupon(order, cents))
end

return discounts
