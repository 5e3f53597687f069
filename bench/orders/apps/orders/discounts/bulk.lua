return function(line, article)
  if line.quantity >= 100 then return article.cents * line.quantity * 0.12 end
  if line.quantity >= 10 then return article.cents * line.quantity * 0.05 end
  return 0
end
