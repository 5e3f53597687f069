-- One worker's way through the log: applies entries in order, says how far it has come, and reports what it has loaded.
local json = require "resty.relua.json"
local store = require "resty.relua.store"
local modules = require "resty.relua.modules"
local loader = require "resty.relua.loader"
local hot = require "resty.relua.hot"
local eviction = require "resty.relua.eviction"
local chunks = require "resty.relua.chunks"
local note = require "resty.relua.note"

local M = {}

-- nil until the worker has started.
local dict
local id
-- Number of the last entry that was applied, and its generation.
local applied, generation
local applying = false
local applied_ms, applied_at = 0, 0
local followed, told_alive = -1, 0

local heartbeat_seconds = 1
local most_in_report = 200

local function now_ms() return math.floor(ngx.now() * 1000 + 0.5) end

local function sorted_keys(set)
  local keys = json.array({})
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- A worker on its way out has a successor of the same number, whose word counts.
local function is_heard() return not ngx.worker.exiting() and store.has_seat(id) end

local function tell()
  if not is_heard() then return end
  note.changed, told_alive = false, ngx.now()
  local record = json.encode({
    id = id, pid = ngx.worker.pid(), sequence = applied, generation = generation, modules = modules.held(),
    appliedMs = applied_ms, appliedAt = applied_at, seenAt = now_ms(), errors = json.array(note.errors),
    pinned = sorted_keys(hot.pinned), recycle = json.array(note.recycle),
  })
  if not store.record(id, record) then ngx.log(ngx.ERR, "relua: the lua_shared_dict is full: worker ", id, " cannot be seen") end
end

local function load_again(premature, names)
  if premature then return end
  for _, name in ipairs(names) do
    local ok, failure = pcall(require, name)
    if not ok then note.failure("loading " .. name .. " again: " .. tostring(failure)) end
  end
  -- The next request is to hear what is wrong, not that something was.
  if not loader.is_loading() then eviction.forget_failed({}) end
end

-- Modules that have something to adopt do not wait for somebody to require them.
local function evict(names)
  local again, kept = eviction.evict(names)
  if #again > 0 then
    local ok, failure = ngx.timer.at(0, load_again, again)
    if not ok then note.failure("cannot load " .. table.concat(again, ", ") .. " again: " .. tostring(failure)) end
  end
  return kept
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name] = true end
  return set
end

local function apply(entry)
  local stays = set_of(entry.pinned)
  local function stops(name) return stays[name] or eviction.kept_why(name) ~= nil end
  local kept = evict(modules.closure(entry.evict, entry.known, stops))
  for _, name in ipairs(sorted_keys(kept)) do
    note.recycle_for(name .. " is " .. kept[name] .. ": generation " .. entry.generation .. " evicts it")
  end
  for _, name in ipairs(entry.recycle) do
    if package.loaded[name] ~= nil then
      note.recycle_for(name .. " changed and is pinned: generation " .. entry.generation)
    end
  end
  chunks.renew(entry.files)
end

