-- Stores the states of panels, each if its (fence, seq) is above what is there. A state
-- of which a part is missing is replaced by an equal one too.
--
-- KEYS: panel:index, then for each panel its hashes session, zones, partitions, outputs,
--       troubles
-- ARGV: for each panel: id, fence, seq, microseconds of its last answer (0: never), and
--       for each hash, in the order of the keys, the number of values that follow and so
--       many fields and values in turn
-- Result: how many panels were stored.
--
-- All hashes carry fence and seq, so that a reader sees whether they belong together. The
-- last answer never goes back.
local arg, stored = 1, 0
for first = 2, #KEYS, 5 do
  local id, fence, seq, answered = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2], tonumber(ARGV[arg + 3])
  arg = arg + 4
  local newer, missing, equal = true, false, false
  for i = first, first + 4 do
    local have = redis.call('HMGET', KEYS[i], 'fence', 'seq')
    local f, s = tonumber(have[1] or nil), tonumber(have[2] or nil)
    if not f or not s then
      missing = true
    elseif f == tonumber(fence) and s == tonumber(seq) then
      equal = true
    elseif f > tonumber(fence) or f == tonumber(fence) and s > tonumber(seq) then
      newer = false
    end
  end
  if equal and not missing then
    newer = false
  end
  if newer then
    answered = math.max(answered, tonumber(redis.call('HGET', KEYS[first], 'answered_at') or 0))
  end
  for i = first, first + 4 do
    local count = tonumber(ARGV[arg])
    if newer then
      redis.call('DEL', KEYS[i])
      redis.call('HSET', KEYS[i], 'fence', fence, 'seq', seq, unpack(ARGV, arg + 1, arg + count))
    end
    arg = arg + 1 + count
  end
  if newer then
    redis.call('HSET', KEYS[first], 'answered_at', string.format('%.0f', answered))
    redis.call('SADD', KEYS[1], id)
    stored = stored + 1
  end
end
return stored
