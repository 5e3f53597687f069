-- Relua inside nginx and OpenResty: the workers take over new code when the agent beside them says so. docs/nginx.md.
local loader = require "resty.relua.loader"
local store = require "resty.relua.store"
local worker = require "resty.relua.worker"
local location = require "resty.relua.location"

local M = {}

local defaults = { dict = "relua", every = 0.1, entries = 256 }

-- The log's end when this VM began to load modules; 0: nobody knows.
local base = 0
local why_not = "init_worker() has not run in this worker; it needs lua_code_cache on"

local function is_between(value, least, most) return type(value) == "number" and value >= least and value <= most end

-- The options with the defaults, or what is wrong with them.
local function check(options)
  local all = {}
  for key, value in pairs(defaults) do all[key] = value end
  for key, value in pairs(options or {}) do
    if key ~= "token" and defaults[key] == nil then return nil, "there is no option " .. tostring(key) end
    all[key] = value
  end
  if type(all.dict) ~= "string" then return nil, "dict must be the name of a lua_shared_dict" end
  if not is_between(all.every, 0.01, 60) then return nil, "every must be 0.01 to 60 seconds" end
  if not is_between(all.entries, 1, 100000) then return nil, "entries must be 1 to 100000" end
  if all.token ~= nil and (type(all.token) ~= "string" or all.token == "") then return nil, "token must be a text, or nil" end
  return all
end

local function give_up(wrong)
  why_not = wrong
  ngx.log(ngx.ERR, "relua: ", wrong)
  return nil, wrong
end

-- For init_by_lua, before anything else is required: then it is known what the master hands on to workers. Takes the options
-- of init_worker. Returns true, or nil and what is wrong.
function M.init(options)
  local all, wrong = check(options)
  if not all then return give_up(wrong) end
  wrong = store.open(all.dict, all.entries)
  if wrong then return give_up(wrong) end
  base = store.sequence()
  loader.install()
  return true
end

-- For init_worker_by_lua, before anything else is required. { dict = "relua", token = nil, every = 0.1, entries = 256 }:
-- the lua_shared_dict, the secret of the agent, seconds between two looks at the log, entries that the log keeps. Returns
-- true, or nil and what is wrong; then nginx works as without this library.
function M.init_worker(options)
  local all, wrong = check(options)
  if not all then return give_up(wrong) end
  local failure, dict = store.open(all.dict, all.entries)
  if failure then return give_up(failure) end
  loader.install()
  location.set_token(all.token)
  wrong = worker.start(dict, base, all.every)
  if wrong then return give_up(wrong) end
  return true
end

-- For the content phase of a location that the agent alone reaches.
function M.content() return location.content(why_not) end

-- For an early phase such as rewrite: the rest of this request runs the newest code.
M.sync = worker.sync

return M
