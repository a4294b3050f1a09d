import { KEEP_CAMPAIGNCALL } from './campaigncall-script.ts';
import { writing } from './redo-script.ts';

/** What the dialler's scripts answer with. */
export const DIALER_CODE = { done: 1, notLeading: 2, conflict: 3, noBalance: 4, barred: 5 } as const;

/**
 * Stores a request with all its calls, or nothing. Done again, it leaves calls alone that have come on since: the instance
 * that claimed them may have been here before.
 *
 * KEYS  1 checksum  2 request  3 queue of the flow  then one key for each call
 * ARGV  1 seconds that the checksum is remembered  2 request as JSON  3 seconds that the request is kept
 *       then for each call: uuid, JSON, place in the queue or '', seconds that it is kept or ''
 * Answers 1 stored, 0 the checksum is known.
 */
export const ACCEPT = writing(`
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
for i = 4, #KEYS do
  local at = 4 + (i - 4) * 4
  if not again or redis.call('EXISTS', KEYS[i]) == 0 then
    redis.call('HSET', KEYS[i], 'v', 1, 'd', ARGV[at + 1])
    if ARGV[at + 2] ~= '' then redis.call('ZADD', KEYS[3], ARGV[at + 2], ARGV[at]) end
    if ARGV[at + 3] ~= '' then redis.call('EXPIRE', KEYS[i], ARGV[at + 3]) end
  end
end
return 1
`);

/**
 * Stores the next state of one call, its place in its flow's queue, and what it has to tell.
 *
 * Done again, it is history: it counts although another instance may lead by now. The call is written where Redis has an
 * older state of it, whichever, and left alone where it has a newer one; what was told, paid and counted was so in any case.
 *
 * KEYS  1 lead  2 call  3 queue of its flow  4 active calls (set)  5 newest event seen  6 messages of the call (list)
 *       7 calls with messages (zset)  8 balance of its account  9 campaigncalls of the flow  10 their order
 *       11 highest place of a campaigncall  12 counts of its flow on that day (hash)  13 black list of its account
 *       14 white list  15 DND list
 * ARGV  1 token  2 version that it must have  3 uuid  4 JSON  5 place in the queue or ''  6 '1' if it is active
 *       7 seconds that it is kept from now, or ''  8 eventID seen or ''  9 message or ''  10 now, Unix ms
 *       11 '1' if the balance pays for it, '-1' if it gets one back  12 campaigncall's id or ''  13 its JSON
 *       14 seconds that it is kept  15 how many are kept  16 '1' if it may be a new one, else '0'
 *       17 number that is about to be called, or ''  18 '1' if it must be on the white list  19 '1' if it must not be on the
 *       DND list  20 seconds that the counts are kept, if it counts; then name and increment in turn
 * Answers 1 stored, 2 another instance leads, 3 it has another version, 4 nothing is left of the balance, 5 a list keeps
 * the number from being called.
 */
export const COMMIT_DIALER_CALL = writing(`${KEEP_CAMPAIGNCALL}
if not again and redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 2 end
local version = tonumber(redis.call('HGET', KEYS[2], 'v') or '0')
local expected = tonumber(ARGV[2])
if version ~= expected and not again then return 3 end
if ARGV[17] ~= '' and not again then
  if redis.call('ZSCORE', KEYS[13], ARGV[17]) then return 5 end
  local white = redis.call('ZSCORE', KEYS[14], ARGV[17])
  if ARGV[18] == '1' and not white then return 5 end
  if ARGV[19] == '1' and not white and redis.call('ZSCORE', KEYS[15], ARGV[17]) then return 5 end
end
if ARGV[11] == '1' then
  local left = redis.call('GET', KEYS[8])
  if left and tonumber(left) <= 0 and not again then return 4 end
  if left then redis.call('DECR', KEYS[8]) end
elseif ARGV[11] == '-1' and redis.call('EXISTS', KEYS[8]) == 1 then
  redis.call('INCR', KEYS[8])
end
if version <= expected then
  redis.call('HSET', KEYS[2], 'v', expected + 1, 'd', ARGV[4])
  if ARGV[5] == '' then redis.call('ZREM', KEYS[3], ARGV[3]) else redis.call('ZADD', KEYS[3], ARGV[5], ARGV[3]) end
  if ARGV[6] == '1' then redis.call('SADD', KEYS[4], ARGV[3]) else redis.call('SREM', KEYS[4], ARGV[3]) end
  if ARGV[7] ~= '' then redis.call('EXPIRE', KEYS[2], ARGV[7]) end
  if ARGV[12] ~= '' then
    keepCampaigncall(KEYS[9], KEYS[10], KEYS[11], ARGV[12], ARGV[13], ARGV[10], ARGV[14], ARGV[15], ARGV[16])
  end
end
if ARGV[8] ~= '' and (not again or tonumber(ARGV[8]) > tonumber(redis.call('GET', KEYS[5]) or '0')) then
  redis.call('SET', KEYS[5], ARGV[8])
end
if ARGV[9] ~= '' then
  redis.call('RPUSH', KEYS[6], ARGV[9])
  redis.call('ZADD', KEYS[7], 'NX', ARGV[10], ARGV[3])
end
if ARGV[20] then
  for i = 21, #ARGV, 2 do redis.call('HINCRBY', KEYS[12], ARGV[i], ARGV[i + 1]) end
  redis.call('EXPIRE', KEYS[12], ARGV[20])
end
return 1
`);

