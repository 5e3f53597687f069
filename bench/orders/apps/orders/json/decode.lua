-- JSON to Lua values, by recursive descent.
local lexer = require("orders.json.lexer")
local skip = lexer.skip
local value

local words = { t = { "true", true }, f = { "false", false }, n = { "null", nil } }

local function array(text, at)
  local list = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    list[#list + 1], at = value(text, at)
    at = skip(text, at)
    local mark = text:sub(at, at)
    if mark == "]" then return list, at + 1 end
    if mark ~= "," then error("no , at " .. at) end
    at = skip(text, at + 1)
  end
end

local function object(text, at)
  local map = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return map, at + 1 end
  while true do
    local key
    key, at = lexer.string(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then error("no : at " .. at) end
    map[key], at = value(text, skip(text, at + 1))
    at = skip(text, at)
    local mark = text:sub(at, at)
    if mark == "}" then return map, at + 1 end
    if mark ~= "," then error("no , at " .. at) end
    at = skip(text, at + 1)
  end
end

function value(text, at)
  local mark = text:sub(at, at)
  if mark == "{" then return object(text, at) end
  if mark == "[" then return array(text, at) end
  if mark == '"' then return lexer.string(text, at) end
  local word = words[mark]
  if word then return word[2], at + #word[1] end
  return lexer.number(text, at)
end

return function(text)
  local ok, result = pcall(function()
    local decoded, at = value(text, skip(text, 1))
    if skip(text, at) <= #text then error("something follows the value") end
    return decoded
  end)
  if ok then return result end
  return nil, tostring(result)
end
