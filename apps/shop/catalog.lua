-- What the shop sells: name and net price in cents. It requires nothing, so only a change to this very file
-- loads it anew.

local M = {}

local prices = {
    coffee = 790,
    pot = 2450,
    tea = 495,
}

-- The price of one item; nil when there is no such item.
function M.price(name)
    return prices[name]
end

-- All names, in order.
function M.names()
    local names = {}
    for name in pairs(prices) do
        names[#names + 1] = name
    end
    table.sort(names)
    return names
end

return M
