local stock = {}
local taken = {}

function stock.take(sku, quantity)
  taken[sku] = ((taken[sku] or 0) + quantity) % 10000
  return taken[sku]
end

return stock
