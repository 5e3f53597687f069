-- Takes modules out of this worker: disposes of them, clears their names and the globals that `module()` made.
local modules = require "resty.relua.modules"
local loader = require "resty.relua.loader"
local hot = require "resty.relua.hot"
local protected = require "resty.relua.protected"

local M = {}

local loaded = package.loaded

-- Why a name stays; nil for one that may go.
function M.kept_why(name)
  if protected(name) then return "built in" end
  if hot.pinned[name] then return "pinned (hot.pin)" end
  return nil
end

-- 5.1's module("a.b") has set the global a.b as well; plain tables of that name are not its.
local function clear_global(name, module)
  if type(module) ~= "table" or rawget(module, "_NAME") ~= name or rawget(module, "_M") ~= module then return end
  local holder, last = _G, nil
  for part in name:gmatch("[^.]+") do
    if last then holder = rawget(holder, last) end
    if type(holder) ~= "table" then return end
    last = part
  end
  if last and rawget(holder, last) == module then rawset(holder, last, nil) end
end

local function clear(name, again)
  local module = loaded[name]
  loaded[name] = nil
  loader.failed[name] = nil
  modules.unloaded(name)
  if module == nil then return end
  clear_global(name, module)
  if hot.evicted(name, loader.find(name) ~= nil) then again[#again + 1] = name end
end

-- Lets modules that could not be loaded be tried anew. `again` is as in `evict`.
function M.forget_failed(again)
  for name in pairs(loader.failed) do
    if loader.is_sentinel(loaded[name]) then
      clear(name, again)
    else
      loader.failed[name] = nil
    end
  end
end

-- Evicts these names, in this order. Returns those to load again at once, dependencies first, and those that stay, with
-- the reason of each.
function M.evict(names)
  local gone, again, kept = {}, {}, {}
  for _, name in ipairs(names) do
    local why = M.kept_why(name)
    if why then
      kept[name] = loaded[name] ~= nil and why or nil
    else
      gone[#gone + 1] = name
    end
  end
  hot.dispose(gone)
  for _, name in ipairs(gone) do clear(name, again) end
  -- Any change may have mended those.
  M.forget_failed(again)
  local dependencies_first = {}
  for i = #again, 1, -1 do dependencies_first[#dependencies_first + 1] = again[i] end
  return dependencies_first, kept
end

-- FFI declarations cannot be made twice. Which modules make some is guessed from their text, as plain `require` cannot say.
local function declares_ffi(bytes) return bytes:find("cdef", 1, true) ~= nil or bytes:find("metatype", 1, true) ~= nil end

-- What goes when nobody knows what changed: everything that came from a Lua file, dependents first, except what `stays` and
-- what declares FFI types. Of those the second result has the ones whose file is another by now.
function M.everything(stays)
  local names, outdated = {}, {}
  for name, record in pairs(modules.records) do
    if not M.kept_why(name) and not stays[name] then
      local bytes = loader.read(record.path)
      if not (bytes and declares_ffi(bytes)) then
        names[#names + 1] = name
      elseif record.md5 and loader.md5(bytes) ~= record.md5 then
        outdated[#outdated + 1] = name
      end
    end
  end
  modules.last_loaded_first(names)
  return names, outdated
end

return M
