-- Gives leases or claims back, each only if it is still the one meant.
--
-- KEYS: lease:panel:{id}
-- ARGV: for each key its value: a term or a claim
-- Result: how many were given back.
local released = 0
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[i] then
    released = released + redis.call('DEL', KEYS[i])
  end
end
return released
