-- What this worker has loaded from files, and who required it: the one record that reports, closures and hot.lua share.
local M = {}

-- By name: { name, path, md5 (nil: loaded before this library), order, failed, report }. `report` is the number of the
-- report that told of it; nil while none has.
M.records = {}
-- By "@path", the name of a chunk: the set of names that were loaded from it.
M.by_chunk = {}
-- requirer → required → { from, to, kind, at, report }
M.edges = {}

-- A requirer that makes up names has no end of them.
local most_edges_of_one = 2000
local most_edges = 50000
local edge_count, load_order = 0, 0
local edges_of = {}
local held = 0

-- What no report has told yet.
local news = { loaded = {}, unloaded = {}, edges = {}, pinned = false, any = false }

function M.held() return held end

local function drop(record)
  local names = M.by_chunk["@" .. record.path]
  if names then
    names[record.name] = nil
    if not next(names) then M.by_chunk["@" .. record.path] = nil end
  end
  M.records[record.name] = nil
  if not record.failed then held = held - 1 end
end

-- The chunk of `name` is about to run: functions of its file are this module's from now on.
function M.begun(name, path)
  local chunk = "@" .. path
  M.by_chunk[chunk] = M.by_chunk[chunk] or {}
  M.by_chunk[chunk][name] = true
end

-- `failed`: its chunk raised an error, and `package.loaded` has the mark of that.
function M.loaded(name, path, md5, failed)
  local before = M.records[name]
  if before then drop(before) end
  M.begun(name, path)
  load_order = load_order + 1
  M.records[name] = { name = name, path = path, md5 = md5, order = load_order, failed = failed or nil }
  if not failed then held = held + 1 end
  news.loaded[name], news.unloaded[name], news.any = true, nil, true
end

function M.unloaded(name)
  local record = M.records[name]
  if not record then return end
  drop(record)
  edge_count = edge_count - (edges_of[name] or 0)
  M.edges[name], edges_of[name] = nil, nil
  news.loaded[name], news.unloaded[name], news.any = nil, true, true
end

function M.pinned() news.pinned, news.any = true, true end

-- Returns false when there was no room for it.
function M.edge(from, to, kind, at)
  local outgoing = M.edges[from]
  if not outgoing then
    outgoing = {}
    M.edges[from] = outgoing
  end
  local known = outgoing[to]
  if known then
    if known.kind == kind or kind == "call" then return true end
    known.kind, known.at, known.report = kind, at, nil
    news.edges[#news.edges + 1], news.any = known, true
    return true
  end
  local own = edges_of[from] or 0
  if edge_count >= most_edges or own >= most_edges_of_one then return false end
  local edge = { from = from, to = to, kind = kind, at = at }
  outgoing[to], edges_of[from], edge_count = edge, own + 1, edge_count + 1
  news.edges[#news.edges + 1], news.any = edge, true
  return true
end

function M.has_news() return news.any end

-- Forgets what was told: the next `take` gives everything.
function M.retell()
  news = { loaded = {}, unloaded = {}, edges = {}, pinned = true, any = true }
  for name in pairs(M.records) do news.loaded[name] = true end
  for _, outgoing in pairs(M.edges) do
    for _, edge in pairs(outgoing) do news.edges[#news.edges + 1] = edge end
  end
end

-- { loaded = records, unloaded = names, edges = edges, pinned = boolean } and leaves nothing untold.
function M.take()
  local taken = { loaded = {}, unloaded = {}, edges = {}, pinned = news.pinned }
  for name in pairs(news.loaded) do taken.loaded[#taken.loaded + 1] = M.records[name] end
  for name in pairs(news.unloaded) do taken.unloaded[#taken.unloaded + 1] = name end
  for _, edge in ipairs(news.edges) do
    -- One of a module that is gone is no news, and one that was told of twice is one.
    local outgoing = M.edges[edge.from]
    if outgoing and outgoing[edge.to] == edge and not edge.taken then
      edge.taken = true
      taken.edges[#taken.edges + 1] = edge
    end
  end
  for _, edge in ipairs(taken.edges) do edge.taken = nil end
  news = { loaded = {}, unloaded = {}, edges = {}, pinned = false, any = false }
  return taken
end

-- All of these names and those that were loaded on top of them since report `known`: what whoever made the list could not
-- know. Those come first, the last loaded foremost.
function M.closure(names, known, stops)
  local inside, queue = {}, {}
  local function reach(name)
    if inside[name] then return end
    inside[name] = true
    queue[#queue + 1] = name
  end
  for _, name in ipairs(names) do reach(name) end
  local listed = #queue
  local dependents = {}
  for from, outgoing in pairs(M.edges) do
    local record = M.records[from]
    for to, edge in pairs(outgoing) do
      local untold = not edge.report or edge.report > known or not record or not record.report or record.report > known
      if untold and not stops(from) then
        dependents[to] = dependents[to] or {}
        table.insert(dependents[to], from)
      end
    end
  end
  local at = 1
  while queue[at] do
    local name = queue[at]
    local record = M.records[name]
    for _, from in ipairs(dependents[name] or {}) do reach(from) end
    for alias in pairs(record and M.by_chunk["@" .. record.path] or {}) do
      local other = M.records[alias]
      if other and (not other.report or other.report > known) and not stops(alias) then reach(alias) end
    end
    at = at + 1
  end
  local result = {}
  for i = listed + 1, #queue do result[#result + 1] = queue[i] end
  M.last_loaded_first(result)
  for i = 1, listed do result[#result + 1] = queue[i] end
  return result
end

-- Sorts names in place: what was loaded last ended its chunk last, so it may depend on all that follow.
function M.last_loaded_first(names)
  local function order(name)
    local record = M.records[name]
    return record and record.order or 0
  end
  table.sort(names, function(a, b) return order(a) > order(b) end)
end

return M
