-- A counter that survives reloads of the rest of the shop, because this module depends on none of it.
-- Each VM has its own: a module's state is never shared between VMs.

local M = {}

local requests = 0

function M.count_request()
    requests = requests + 1
end

function M.requests()
    return requests
end

return M
