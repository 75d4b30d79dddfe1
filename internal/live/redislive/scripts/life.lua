-- Begins scripts that must know how long the data have lived: put before their text.
--
-- life(key) returns what the key holds, "<run id of the server> <microseconds of its
-- birth>", and its age in milliseconds. It begins a new life where the key is missing
-- (the data were emptied), names another server (a restart, a failover: the last writes
-- may be lost), or was born in the future (the clock went back).
local function life(key)
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local value = redis.call('GET', key)
  if value then
    local of, born = string.match(value, '^(%x+) (%d+)$')
    if of == run and tonumber(born) <= now then
      return value, (now - born) / 1000
    end
  end
  value = run .. ' ' .. string.format('%.0f', now)
  redis.call('SET', key, value)
  return value, 0
end
