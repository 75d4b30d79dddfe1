-- Says how new the states of panels are.
--
-- KEYS: for each panel its hashes session, zones, partitions, outputs, troubles
-- Result: for each panel its fence, seq, and microseconds of its last answer; empty texts
-- where it has no state, or one whose parts don't belong together.
local result = {}
for first = 1, #KEYS, 5 do
  local have = redis.call('HMGET', KEYS[first], 'fence', 'seq', 'answered_at')
  local fence, seq = have[1], have[2]
  for i = first + 1, first + 4 do
    local other = redis.call('HMGET', KEYS[i], 'fence', 'seq')
    if other[1] ~= fence or other[2] ~= seq then
      fence = false
    end
  end
  result[#result + 1] = fence or ''
  result[#result + 1] = fence and seq or ''
  result[#result + 1] = fence and have[3] or ''
end
return result
