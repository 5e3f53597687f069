-- Where JSON's texts and numbers end.
local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local lexer = {}

function lexer.skip(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

function lexer.string(text, at)
  local pieces = {}
  local from = at + 1
  while true do
    local stop = text:find('["\\]', from)
    if not stop then error("a text has no end") end
    pieces[#pieces + 1] = text:sub(from, stop - 1)
    if text:sub(stop, stop) == '"' then return table.concat(pieces), stop + 1 end
    pieces[#pieces + 1] = escapes[text:sub(stop + 1, stop + 1)] or error("unknown escape")
    from = stop + 2
  end
end

function lexer.number(text, at)
  local digits, stop = text:match("^(-?%d+%.?%d*[eE]?[+-]?%d*)()", at)
  return tonumber(digits) or error("no number at " .. at), stop
end

return lexer
