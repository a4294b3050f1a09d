import { writing } from './redo-script.ts';

/**
 * Stores the next state of a contact. Of those that have ended the oldest go, beyond their number and their time, a
 * hundred at a time. Done again, it is written over any older state, and leaves a newer one alone.
 *
 * KEYS  1 contacts (hash: `<version> <JSON>`)  2 live ones (set)  3 ended ones (zset, Unix ms)
 * ARGV  1 id  2 version that it must have (0: none)  3 JSON  4 '1' if it has ended  5 now, Unix ms
 *       6 seconds that ended ones are kept  7 how many
 * Answers 1 stored, 3 it has another version.
 */
export const COMMIT_CONTACT = writing(`
local stored = redis.call('HGET', KEYS[1], ARGV[1])
local version, expected = 0, tonumber(ARGV[2])
if stored then version = tonumber(string.match(stored, '^(%d+) ')) end
local value = string.format('%d ', expected + 1) .. ARGV[3]
if version ~= expected and (not again or version > expected) then
  if stored == value then return 1 end
  return 3
end
redis.call('HSET', KEYS[1], ARGV[1], value)
if ARGV[4] ~= '1' then
  redis.call('SADD', KEYS[2], ARGV[1])
  return 1
end
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
local over = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[7])
local gone
if over > 0 then
  gone = redis.call('ZRANGE', KEYS[3], 0, math.min(over, 100) - 1)
else
  local oldest = string.format('%.0f', tonumber(ARGV[5]) - tonumber(ARGV[6]) * 1000)
  gone = redis.call('ZRANGE', KEYS[3], '-inf', oldest, 'BYSCORE', 'LIMIT', 0, 100)
end
for _, id in ipairs(gone) do
  redis.call('ZREM', KEYS[3], id)
  redis.call('HDEL', KEYS[1], id)
end
return 1
`);
