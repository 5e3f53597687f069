-- Templates with {{name}}; compiled once into pieces.
local escape = require("orders.text.escape")

local function compile(source)
  local pieces, at = {}, 1
  while true do
    local from, to, name = source:find("{{(%w+)}}", at)
    if not from then break end
    pieces[#pieces + 1] = source:sub(at, from - 1)
    pieces[#pieces + 1] = { name = name }
    at = to + 1
  end
  pieces[#pieces + 1] = source:sub(at)
  return pieces
end

return function(source)
  local pieces = compile(source)
  return function(values)
    local out = {}
    for i = 1, #pieces do
      local piece = pieces[i]
      if type(piece) == "string" then
        out[i] = piece
      else
        local found = values[piece.name]
        out[i] = type(found) == "table" and found.html or escape(found == nil and "" or found)
      end
    end
    return table.concat(out)
  end
end
