-- A small shop with a JSON API, to see what a reload takes along and what it leaves alone.
--
--   GET /shop/items                       what there is
--   GET /shop/price?item=tea&qty=3        what it costs, tax included
--   GET /shop/stats                       what has happened so far
--
-- Who requires whom:
--
--   shop -> shop.routes -> shop.cart -> shop.pricing -> shop.tax
--     \         \-> shop.catalog <------------/
--      \-> shop.stats <-/
--
-- Change shop/tax.lua: shop.tax and all that lead to it are loaded anew, in every VM, and the next price is
-- the new one. shop.stats does not depend on it, so it stays as it is and its counter goes on.

local cjson = require "cjson.safe"
local routes = require "shop.routes"
local stats = require "shop.stats"

local M = {}

-- The name of the resource: "/shop/price" -> "price".
local function resource()
    return ngx.var.uri:match("^/shop/?(.-)/?$") or ""
end

-- Writes a table as JSON. Every answer of the shop goes through here.
local function respond(status, body)
    ngx.status = status
    ngx.header.content_type = "application/json"
    ngx.say(cjson.encode(body))
end

-- Called for each request below /shop.
function M.handle()
    stats.count_request()
    local route = routes[resource()]
    if not route then
        return respond(404, { error = "there is no " .. ngx.var.uri })
    end
    if ngx.req.get_method() ~= "GET" then
        ngx.header.allow = "GET"
        return respond(405, { error = "only GET is answered here" })
    end
    respond(route(ngx.req.get_uri_args()))
end

return M
