-- The resources of the shop: each takes the query's arguments and returns a status and a body.

local cjson = require "cjson.safe"
local cart = require "shop.cart"
local catalog = require "shop.catalog"
local stats = require "shop.stats"

local M = {}

function M.items()
    -- array_mt: an empty list is [] in JSON, not {}.
    local items = setmetatable({}, cjson.array_mt)
    for _, name in ipairs(catalog.names()) do
        items[#items + 1] = { name = name, cents = catalog.price(name) }
    end
    return 200, { items = items }
end

function M.price(args)
    local line, problem = cart.quote(args.item, args.qty)
    if not line then
        return problem.status, { error = problem.message }
    end
    return 200, line
end

function M.stats()
    return 200, {
        requests = stats.requests(),             -- goes on counting when shop.tax changes
        quotes_since_load = cart.quotes_made(),  -- begins anew: shop.cart leads to shop.tax
    }
end

return M
