local audit = { orders = 0, cents = 0 }

function audit.note(order, sums)
  audit.orders = audit.orders + 1
  audit.cents = (audit.cents + sums.total) % 100000000
  audit.last = order.customer
end

return audit
