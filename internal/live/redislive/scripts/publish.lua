-- Adds frames of one epoch to the buffer and tells every subscriber, in one message.
--
-- KEYS: ws:events:buffer
-- ARGV: channel ('' tells nobody: what the buffer has lost is put back), epoch, how many frames the buffer keeps, then for each frame its
--       position and its encoding, which begins with "<epoch> "
-- Result: 1; 0 when the buffer is of a higher epoch: then nothing is done.
--
-- A higher epoch empties the buffer. A position has one member, however often its frame
-- is published. The message is each encoding after its length and a colon.
local epoch = tonumber(ARGV[2])
local top = redis.call('ZRANGE', KEYS[1], -1, -1)
if top[1] then
  local have = tonumber(string.match(top[1], '^(%d+) ') or nil)
  if have and have > epoch then
    return 0
  end
  if have ~= epoch then
    redis.call('DEL', KEYS[1])
  end
end
local message = {}
for i = 4, #ARGV, 2 do
  local position, frame = ARGV[i], ARGV[i + 1]
  redis.call('ZREMRANGEBYSCORE', KEYS[1], position, position)
  redis.call('ZADD', KEYS[1], position, frame)
  message[#message + 1] = #frame .. ':' .. frame
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
if ARGV[1] ~= '' then
  redis.call('PUBLISH', ARGV[1], table.concat(message))
end
return 1
