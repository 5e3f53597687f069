local marks = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

return function(text)
  return (tostring(text):gsub('[&<>"]', marks))
end
