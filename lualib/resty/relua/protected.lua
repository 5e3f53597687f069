-- Which names are never evicted, whatever an entry says: without them the worker would break.
local names = {}
for name in ([[_G bit cjson cjson.safe coroutine debug ffi io jit math ndk ngx os package relua.hot resty.core resty.lrucache
  resty.relua string string.buffer table thread.exdata thread.exdata2]]):gmatch("%S+") do names[name] = true end
local families = { "^jit%.", "^ngx%.", "^resty%.core%.", "^resty%.lrucache%.", "^resty%.relua%.", "^table%." }

return function(name)
  if names[name] then return true end
  for _, family in ipairs(families) do
    if name:find(family) then return true end
  end
  return false
end