/** KEYS 1 lead  2 newest event seen. ARGV 1 token  2 eventID. Answers 1, or 2 where another instance leads; again: 0 where it is known. */
export const SET_SEEN = writing(`
if not again and redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 2 end
if again and tonumber(ARGV[2]) <= tonumber(redis.call('GET', KEYS[2]) or '0') then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
return 1
`);

/**
 * What became of the first message of a call. Done again, it counts although another instance may lead by now.
 *
 * KEYS  1 lead  2 messages of the call (list)  3 calls with messages (zset)  4 failures (hash)  5 dead letters of the flow
 * ARGV  1 token  2 uuid  3 'done', 'again' or 'dead'  4 when the next one is due, Unix ms  5 dead letters kept at most
 *       6 the message
 * Answers 1, 0 where it is not the first any more and nothing is changed, or 2 where another instance leads.
 */
export const SETTLE_MESSAGE = writing(`
if not again and redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 2 end
if redis.call('LINDEX', KEYS[2], 0) ~= ARGV[6] then return 0 end
if ARGV[3] == 'again' then
  redis.call('HINCRBY', KEYS[4], ARGV[2], 1)
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[2])
  return 1
end
local message = redis.call('LPOP', KEYS[2])
redis.call('HDEL', KEYS[4], ARGV[2])
if ARGV[3] == 'dead' then
  redis.call('RPUSH', KEYS[5], ARGV[2] .. ' ' .. message)
  redis.call('LTRIM', KEYS[5], -tonumber(ARGV[5]), -1)
end
if redis.call('LLEN', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[3], ARGV[2])
else
  redis.call('ZADD', KEYS[3], ARGV[4], ARGV[2])
end
return 1
`);

/**
 * Puts one dead letter back, behind what waits of the same call.
 *
 * KEYS  1 dead letters of the flow  2 messages of the call  3 calls with messages
 * ARGV  1 the letter as it is in the list  2 uuid  3 message  4 now, Unix ms
 * Answers 1, or 0 where somebody else has put it back already.
 */
export const REVIVE = writing(`
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[3])
redis.call('ZADD', KEYS[3], 'NX', ARGV[4], ARGV[2])
return 1
`);

/**
 * What an operator has set a flow to.
 *
 * KEYS 1 states (hash). ARGV 1 flow  2 its state as JSON, with `since`. Answers 1; again: 0 where a later one is there.
 */
export const SET_FLOW_STATE = writing(`
if again then
  local there = redis.call('HGET', KEYS[1], ARGV[1])
  if there and (cjson.decode(there).since or 0) > (cjson.decode(ARGV[2]).since or 0) then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`);

/** KEYS 1 balance of an account. ARGV 1 what it is where there is none yet. Answers {1 set 0 not, the balance}. */
export const BALANCE = writing(
  `
local first = redis.call('SET', KEYS[1], ARGV[1], 'NX')
return {first and 1 or 0, redis.call('GET', KEYS[1])}
`,
  (answer) => Array.isArray(answer) && answer[0] === 1,
);
