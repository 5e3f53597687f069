local trim = require("orders.text.trim")
local coupons = { SPRING = 0.1, FRIENDS = 0.15 }

return function(order, cents)
  local code = order.coupon and trim(order.coupon):upper()
  return cents * (coupons[code or ""] or 0)
end
