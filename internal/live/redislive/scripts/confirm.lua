-- Makes claims leases.
--
-- KEYS: lease:panel:{id}
-- ARGV: time to live in milliseconds, and for each key: the claim, the term
-- Result: for each key 1: held; 0: the claim has run out, or is another's.
local result = {}
for i = 1, #KEYS do
  local claim, term = ARGV[2 * i], ARGV[2 * i + 1]
  local value = redis.call('GET', KEYS[i])
  if value == claim or value == term then
    redis.call('SET', KEYS[i], term, 'PX', ARGV[1])
    result[i] = 1
  else
    result[i] = 0
  end
end
return result
