import { APPEND, tried } from './commit-script.ts';

/**
 * Stores what has changed of a company's agents and queues, and the events that tell so, or nothing at all.
 *
 * KEYS  1 floor (hash)  2 agents (hash)  3 waiting calls (zset)  4 fence of the floor  5 event counter  6 event log
 *       (stream)                                                              all of one company: one slot
 * ARGV  1 fencing token of the writer  2 version that the floor must have now (0: none)  3 name of this commit
 *       4 events that the log may hold at most  5 '1' if this is all of the floor, and whatever else is there must go
 *       6 number of agents A, then A times: agentID, JSON or '' (forgotten);
 *       then number of waiting calls W, then W times: member, score or '' (waits no more);
 *       then per event: name, callID or '', thisDN or '', JSON without eventID
 * Answers as the commit of a call does: {1, version, eventID of the last event or 0}, {2, fence}, {3, version}.
 *
 * The events come first because only the first XADD can fail (see COMMIT).
 */
export const COMMIT_FLOOR = tried(
  (again) => `${APPEND}
local again = ${again}
local fence, seen = tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[4]) or '0')
if fence < seen then return {2, seen} end

local stored = redis.call('HMGET', KEYS[1], 'v', 't', 'e')
local version, expected = tonumber(stored[1] or '0'), tonumber(ARGV[2])
if version ~= expected then
  if version == expected + 1 and stored[2] == ARGV[3] then return {1, version, tonumber(stored[3])} end
  return {3, version}
end
version = version + 1

local firstWaiting = 7 + 2 * tonumber(ARGV[6])
local firstEvent = firstWaiting + 1 + 2 * tonumber(ARGV[firstWaiting])
local lastEvent = 0
if #ARGV >= firstEvent then lastEvent = tell(again, KEYS[5], KEYS[6], ARGV[4], firstEvent) end

if fence > seen then redis.call('SET', KEYS[4], ARGV[1]) end
if ARGV[5] == '1' then redis.call('DEL', KEYS[2], KEYS[3]) end
for i = 7, firstWaiting - 1, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[i]) else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
for i = firstWaiting + 1, firstEvent - 1, 2 do
  if ARGV[i + 1] == '' then redis.call('ZREM', KEYS[3], ARGV[i]) else redis.call('ZADD', KEYS[3], ARGV[i + 1], ARGV[i]) end
end
redis.call('HSET', KEYS[1], 'v', version, 't', ARGV[3], 'e', string.format('%.0f', lastEvent))
return {1, version, lastEvent}
`,
);
