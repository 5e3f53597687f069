return function(text)
  return (text:gsub("^%s+", ""):gsub("%s+$", ""))
end
