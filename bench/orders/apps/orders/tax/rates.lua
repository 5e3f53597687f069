local rates = { DE = { [0] = 0.19, [1] = 0.07, [2] = 0.07 }, FR = { [0] = 0.2, [1] = 0.055, [2] = 0.1 } }

return function(country, kind)
  return (rates[country] or rates.DE)[kind]
end
