-- `relua.hot` inside nginx: what a module keeps over its reloads and wants to hear of them. The names are the agent's.
local note = require "resty.relua.note"
local modules = require "resty.relua.modules"

local M = {}

M.name = "relua.hot"

-- By name: { name, disposers, adopters, adopts, pinned, handle }, one for each loading of a module.
local current = {}
local data = {}
-- Evicted and not loaded again: their next load is a reload.
local reloading = {}
-- Names of modules that this worker never evicts.
M.pinned = {}

local most_functions = 256

local function data_of(name)
  data[name] = data[name] or {}
  return data[name]
end

local function registrar(functions, occasion)
  return function(fn)
    if type(fn) ~= "function" then
      error("bad argument #1 to '" .. occasion .. "' (function expected, got " .. (fn == nil and "no value" or type(fn)) .. ")", 2)
    end
    if #functions >= most_functions then
      error("more than " .. most_functions .. " " .. occasion .. " functions in one module", 2)
    end
    functions[#functions + 1] = fn
  end
end

local function pin(instance)
  instance.pinned = true
  if current[instance.name] ~= instance or M.pinned[instance.name] then return end
  M.pinned[instance.name] = true
  modules.pinned()
end

function M.new_instance(name) return { name = name, disposers = {}, adopters = {}, pinned = false } end

-- The instance of a module that is loaded.
function M.instance_of(name)
  current[name] = current[name] or M.new_instance(name)
  return current[name]
end

-- The handle of an instance, the same table every time.
function M.handle(instance)
  if instance.handle then return instance.handle end
  local name = instance.name
  instance.handle = setmetatable({
    dispose = registrar(instance.disposers, "dispose"),
    adopt = registrar(instance.adopters, "adopt"),
    pin = function() pin(instance) end,
  }, {
    -- `data` lives behind the handle: `hot.data = {…}` has to reach the next instance as well.
    __index = function(_, key)
      if key == "data" then return data_of(name) end
      return nil
    end,
    __newindex = function(handle, key, value)
      if key ~= "data" then return rawset(handle, key, value) end
      if type(value) ~= "table" then error("hot.data must be a table", 2) end
      data[name] = value
    end,
  })
  return instance.handle
end

-- The chunk of `name` ended; `instance` is nil when it did not ask for its handle. Runs the adopt functions if that was a
-- reload: what one of them left undone only a new worker mends.
function M.loaded(name, instance)
  current[name] = instance
  if instance then instance.adopts = #instance.adopters > 0 end
  if instance and instance.pinned then pin(instance) end
  if not reloading[name] then return end
  reloading[name] = nil
  if not instance then return end
  local adopters = instance.adopters
  instance.adopters = {}
  for _, fn in ipairs(adopters) do
    if not note.guard("hot.adopt of " .. name, fn, data_of(name)) then
      note.recycle_for("hot.adopt of " .. name .. " failed: it is loaded and not ready")
      return
    end
  end
end

-- Runs the dispose functions of these modules, in this order. One that fails is noted, and the rest goes on.
function M.dispose(names)
  for _, name in ipairs(names) do
    local instance = current[name]
    local disposers = instance and instance.disposers or {}
    if instance then instance.disposers = {} end
    for _, fn in ipairs(disposers) do note.guard("hot.dispose of " .. name, fn, data_of(name)) end
  end
end

-- The module is gone. `resolves`: whether a file still answers to the name. Returns whether it wants to be loaded again at
-- once, having something to adopt.
function M.evicted(name, resolves)
  local instance = current[name]
  current[name] = nil
  if not resolves then
    data[name], reloading[name] = nil, nil
    return false
  end
  reloading[name] = true
  return instance ~= nil and instance.adopts == true
end

return M
