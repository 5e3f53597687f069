local types = {}

function types.text(value, most)
  return type(value) == "string" and #value > 0 and #value <= most
end

function types.count(value, most)
  return type(value) == "number" and value >= 1 and value <= most and value % 1 == 0
end

return types
