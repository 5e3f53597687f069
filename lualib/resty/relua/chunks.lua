-- The chunks of `*_by_lua_file`: nginx compiles such a file once in each worker and keeps it by the file's name, in a table
-- of Lua's registry. This file puts new code into that table, where it finds it to be what it takes it for, and else
-- leaves it alone.
local loader = require "resty.relua.loader"
local note = require "resty.relua.note"

local M = {}

local key_start = "nhlf_"

-- The table that maps `nhlf_` .. md5(path) to a function, or to the number under which it has the function.
local function cache()
  for key, value in pairs(debug.getregistry()) do
    if type(key) == "userdata" and type(value) == "table" then
      for name in pairs(value) do
        if type(name) == "string" and name:find("^[%w_]*nhl[fi]_%x+$") then return value end
      end
    end
  end
end

-- The function that the cache has under a key, and where.
local function function_at(chunks, key)
  local at = chunks[key]
  if type(at) == "number" then return chunks[at], at end
  return at, key
end

-- lua-nginx-module for plain LuaJIT keeps `return function() … end` around each chunk, the one for OpenResty's LuaJIT the
-- chunk itself. A chunk of more than that one statement tells which.
local function is_wrapped(chunks)
  local ok, util = pcall(require, "jit.util")
  if not ok then return nil end
  local seen = false
  for _, value in pairs(chunks) do
    if type(value) == "function" then
      local info = util.funcinfo(value)
      if not info.bytecodes then return nil end
      if info.bytecodes > 3 then return false end
      seen = true
    end
  end
  return seen or nil
end

local function replace(chunks, at, path)
  local bytes = loader.read(path)
  if not bytes then return end
  local wrapped = is_wrapped(chunks)
  if wrapped == nil then return note.recycle_for(path .. " is a handler of nginx that cannot be replaced") end
  local chunk, failure = loader.compile(bytes, path)
  if chunk and wrapped then chunk, failure = loadstring("return function() " .. bytes .. "\nend", "@" .. path) end
  if not chunk then return note.failure("handler " .. path .. " keeps its old code: " .. failure) end
  chunks[at] = chunk
end

-- Whether this is the compiled chunk of that file.
local function is_chunk_of(value, path)
  if type(value) ~= "function" then return false end
  local info = debug.getinfo(value, "S")
  return info.what == "main" and info.source == "@" .. path
end

-- Compiles these files anew, as far as they are handlers that this worker has run.
function M.renew(paths)
  local chunks = #paths > 0 and cache()
  if not chunks then return end
  for _, path in ipairs(paths) do
    local chunk, at = function_at(chunks, key_start .. ngx.md5(path))
    if is_chunk_of(chunk, path) then replace(chunks, at, path) end
  end
end

-- The same for every file that is a handler.
function M.renew_all()
  local chunks = cache()
  local paths = {}
  for key in pairs(chunks or {}) do
    local chunk = type(key) == "string" and key:find(key_start, 1, true) == 1 and function_at(chunks, key)
    local source = type(chunk) == "function" and debug.getinfo(chunk, "S").source
    if source then paths[#paths + 1] = source:sub(2) end
  end
  M.renew(paths)
end

return M
