-- relua.hot for plain nginx, OpenResty and Lua: the same names where no module is ever reloaded. Under Relua the
-- built-in module of this name answers instead of this file. `data` is a table for each file that asks for it.
local tables = {}
local function file() return debug.getinfo(3, "S").source end
local function nothing() end
return setmetatable({ dispose = nothing, adopt = nothing, pin = nothing }, {
  __index = function(_, key)
    if key ~= "data" then return nil end
    local source = file()
    tables[source] = tables[source] or {}
    return tables[source]
  end,
  __newindex = function(hot, key, value)
    if key ~= "data" then return rawset(hot, key, value) end
    if type(value) ~= "table" then error("hot.data must be a table", 2) end
    tables[file()] = value
  end,
})
