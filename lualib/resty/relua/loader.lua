-- `require` as this library has it: a searcher that reads Lua files itself, to know what bytes a module really runs, and a
-- wrapper that hears who requires what. Lua's own `require` still does the work.
local modules = require "resty.relua.modules"
local hot = require "resty.relua.hot"
local protected = require "resty.relua.protected"

local M = {}

local loaded = package.loaded
-- While a chunk runs, Lua keeps this in `package.loaded` under its name, and for good if the chunk fails. This very file is
-- being loaded now.
local sentinel = loaded[...]
local getinfo = debug.getinfo
local own_source = getinfo(1, "S").source

-- Lua's own, or lua-resty-core's in front of it.
local require = require
local require_source = getinfo(require, "S").source

-- Chunks that are running, outermost first: { name, path, md5, loader, coroutine, instance }.
local stack, depth = {}, 0
-- Names whose last load failed.
M.failed = {}

-- package.searchpath is LuaJIT's and 5.2's.
local searchpath = package.searchpath
  or function(name, path)
    for template in path:gmatch("[^;]+") do
      local candidate = template:gsub("%?", (name:gsub("%.", "/"):gsub("%%", "%%%%")))
      local file = io.open(candidate, "rb")
      if file then
        file:close()
        return candidate
      end
    end
    return nil
  end

-- The path of the file that `require` would load for a name now; nil for none.
function M.find(name)
  if type(package.path) ~= "string" then return nil end
  return (searchpath(name, package.path))
end

-- A file's bytes; nil when it cannot be read.
function M.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read("*a")
  file:close()
  return bytes
end

-- nil where this nginx has no md5 outside of requests.
function M.md5(bytes)
  local ok, digest = pcall(ngx.md5, bytes)
  return ok and digest or nil
end

-- As loadfile does, of bytes that were read already. lua: skips a first line that starts with #.
function M.compile(bytes, path)
  if bytes:byte(1) == 35 then bytes = bytes:gsub("^#[^\n]*", "") end
  return loadstring(bytes, "@" .. path)
end

-- What is running right now outside of this library and of `require`: { source, currentline }. nil when the chunk that is
-- loading has left its frame to a call at its end (`return require "x"`): who is behind it has required nothing.
local function caller()
  local loader = depth > 0 and stack[depth].loader
  for level = 3, 200 do
    local info = getinfo(level, "Slf")
    if not info or info.func == loader then return nil end
    local source = info.source
    if info.what ~= "C" and info.what ~= "tail" and source ~= own_source and source ~= require_source then return info end
  end
end

-- A chunk cannot yield, since `require` is C: one that ended with an error has left the stack of its own coroutine.
local function is_running(entry)
  local running = coroutine.running()
  if entry.coroutine ~= running then
    if not entry.coroutine then return ngx.get_phase():find("^init") ~= nil end
    local ok, status = pcall(coroutine.status, entry.coroutine)
    return ok and status == "normal"
  end
  for level = 2, 10000 do
    local info = getinfo(level, "f")
    if not info then return false end
    if info.func == entry.loader then return true end
  end
  return false
end

local function fail_top()
  local entry = stack[depth]
  stack[depth], depth = nil, depth - 1
  M.failed[entry.name] = true
  modules.loaded(entry.name, entry.path, entry.md5, true)
end

-- Takes chunks off the stack that have ended with an error: nobody tells of those.
local function settle()
  while depth > 0 and not is_running(stack[depth]) do fail_top() end
end

-- Whether a chunk is running: what it has loaded and what it will load must be of one generation.
function M.is_loading()
  if depth > 0 then settle() end
  return depth > 0
end

-- Somebody requires `name`: the module that is loading, and the one of the function that calls.
local function note_require(name)
  local info = caller()
  local loading = stack[depth]
  local at = info and info.source:gsub("^[@=]", "") .. ":" .. info.currentline or loading and loading.path or "?"
  if loading then modules.edge(loading.name, name, "load", at) end
  for from in pairs(info and modules.by_chunk[info.source] or {}) do
    if from ~= name and not (loading and loading.name == from) then modules.edge(from, name, "call", at) end
  end
end

-- The handle of the module whose code asks, or of the one that is loading.
local function hot_handle()
  loaded[hot.name] = nil
  settle()
  local info = caller()
  local names = info and modules.by_chunk[info.source]
  for i = depth, 1, -1 do
    local entry = stack[i]
    if not names or names[entry.name] then
      entry.instance = entry.instance or hot.new_instance(entry.name)
      return hot.handle(entry.instance)
    end
  end
  local name = names and next(names)
  if not name then error("relua.hot belongs to a module: require it in the module's own file", 0) end
  return hot.handle(hot.instance_of(name))
end

local function leave(entry)
  for i = depth, 1, -1 do
    if stack[i] == entry then
      while stack[depth] ~= entry do fail_top() end
      stack[depth], depth = nil, depth - 1
      return
    end
  end
end

local function finish(entry, result)
  leave(entry)
  local name = entry.name
  -- As `require` is about to do itself: the adopt functions may require the module that they are of.
  if result ~= nil then loaded[name] = result end
  if loaded[name] == sentinel then loaded[name] = true end
  -- Somebody who kept Lua's own `require` has stored his handle for all.
  loaded[hot.name] = nil
  M.failed[name] = nil
  modules.loaded(name, entry.path, entry.md5)
  hot.loaded(name, entry.instance)
end

local function loader_of(name, path, md5, chunk)
  local loader
  function loader(...)
    local entry = { name = name, path = path, md5 = md5, coroutine = coroutine.running() }
    entry.loader = loader
    settle()
    modules.begun(name, path)
    depth = depth + 1
    stack[depth] = entry
    local result = chunk(...)
    finish(entry, result)
    return result
  end
  return loader
end

-- In front of the searcher for Lua files. For what it does not find, that one tells where it looked.
local function searcher(name)
  if type(name) ~= "string" or protected(name) then return nil end
  settle()
  note_require(name)
  local path = M.find(name)
  local bytes = path and M.read(path)
  if not bytes then return nil end
  local chunk, failure = M.compile(bytes, path)
  if not chunk then
    error("error loading module '" .. name .. "' from file '" .. path .. "':\n\t" .. failure, 0)
  end
  return loader_of(name, path, M.md5(bytes), chunk)
end

-- Whatever is not simply there. Calls at the end, so that errors name the place that required.
local function slow_require(name)
  if name == hot.name then return hot_handle() end
  if depth > 0 then settle() end
  -- Searchers hear of what is not loaded.
  if (depth > 0 or loaded[name] == sentinel) and modules.records[name] then note_require(name) end
  return require(name)
end

local function fast_require(name)
  local module = loaded[name]
  if module and module ~= sentinel and depth == 0 then return module end
  return slow_require(name)
end

-- Whether `package.loaded` has nothing but the mark of a load that failed.
function M.is_sentinel(module) return module ~= nil and module == sentinel end

local installed = false

-- Wraps `require`, once. What was loaded before is known by its path alone.
function M.install()
  if installed then return end
  installed = true
  loaded[hot.name] = nil
  package.preload[hot.name] = hot_handle
  table.insert(package.loaders, 2, searcher)
  _G.require = fast_require
  for name, module in pairs(loaded) do
    local path = type(name) == "string" and module ~= sentinel and not protected(name) and M.find(name)
    if path then modules.loaded(name, path, nil) end
  end
end

return M
