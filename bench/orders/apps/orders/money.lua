local money = {}

function money.round(cents)
  return math.floor(cents + 0.5)
end

function money.show(cents)
  return string.format("%d.%02d", math.floor(cents / 100), cents % 100)
end

return money
