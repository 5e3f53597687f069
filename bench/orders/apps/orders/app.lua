-- A handler as people write them: an order in JSON comes in, a page goes out.
local decode = require("orders.json.decode")
local check = require("orders.check.order")
local totals = require("orders.totals")
local view = require("orders.views.order")
local audit = require("orders.audit")

local app = {}

function app.handle(body)
  local order, problem = decode(body)
  if not order then return view.problem(problem) end
  local problems = check(order)
  if #problems > 0 then return view.problem(table.concat(problems, "; ")) end
  local sums = totals.of(order)
  audit.note(order, sums)
  return view.page(order, sums)
end

return app
