-- Quotes: an item, a quantity, and what they cost together.

local catalog = require "shop.catalog"
local pricing = require "shop.pricing"

local M = {}

local most = 1000

-- State of this module. It lives as long as this copy of the module does: a change to this file, or to
-- one that it requires, begins at 0 again. Keep what must survive in a module of its own: see shop.stats.
local quotes = 0

-- The quantity that a query's text means, or nil.
local function quantity(text)
    local number = text == nil and 1 or tonumber(text)
    if number and number >= 1 and number <= most and number % 1 == 0 then
        return number
    end
end

-- A line of the bill; or nil, and what was wrong with the question.
function M.quote(item, qty)
    -- ?item=a&item=b makes a table, ?item makes true.
    if type(item) ~= "string" or not catalog.price(item) then
        return nil, { status = 404, message = "there is no such item" }
    end
    local count = type(qty) ~= "table" and quantity(qty)
    if not count then
        return nil, { status = 400, message = "qty takes a whole number from 1 to " .. most }
    end
    quotes = quotes + 1
    return pricing.line(item, count)
end

function M.quotes_made()
    return quotes
end

return M
