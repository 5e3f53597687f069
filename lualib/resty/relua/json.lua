-- JSON as RFC 8259 has it, both ways: lua-nginx-module brings none, and one that is always the same needs no second test.
local byte, char, find, floor, format, gsub, sub = string.byte, string.char, string.find, math.floor, string.format, string.gsub, string.sub
local concat = table.concat

local M = {}

-- What `null` decodes to.
M.null = setmetatable({}, { __tostring = function() return "null" end })

local array_mark = {}

-- Marks a table as an array: an empty one is written as [] then, and decoded arrays are told from objects by it.
function M.array(list) return setmetatable(list, array_mark) end

function M.is_array(value) return type(value) == "table" and getmetatable(value) == array_mark end

function M.is_object(value)
  return type(value) == "table" and value ~= M.null and getmetatable(value) ~= array_mark
end

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local function escape(c) return escapes[c] or format("\\u%04x", byte(c)) end
local function quote(text) return '"' .. gsub(text, '[%z\1-\31\\"]', escape) .. '"' end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then return "null" end
  if value == floor(value) and value > -1e15 and value < 1e15 then return format("%d", value) end
  return format("%.14g", value)
end

local encode
local function encode_table(value)
  local parts = {}
  if M.is_array(value) or value[1] ~= nil then
    for i = 1, #value do parts[i] = encode(value[i]) end
    return "[" .. concat(parts, ",") .. "]"
  end
  for key, item in pairs(value) do parts[#parts + 1] = quote(tostring(key)) .. ":" .. encode(item) end
  return "{" .. concat(parts, ",") .. "}"
end

-- Tables with an element 1, or marked by `array`, are arrays; others are objects. Functions and the like become null.
function encode(value)
  local kind = type(value)
  if kind == "string" then return quote(value) end
  if kind == "number" then return number(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "table" and value ~= M.null then return encode_table(value) end
  return "null"
end
M.encode = encode

local most_depth = 64
local words = { t = { "true", true }, f = { "false", false }, n = { "null", M.null } }
local plain = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function fail(at, what) error({ at = at, what = what }, 0) end

local function utf8(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

-- The code unit of `\uXXXX` at `at`; nil where there is none.
local function unit(text, at)
  local hex = find(text, "^\\u%x%x%x%x", at) and sub(text, at + 2, at + 5)
  return hex and tonumber(hex, 16)
end

-- A lone half of a surrogate pair becomes U+FFFD.
local function escaped_unit(text, at)
  local code = unit(text, at) or fail(at, "an escape that JSON does not have")
  if code < 0xD800 or code > 0xDFFF then return utf8(code), at + 6 end
  local low = code < 0xDC00 and unit(text, at + 6)
  if not low or low < 0xDC00 or low > 0xDFFF then return utf8(0xFFFD), at + 6 end
  return utf8(0x10000 + (code - 0xD800) * 1024 + low - 0xDC00), at + 12
end

local function decode_string(text, at)
  local parts, from = {}, at + 1
  while true do
    local stop = find(text, '[%z\1-\31\\"]', from) or fail(at, "a string without an end")
    parts[#parts + 1] = sub(text, from, stop - 1)
    local c = sub(text, stop, stop)
    if c == '"' then return concat(parts), stop + 1 end
    if c ~= "\\" then fail(stop, "a control character in a string") end
    local simple = plain[sub(text, stop + 1, stop + 1)]
    if simple then
      parts[#parts + 1], from = simple, stop + 2
    else
      parts[#parts + 1], from = escaped_unit(text, stop)
    end
  end
end

local function decode_number(text, at)
  local _, stop = find(text, "^-?%d+", at)
  if not stop or find(text, "^-?0%d", at) then fail(at, "no value that JSON has") end
  local _, fraction = find(text, "^%.%d+", stop + 1)
  stop = fraction or stop
  local _, exponent = find(text, "^[eE][+-]?%d+", stop + 1)
  stop = exponent or stop
  return tonumber(sub(text, at, stop)), stop + 1
end

local function skip(text, at) return find(text, "[^ \t\r\n]", at) or #text + 1 end

local decode_value
local function decode_array(text, at, depth)
  local list, n = M.array({}), 0
  at = skip(text, at + 1)
  if byte(text, at) == 93 then return list, at + 1 end
  while true do
    n = n + 1
    list[n], at = decode_value(text, at, depth)
    at = skip(text, at)
    local c = byte(text, at)
    if c == 93 then return list, at + 1 end
    if c ~= 44 then fail(at, "no , or ] after an element") end
    at = skip(text, at + 1)
  end
end

local function decode_object(text, at, depth)
  local object = {}
  at = skip(text, at + 1)
  if byte(text, at) == 125 then return object, at + 1 end
  while true do
    if byte(text, at) ~= 34 then fail(at, "no key") end
    local key
    key, at = decode_string(text, at)
    at = skip(text, at)
    if byte(text, at) ~= 58 then fail(at, "no : after a key") end
    object[key], at = decode_value(text, skip(text, at + 1), depth)
    at = skip(text, at)
    local c = byte(text, at)
    if c == 125 then return object, at + 1 end
    if c ~= 44 then fail(at, "no , or } after a member") end
    at = skip(text, at + 1)
  end
end

function decode_value(text, at, depth)
  if depth == most_depth then fail(at, "more than " .. most_depth .. " levels") end
  local c = sub(text, at, at)
  if c == '"' then return decode_string(text, at) end
  if c == "{" then return decode_object(text, at, depth + 1) end
  if c == "[" then return decode_array(text, at, depth + 1) end
  local word = words[c]
  if not word then return decode_number(text, at) end
  if sub(text, at, at + #word[1] - 1) ~= word[1] then fail(at, "no value that JSON has") end
  return word[2], at + #word[1]
end

-- The value, or nil and what is wrong and where.
function M.decode(text)
  local ok, value = pcall(function()
    local value, at = decode_value(text, skip(text, 1), 0)
    at = skip(text, at)
    if at <= #text then fail(at, "something after the value") end
    return value
  end)
  if ok then return value end
  if type(value) ~= "table" then return nil, tostring(value) end
  return nil, value.what .. " at byte " .. value.at
end

return M
