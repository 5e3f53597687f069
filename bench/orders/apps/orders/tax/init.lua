local rate = require("orders.tax.rates")
local money = require("orders.money")

return function(cents, country, kind)
  return money.round(cents * rate(country, kind))
end
