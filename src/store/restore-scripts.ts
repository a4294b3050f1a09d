import { KEEP_CALL } from './commit-script.ts';
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
 * Puts events back under their own ids, and the counter to where no id that was ever given can be given again.
 *
 * KEYS  1 event counter  2 event log (stream)
 * ARGV  1 events that the log may hold at most  2 highest eventID that is known; then per event, in order: eventID, name,
 *       callID or '', thisDN or '', JSON without eventID
 * Answers {events put back, counter before}.
 */
export const RESTORE_EVENTS = script(`
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
local last = newest[1] and tonumber(string.match(newest[1][1], '^%d+')) or 0
local restored = 0
for i = 3, #ARGV, 5 do
  if tonumber(ARGV[i]) > last then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], ARGV[i] .. '-0',
      'n', ARGV[i + 1], 'c', ARGV[i + 2], 'd', ARGV[i + 3], 'j', ARGV[i + 4])
    restored = restored + 1
  end
end
local counter = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[2]) > counter then redis.call('SET', KEYS[1], ARGV[2]) end
return {restored, counter}
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
