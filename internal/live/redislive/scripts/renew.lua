-- Prolongs leases that are held, and claims those that are missing or that a former
-- holder's stand in the place of.
--
-- KEYS: lease:panel:{id}
-- ARGV: time to live in milliseconds, milliseconds until a claim runs out, and for each
--       key: the fence, the term ("<fence> <holder>"), the claim ("<fence> ?<holder>")
-- Result: for each key 1: prolonged; 2: claimed, to be confirmed once PostgreSQL has said
-- that the fence is still the last one; 0: another's.
--
-- A term with a lower fence is a former one, whatever brought it back.
local result = {}
for i = 1, #KEYS do
  local fence, term, claim = tonumber(ARGV[3 * i]), ARGV[3 * i + 1], ARGV[3 * i + 2]
  local value = redis.call('GET', KEYS[i])
  local other = value and tonumber(string.match(value, '^(%d+) .') or nil)
  if value == term then
    redis.call('SET', KEYS[i], term, 'PX', ARGV[1])
    result[i] = 1
  elseif not other or value == claim or (other > 0 and other < fence) then
    redis.call('SET', KEYS[i], claim, 'PX', ARGV[2])
    result[i] = 2
  else
    result[i] = 0
  end
end
return result
