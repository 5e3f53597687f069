-- What went wrong in this worker, for its record and for nginx's log: bounded, newest last.
local M = { errors = {}, recycle = {} }

local most = 20
local most_bytes = 500

local function add(list, text)
  text = #text > most_bytes and text:sub(1, most_bytes) .. "…" or text
  for i, known in ipairs(list) do
    if known == text then table.remove(list, i) break end
  end
  list[#list + 1] = text
  if #list > most then table.remove(list, 1) end
end

-- Something failed; `detail`, such as a traceback, goes to the log alone.
function M.failure(text, detail)
  add(M.errors, text)
  M.changed = true
  ngx.log(ngx.ERR, "relua: ", text, detail and "\n" or "", detail or "")
end

-- Only a new worker can take this change.
function M.recycle_for(text)
  add(M.recycle, text)
  M.changed = true
  ngx.log(ngx.WARN, "relua: only a new worker takes this: ", text)
end

-- Calls a function with one argument; false when it failed, which is noted as "WHAT: message".
function M.guard(what, fn, argument)
  local ok, failure = xpcall(function() fn(argument) end, function(message)
    return { message = tostring(message), traceback = debug.traceback("", 2) }
  end)
  if not ok then M.failure(what .. ": " .. failure.message, failure.traceback) end
  return ok
end

return M
