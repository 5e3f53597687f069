-- table.foreach and table.foreachi of 5.0; in Lua, so that their callbacks can yield as under LuaJIT.
local error, next, type = error, next, type

local function check(name, t, f)
  if type(t) ~= "table" then
    error("bad argument #1 to '" .. name .. "' (table expected, got " .. type(t) .. ")", 3)
  elseif type(f) ~= "function" then
    error("bad argument #2 to '" .. name .. "' (function expected, got " .. type(f) .. ")", 3)
  end
end

local function foreach(t, f)
  check("foreach", t, f)
  for key, value in next, t do
    local result = f(key, value)
    if result ~= nil then return result end
  end
end

local function foreachi(t, f)
  check("foreachi", t, f)
  for i = 1, #t do
    local result = f(i, t[i])
    if result ~= nil then return result end
  end
end

return foreach, foreachi