-- Nobody knows what the entries said that this worker has missed.
local function apply_everything(stays, why)
  local names, outdated = eviction.everything(set_of(stays))
  ngx.log(ngx.WARN, "relua: ", why, ": evicting everything, ", #names, " modules")
  evict(names)
  for _, name in ipairs(outdated) do note.recycle_for(name .. " changed and declares FFI types") end
  chunks.renew_all()
end

local function step(what, fn, ...)
  local arguments, count = { ... }, select("#", ...)
  return note.guard(what, function() fn(unpack(arguments, 1, count)) end)
end

local function catch_up_to(sequence)
  if sequence < applied then
    step("the log", apply_everything, nil, "the log has begun anew")
    applied = sequence
    generation = select(2, store.last())
    return
  end
  local stays
  for number = applied + 1, sequence do
    local entry = store.entry(number)
    if entry then
      stays = entry.pinned or stays
      if not step("generation " .. entry.generation, apply, entry) then
        step("generation " .. entry.generation, apply_everything, stays, "that failed")
      end
      generation = entry.generation
    else
      -- What is left of the log names what must stay now.
      local last = store.entry(sequence)
      step("the log", apply_everything, last and last.pinned, "entry " .. number .. " is no longer in the log")
      applied = sequence
      generation = select(2, store.last())
      return
    end
  end
  applied = sequence
end

-- Applies what is new, unless a chunk is running: then the next turn does.
local function catch_up()
  if applying or loader.is_loading() then return end
  local sequence = store.sequence()
  if sequence == applied then return end
  applying = true
  local started = os.clock()
  catch_up_to(sequence)
  applied_ms, applied_at = math.floor((os.clock() - started) * 1e6 + 0.5) / 1000, now_ms()
  applying = false
  tell()
end

-- For an early phase: what this request requires from now on is of the newest generation. One read of the dict when
-- nothing is new.
function M.sync()
  if dict and dict:get("seq") ~= applied then note.guard("sync", catch_up) end
end

local function report_of(news, whole)
  local report = { worker = id, pid = ngx.worker.pid(), loaded = json.array({}), unloaded = json.array({}), edges = json.array({}) }
  report.whole = whole or nil
  report.pinned = (whole or news.pinned) and sorted_keys(hot.pinned) or nil
  return report
end

-- News as reports of bounded size, each with the records and edges that it tells of.
local function pieces_of(news, whole)
  local pieces, n = {}, 0
  local function piece()
    if n % most_in_report == 0 then
      pieces[#pieces + 1] = { report = report_of(news, whole and #pieces == 0), told = {} }
    end
    n = n + 1
    return pieces[#pieces]
  end
  for _, name in ipairs(news.unloaded) do
    local at = piece()
    at.report.unloaded[#at.report.unloaded + 1] = name
  end
  for _, record in ipairs(news.loaded) do
    local at = piece()
    at.report.loaded[#at.report.loaded + 1] =
      { name = record.name, path = record.path, md5 = record.md5, failed = record.failed }
    at.told[#at.told + 1] = record
  end
  for _, edge in ipairs(news.edges) do
    local at = piece()
    at.report.edges[#at.report.edges + 1] = { from = edge.from, to = edge.to, kind = edge.kind, at = edge.at }
    at.told[#at.told + 1] = edge
  end
  if n == 0 then piece() end
  return pieces
end

local function publish(wanted)
  local whole = wanted ~= followed
  if whole then modules.retell() end
  for _, piece in ipairs(pieces_of(modules.take(), whole)) do
    local number = store.report_sequence() + 1
    if not store.report(number, json.encode(piece.report)) then
      note.failure("the lua_shared_dict is too small for what this worker has loaded")
      break
    end
    for _, told in ipairs(piece.told) do told.report = number end
  end
  followed, note.changed = wanted, true
  store.follow(id, wanted)
end

-- Reports what is new, and everything when somebody wants that. Another process may be reporting: then at the next turn.
function M.report()
  local wanted = store.wanted()
  if wanted == followed and not modules.has_news() then return end
  if not is_heard() or not store.lock() then return end
  note.guard("reporting", publish, wanted)
  store.unlock()
end

function M.turn()
  catch_up()
  M.report()
  if note.changed or ngx.now() - told_alive >= heartbeat_seconds then tell() end
end

local function on_timer(premature)
  if not premature then note.guard("timer", M.turn) end
end

-- `base`: the log's end when the master began to load what this worker has inherited. Returns what is wrong.
function M.start(shared, base, every)
  id = ngx.worker.id()
  -- nginx's privileged agent serves nobody.
  if not id then return nil end
  dict = shared
  store.take_seat(id)
  local _, last = store.last()
  applied, generation = store.sequence(), last
  if next(modules.records) then
    applied = math.min(base, applied)
    note.guard("start", catch_up)
  end
  -- Whoever sees a report finds the record of the process that it is of.
  tell()
  note.guard("start", M.report)
  local ok, failure = ngx.timer.every(every, on_timer)
  return not ok and "no timer: " .. tostring(failure) or nil
end

function M.started() return dict ~= nil end

return M
