-- What the workers share, in a lua_shared_dict: the log of entries, the workers' reports and records. Everything here is
-- bounded by the dict: the oldest reports go first, then the oldest entries, and never the newest.
--
-- seq, low    number of the last entry, and of the oldest that is kept     e:N  an entry
-- rseq, rlow  the same of reports                                          r:N  a report
-- agents      the last generation of each of the last agents, newest first
-- known       the last report of which an agent has said that it has it
-- want        grows when somebody wants every worker to report everything  p:ID the last of these that a worker followed
-- w:ID        a worker's record                     i:ID the process that is this worker
-- lock        the process that is changing a log
local json = require "resty.relua.json"

local M = {}

local most_reports = 2000
local most_agents = 8
-- A worker that dies while it holds the lock keeps the others for that long.
local lock_seconds = 2

local dict, most_entries

-- Returns what is wrong; nil for nothing.
function M.open(name, entries)
  local found = ngx.shared[name]
  if not found then return "there is no lua_shared_dict " .. name end
  dict, most_entries = found, entries
  for key, value in pairs({ seq = 0, low = 1, rseq = 0, rlow = 1, known = 0, want = 0 }) do dict:safe_add(key, value) end
  if not dict:get("seq") then return "lua_shared_dict " .. name .. " is too small" end
  return nil, dict
end

local function number(key) return dict:get(key) or 0 end

function M.sequence() return number("seq") end
function M.report_sequence() return number("rseq") end
function M.wanted() return number("want") end
function M.want() return dict:incr("want", 1, 0) end
function M.followed(id) return number("p:" .. id) end

-- False when another process has it.
function M.lock() return (dict:add("lock", ngx.worker.pid(), lock_seconds)) == true end
function M.unlock()
  if dict:get("lock") == ngx.worker.pid() then dict:delete("lock") end
end

local function drop_oldest(low, last, prefix)
  if number(low) > number(last) then return false end
  local oldest = dict:incr(low, 1, 1) - 1
  dict:delete(prefix .. oldest)
  return true
end

-- Stores a value, at the cost of the oldest reports and entries. False when it does not fit at all.
local function put(key, value)
  if type(value) == "string" and dict.capacity and #value > dict:capacity() / 2 then return false end
  while true do
    local ok, failure = dict:safe_set(key, value)
    if ok then return true end
    if failure ~= "no memory" then return false end
    if not drop_oldest("rlow", "rseq", "r:") and not drop_oldest("low", "seq", "e:") then return false end
  end
end

local function agents() return json.decode(dict:get("agents") or "[]") or {} end

-- The last entry's agent and generation; "", 0 when there is none.
function M.last()
  local newest = agents()[1]
  if not newest then return "", 0 end
  return newest.id, newest.generation
end

-- The last generation of this agent that the log has had.
local function generation_of(agent)
  for _, known in ipairs(agents()) do
    if known.id == agent then return known.generation end
  end
  return 0
end

local function remember(agent, generation)
  local list = json.array({ { id = agent, generation = generation } })
  for _, known in ipairs(agents()) do
    if known.id ~= agent and #list < most_agents then list[#list + 1] = known end
  end
  return put("agents", json.encode(list))
end

-- Appends what is new of `entries`; the caller holds the lock. Returns nil, or the code of what is wrong and, for a gap,
-- the last generation of this agent.
function M.append(agent, since, entries)
  local has = generation_of(agent)
  if since > has then return "gap", has end
  local known = number("known")
  for _, entry in ipairs(entries) do
    if entry.generation > has then
      entry.agent, entry.known = agent, known
      local sequence = number("seq") + 1
      if not put("e:" .. sequence, json.encode(entry)) or not remember(agent, entry.generation) then return "too-large" end
      -- Last: whoever sees this number finds the entry.
      dict:safe_set("seq", sequence)
      has = entry.generation
      while sequence - number("low") >= most_entries do drop_oldest("low", "seq", "e:") end
    end
  end
end

-- nil: the log no longer has it.
function M.entry(sequence)
  local text = dict:get("e:" .. sequence)
  return text and json.decode(text)
end

-- Appends a report; the caller holds the lock and has `sequence`, the number that it gets. False when it does not fit.
function M.report(sequence, text)
  if not put("r:" .. sequence, text) then return false end
  dict:safe_set("rseq", sequence)
  while sequence - number("rlow") >= most_reports do drop_oldest("rlow", "rseq", "r:") end
  return true
end

-- The reports after `since`, encoded, and the number of the last; nil when some of them are gone.
function M.reports(since)
  local last = number("rseq")
  if since > last or since + 1 < number("rlow") then return nil end
  local found = {}
  for sequence = since + 1, last do
    local text = dict:get("r:" .. sequence)
    if not text then return nil end
    found[#found + 1] = text
  end
  return found, last
end

function M.follow(id, want) put("p:" .. id, want) end
function M.knows(report) put("known", report) end

-- This process is the worker of that number from now on: on a HUP the old one lives beside it for a while.
function M.take_seat(id) put("i:" .. id, ngx.worker.pid()) end

function M.has_seat(id)
  local pid = dict:get("i:" .. id)
  if not pid then M.take_seat(id) end
  return not pid or pid == ngx.worker.pid()
end

function M.record(id, text) return put("w:" .. id, text) end

-- The records of all workers that there are, encoded.
function M.worker_records()
  local found = {}
  for id = 0, ngx.worker.count() - 1 do found[#found + 1] = dict:get("w:" .. id) end
  return found
end

return M
