import { writing } from './redo-script.ts';

/**
 * Lua that keeps one campaigncall of a flow: its JSON by its id, and its place in the order in which they came about. The
 * place is the moment in microseconds, moved on where two would share it: it is unique in the company and only grows.
 * Beyond their number, or older than they are kept for, the oldest go, a hundred at a time. One that has gone does not
 * come back.
 *
 * docs: hash by id; order: zset; last: the highest place given out; now: Unix ms; seconds, most: how long and how many
 * are kept; fresh: '1' where it may be a new one, 'only' where one that is there stays as it is
 */
export const KEEP_CAMPAIGNCALL = `
local function keepCampaigncall(docs, order, last, id, json, now, seconds, most, fresh)
  if redis.call('HEXISTS', docs, id) == 1 then
    if fresh ~= 'only' then redis.call('HSET', docs, id, json) end
    return
  end
  if fresh == '0' then return end
  local place = math.max(tonumber(now) * 1000, tonumber(redis.call('GET', last) or '0') + 1)
  redis.call('SET', last, string.format('%.0f', place))
  redis.call('HSET', docs, id, json)
  redis.call('ZADD', order, string.format('%.0f', place), id)
  local over = redis.call('ZCARD', order) - tonumber(most)
  local gone
  if over > 0 then
    gone = redis.call('ZRANGE', order, 0, math.min(over, 100) - 1)
  else
    local oldest = string.format('%.0f', (tonumber(now) - tonumber(seconds) * 1000) * 1000)
    gone = redis.call('ZRANGE', order, '-inf', oldest, 'BYSCORE', 'LIMIT', 0, 100)
  end
  for _, old in ipairs(gone) do
    redis.call('ZREM', order, old)
    redis.call('HDEL', docs, old)
  end
  redis.call('EXPIRE', docs, seconds)
  redis.call('EXPIRE', order, seconds)
end
`;

/**
 * Adds a campaigncall that is not there yet.
 *
 * KEYS  1 campaigncalls of the flow (hash)  2 their order (zset)  3 highest place
 * ARGV  1 id  2 JSON  3 now, Unix ms  4 seconds that it is kept  5 how many are kept
 * Answers 1.
 */
export const ADD_CAMPAIGNCALL = writing(`${KEEP_CAMPAIGNCALL}
keepCampaigncall(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], 'only')
return 1
`);
