-- From quantities to money. All amounts are whole cents: cents do not round by themselves.

local catalog = require "shop.catalog"
local tax = require "shop.tax"

local M = {}

-- From this quantity on, the line is cheaper.
local bulk = { quantity = 10, percent = 5 }

local function discount(cents, count)
    if count < bulk.quantity then
        return 0
    end
    return math.floor(cents * bulk.percent / 100)
end

function M.line(item, count)
    local full = catalog.price(item) * count
    local off = discount(full, count)
    local net = full - off
    local due = tax.on(net)
    return {
        item = item,
        qty = count,
        discount_cents = off,
        net_cents = net,
        tax_cents = due,
        total_cents = net + due,
    }
end

return M
