local steps = { { 500, 390 }, { 2000, 490 }, { 10000, 990 } }

return function(grams, country)
  local abroad = country ~= "DE" and 500 or 0
  for _, step in ipairs(steps) do
    if grams <= step[1] then return step[2] + abroad end
  end
  return 1990 + abroad
end
