-- Reserves panels that nobody holds, for an asker who then gets their fences elsewhere.
--
-- KEYS: live:life, then lease:panel:{id} of each candidate, in the order of preference
-- ARGV: the claim to leave there, how many panels at most, milliseconds until a claim
--       runs out, milliseconds of a new life in which absent holders are waited for, and
--       for each candidate 1 if somebody else was its last holder, else 0
-- Result: the numbers of the candidates reserved, from 1.
--
-- While the data's life is young a panel's holder may not have been able to put its lease
-- back yet: such panels are left to it. What is neither a term nor a claim is nobody's.
local _, age = life(KEYS[1])
local young = age < tonumber(ARGV[4])
local reserved = {}
for i = 2, #KEYS do
  if #reserved == tonumber(ARGV[2]) then
    break
  end
  local value = redis.call('GET', KEYS[i])
  local free = not value or not string.match(value, '^%d+ .')
  if value == ARGV[1] or (free and not (young and ARGV[3 + i] == '1')) then
    redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[3])
    reserved[#reserved + 1] = i - 1
  end
end
return reserved
