import { APPEND, KEEP_CALL } from './commit-script.ts';
import { script } from './script.ts';

/**
 * What Redis has lost (a restart at `appendfsync everysec`, a fail-over) is written again from the memory of the process
 * that wrote it. Each of these changes nothing where nothing is missing.
 */

/**
 * KEYS  1 call (hash)  2 live calls of the shard (set)  3 timers of the shard (zset)  4 fence of the shard
 * ARGV  1 fencing token of the writer  2 version  3 name of the commit that made it  4 the call as JSON  5 '1' if it has
 *       ended  6 seconds that an ended call is kept  7 callID  8 eventID of that commit's last event; then timers: name, due
 * Answers 1 where it was missing and is written, 0 where Redis has this version or a later one, or a higher fence.
 */
export const RESTORE_CALL = script(`${KEEP_CALL}
if tonumber(ARGV[1]) < tonumber(redis.call('GET', KEYS[4]) or '0') then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'v') or '0') >= tonumber(ARGV[2]) then return 0 end
keepCall(ARGV[2], ARGV[3], ARGV[8], ARGV[4], ARGV[5], ARGV[6], ARGV[7], 9, #ARGV)
return 1
`);

/**
 * KEYS  1 floor (hash)  2 agents (hash)  3 waiting calls (zset)  4 fence of the floor
 * ARGV  1 fencing token of the writer  2 version  3 name of the commit that made it  4 eventID of its last event
 *       5 number of agents A, then A times: agentID, JSON or ''; then times: member, score or ''
 * Answers as RESTORE_CALL.
 */
export const RESTORE_FLOOR = script(`
if tonumber(ARGV[1]) < tonumber(redis.call('GET', KEYS[4]) or '0') then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'v') or '0') >= tonumber(ARGV[2]) then return 0 end
local firstWaiting = 6 + 2 * tonumber(ARGV[5])
for i = 6, firstWaiting - 1, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[i]) else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
for i = firstWaiting, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('ZREM', KEYS[3], ARGV[i]) else redis.call('ZADD', KEYS[3], ARGV[i + 1], ARGV[i]) end
end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 't', ARGV[3], 'e', ARGV[4])
return 1
`);

/**
 * Puts events back under their own ids, also between later ones that another process has put back first, and the counter
 * to where no id that was ever given can be given again. Where the log has another event under an id (another process went
 * on without what was lost) nothing is put back from there on, and the counter stays.
 *
 * KEYS  1 event counter  2 event log (stream)
 * ARGV  1 events that the log may hold at most  2 highest eventID that is known; then per event, in order: eventID, name,
 *       callID or '', thisDN or '', JSON without eventID
 * Answers {events put back, counter before, first eventID that is another event's or 0}.
 */
export const RESTORE_EVENTS = script(`
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local function idOf(entry) return tonumber(string.match(entry[1], '^%d+')) end
-- In a log that is full what is older than its first event was dropped, and is not wanted.
local oldest = first[1] and redis.call('XLEN', KEYS[2]) >= tonumber(ARGV[1]) and idOf(first[1]) or 0
local last = newest[1] and idOf(newest[1]) or 0
local function add(id, n, c, d, j)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], id .. '-0', 'n', n, 'c', c, 'd', d, 'j', j)
  last = tonumber(id)
end

-- Later entries that were taken out to put something in before them; they follow in their turn.
local later, nextLater = {}, 1
local function takeOut(id)
  later = redis.call('XRANGE', KEYS[2], id .. '-0', '+')
  for _, entry in ipairs(later) do redis.call('XDEL', KEYS[2], entry[1]) end
  redis.call('XSETID', KEYS[2], string.format('%.0f-0', id - 1))
  last = id - 1
end
local function putLater(upTo)
  while later[nextLater] and idOf(later[nextLater]) <= upTo do
    local entry = later[nextLater]
    add(string.format('%.0f', idOf(entry)), entry[2][2], entry[2][4], entry[2][6], entry[2][8])
    nextLater = nextLater + 1
  end
end

local restored, other = 0, 0
for i = 3, #ARGV, 5 do
  local id = tonumber(ARGV[i])
  putLater(id)
  local there = id <= last and redis.call('XRANGE', KEYS[2], ARGV[i] .. '-0', ARGV[i] .. '-0')[1]
  if there and there[2][8] ~= ARGV[i + 4] then
    other = id
    break
  end
  if not there and id > oldest then
    if id <= last then takeOut(id) end
    add(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
    restored = restored + 1
  end
end
putLater(math.huge)
local counter = tonumber(redis.call('GET', KEYS[1]) or '0')
if other == 0 and tonumber(ARGV[2]) > counter then redis.call('SET', KEYS[1], ARGV[2]) end
return {restored, counter, other}
`);

/**
 * Appends events that were stored in a log that Redis has given up, under new ids, unless another owner has taken over what
 * they are about: he tells it himself.
 *
 * KEYS  1 event counter  2 event log (stream)  3 fence (only where somebody owns what they are about)
 * ARGV  1 events that the log may hold at most  2 fencing token of the writer; then per event: name, callID or '', thisDN
 *       or '', JSON without eventID
 * Answers the eventID of the last event, 0 where a higher fence is there.
 */
export const APPEND_AGAIN = script(`${APPEND}
if KEYS[3] and tonumber(ARGV[2]) < tonumber(redis.call('GET', KEYS[3]) or '0') then return 0 end
return append(KEYS[1], KEYS[2], ARGV[1], 3)
`);

/**
 * KEYS  1 token counter, over all shards
 * ARGV  1 a token that was given out
 * Answers the counter as it was.
 */
export const RAISE_TOKEN = script(`
local counter = tonumber(redis.call('GET', KEYS[1]) or '0')
if counter < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return counter
`);
