-- The local location over which the agent speaks to the workers: JSON over HTTP, docs/nginx.md has the calls.
local json = require "resty.relua.json"
local store = require "resty.relua.store"
local worker = require "resty.relua.worker"

local M = {}

local version = 1
local most_bytes = 16 * 1024 * 1024
local most_entries = 1000
local most_id = 200
-- How long workers have to report everything, and how long the log may be locked.
local patience_seconds, look_seconds = 3, 0.01

local token

function M.set_token(value) token = value end

local function answer(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.header["Content-Length"] = #body
  if ngx.req.get_method() ~= "HEAD" then ngx.print(body) end
end

local function refuse(status, code, message, more)
  local problem = more or {}
  problem.code, problem.message = code, message
  answer(status, json.encode(problem))
end

-- Takes as long for every token of the same length.
local function is_same(given, wanted)
  if #given ~= #wanted then return false end
  local difference = 0
  for i = 1, #wanted do
    if given:byte(i) ~= wanted:byte(i) then difference = difference + 1 end
  end
  return difference == 0
end

local function is_allowed(headers)
  if not token then return true end
  local given = headers["authorization"]
  if type(given) ~= "string" then return false end
  local scheme, value = given:match("^(%a+) +(.*)$")
  return scheme ~= nil and scheme:lower() == "bearer" and is_same(value, token)
end

local function status(reports, complete, last)
  local agent, generation = store.last()
  local parts = {
    '{"version":', version, ',"agent":', json.encode(agent), ',"generation":', generation,
    ',"sequence":', store.sequence(), ',"workers":[', table.concat(store.worker_records(), ","), "]",
    ',"reportSequence":', last or store.report_sequence(),
  }
  if reports then
    parts[#parts + 1] = ',"reports":[' .. table.concat(reports, ",") .. "]"
    if complete then parts[#parts + 1] = ',"complete":true' end
  end
  parts[#parts + 1] = "}"
  answer(200, table.concat(parts))
end

local function until_true(condition)
  local deadline = ngx.now() + patience_seconds
  while not condition() do
    if ngx.now() >= deadline then return false end
    ngx.sleep(look_seconds)
  end
  return true
end

-- What each worker has, from the start. One that does not answer in time reports later.
local function everything()
  local from = store.report_sequence()
  local want = store.want()
  worker.turn()
  until_true(function()
    for id = 0, ngx.worker.count() - 1 do
      if store.followed(id) < want then return false end
    end
    return true
  end)
  return store.reports(from)
end

local function get()
  local since = ngx.req.get_uri_args().reports
  if since == nil then return status() end
  since = type(since) == "string" and since:find("^%d+$") and #since < 16 and tonumber(since)
  if not since then return refuse(400, "malformed", "reports takes the number of a report") end
  store.knows(math.min(since, store.report_sequence()))
  local reports, last = nil, nil
  if since > 0 then reports, last = store.reports(since) end
  if reports then return status(reports, false, last) end
  reports, last = everything()
  if not reports then return refuse(507, "too-small", "lua_shared_dict is too small for what the workers have loaded") end
  return status(reports, true, last)
end

local function is_whole(value, least)
  return type(value) == "number" and value == math.floor(value) and value >= least and value < 2 ^ 53
end

-- A list of texts, or what is wrong.
local function texts(value, where)
  if value == nil then return json.array({}) end
  if not json.is_array(value) then return nil, where .. " must be a list of names" end
  for i, text in ipairs(value) do
    if type(text) ~= "string" then return nil, where .. "[" .. i - 1 .. "] must be a text" end
  end
  return value
end

local function paths(value, where)
  if value == nil then return json.array({}) end
  if not json.is_array(value) then return nil, where .. " must be a list of files" end
  local list = json.array({})
  for i, file in ipairs(value) do
    if not json.is_object(file) or type(file.path) ~= "string" then
      return nil, where .. "[" .. i - 1 .. "].path must be a text"
    end
    list[i] = file.path
  end
  return list
end

-- What workers need of an entry, or what is wrong with it.
local function parse_entry(value, where, after)
  if not json.is_object(value) then return nil, where .. " must be an object" end
  if not is_whole(value.generation, 1) then return nil, where .. ".generation must be a whole number from 1" end
  if value.generation <= after then return nil, where .. ".generation must be above the one before" end
  if value.evict == nil then return nil, where .. ".evict must be a list of names" end
  local entry, wrong = { generation = value.generation }, nil
  for _, key in ipairs({ "evict", "recycle", "pinned" }) do
    entry[key], wrong = texts(value[key], where .. "." .. key)
    if wrong then return nil, wrong end
  end
  entry.files, wrong = paths(value.files, where .. ".files")
  return entry, wrong
end

local function parse(text)
  local body, wrong = json.decode(text)
  if body == nil then return nil, "the body is no JSON: " .. wrong end
  if not json.is_object(body) then return nil, "the body must be an object" end
  if type(body.agent) ~= "string" or body.agent == "" or #body.agent > most_id then
    return nil, "agent must be a text of 1 to " .. most_id .. " bytes"
  end
  if body.since ~= nil and not is_whole(body.since, 0) then return nil, "since must be a whole number from 0" end
  if not json.is_array(body.entries) then return nil, "entries must be a list" end
  if #body.entries > most_entries then return nil, "entries has more than " .. most_entries end
  local entries, after = {}, 0
  for i, value in ipairs(body.entries) do
    local entry, problem = parse_entry(value, "entries[" .. i - 1 .. "]", after)
    if problem then return nil, problem end
    entries[i], after = entry, entry.generation
  end
  return { agent = body.agent, since = body.since or 0, entries = entries }
end

-- The whole body; nil when there is too much of it.
local function read_body()
  local length = tonumber(ngx.var.http_content_length)
  if length and length > most_bytes then return nil end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if body then return body end
  -- client_body_buffer_size was too small for it.
  local path = ngx.req.get_body_file()
  local file = path and io.open(path, "rb")
  if not file then return "" end
  body = file:read(most_bytes + 1) or ""
  file:close()
  return #body <= most_bytes and body or nil
end

local function post()
  local text = read_body()
  if not text then return refuse(413, "too-large", "the body is larger than " .. most_bytes .. " bytes") end
  local order, wrong = parse(text)
  if not order then return refuse(400, "malformed", wrong) end
  if not until_true(store.lock) then return refuse(503, "busy", "another process is changing the log") end
  local ok, code, has = pcall(store.append, order.agent, order.since, order.entries)
  store.unlock()
  if not ok then error(code, 0) end
  worker.sync()
  if code == "gap" then
    local message = "the log has generation " .. has .. " of this agent, not " .. order.since
    return refuse(409, "gap", message, { agent = order.agent, generation = has })
  end
  if code then return refuse(413, code, "an entry is too large for the lua_shared_dict") end
  return status()
end

local methods = { GET = get, HEAD = get, POST = post }

local function respond()
  local headers = ngx.req.get_headers()
  if not is_allowed(headers) then
    ngx.header["WWW-Authenticate"] = "Bearer"
    return refuse(401, "unauthorized", "Authorization: Bearer TOKEN is missing or wrong")
  end
  -- No web page has business here.
  if headers["origin"] then return refuse(403, "origin", "requests of browsers are refused") end
  local method = methods[ngx.req.get_method()]
  if not method then
    ngx.header["Allow"] = "GET, HEAD, POST"
    return refuse(405, "method", "GET and POST are what there is")
  end
  return method()
end

-- Answers one request. `why` it cannot, when the worker has not started.
function M.content(why)
  if not worker.started() then return refuse(503, "not-started", why) end
  local ok, failure = pcall(respond)
  if ok then return end
  ngx.log(ngx.ERR, "relua: ", failure)
  if not ngx.headers_sent then refuse(500, "failed", tostring(failure)) end
end

return M
