-- Notes when panels last answered; a panel without a state stays without one.
--
-- KEYS: for each panel its hash session
-- ARGV: for each panel: fence, microseconds of its last answer
-- Result: how many panels were touched. A former holder's word (a lower fence) does not
-- count, and an answer never goes back.
local touched = 0
for i = 1, #KEYS do
  local have = redis.call('HMGET', KEYS[i], 'fence', 'answered_at')
  local fence, answered = tonumber(have[1] or nil), tonumber(have[2] or 0)
  if fence and tonumber(ARGV[2 * i - 1]) >= fence and tonumber(ARGV[2 * i]) > answered then
    redis.call('HSET', KEYS[i], 'answered_at', ARGV[2 * i])
    touched = touched + 1
  end
end
return touched
