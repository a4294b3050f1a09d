import { type Script, script } from './script.ts';

/** A commit as it is sent at first, and once an earlier try of it was sent and got no answer. */
export interface Tried {
  readonly first: Script;
  readonly again: Script;
}

/** @param text of the script, by whether it is tried again */
export const tried = (text: (again: boolean) => string): Tried => ({
  first: script(text(false)),
  again: script(text(true)),
});

/** What the commit script answers with first. */
export const COMMIT_CODE = { stored: 1, fenced: 2, conflict: 3 } as const;

/** Entries of the log, the newest, among which a commit that is tried again looks for its events. */
const LOOK_BACK = 1_000;

/**
 * Lua: appends events from ARGV[first] on, four values each, and returns the new counter. May fail only at its first XADD.
 *
 * `tell` does so too, but where this is another try (`again`) and the events stand in the log already, one after the other,
 * it leaves them there and returns the last one's id. So it can be: they were stored and heard, Redis lost the commit with
 * them, and whoever heard them has put them back before.
 */
export const APPEND = `
local function append(counterKey, streamKey, maxEvents, first)
  local id = tonumber(redis.call('GET', counterKey) or '0')
  local before = id
  for i = first, #ARGV, 4 do
    id = id + 1
    redis.call('XADD', streamKey, 'MAXLEN', '~', maxEvents, string.format('%.0f-0', id),
      'n', ARGV[i], 'c', ARGV[i + 1], 'd', ARGV[i + 2], 'j', ARGV[i + 3])
  end
  if id > before then redis.call('SET', counterKey, string.format('%.0f', id)) end
  return id
end
local function stands(entry, at)
  if not entry then return false end
  local f = entry[2]
  return f[2] == ARGV[at] and f[4] == ARGV[at + 1] and f[8] == ARGV[at + 3]
end
local function tell(again, counterKey, streamKey, maxEvents, first)
  if again then
    local entries = redis.call('XREVRANGE', streamKey, '+', '-', 'COUNT', ${LOOK_BACK})
    local last = #ARGV - 3
    for i = 1, #entries do
      local at, n = last, i
      while at >= first and stands(entries[n], at) do
        at = at - 4
        n = n + 1
      end
      if at < first then return tonumber(string.match(entries[i][1], '^%d+')) end
    end
  end
  return append(counterKey, streamKey, maxEvents, first)
end
`;

/** Lua: writes a call, its place among the live ones and its timers; KEYS as in COMMIT, timers from ARGV[firstTimer] on. */
export const KEEP_CALL = `
local function keepCall(version, token, lastEvent, json, ended, seconds, callID, firstTimer, lastTimer)
  local before = redis.call('HGET', KEYS[1], 'n')
  if before and before ~= '' then
    for name in string.gmatch(before, '[^,]+') do redis.call('ZREM', KEYS[3], callID .. ':' .. name) end
  end
  local names = {}
  for i = firstTimer, lastTimer, 2 do
    redis.call('ZADD', KEYS[3], ARGV[i + 1], callID .. ':' .. ARGV[i])
    names[#names + 1] = ARGV[i]
  end
  redis.call('HSET', KEYS[1], 'v', version, 't', token, 'e', lastEvent, 'n', table.concat(names, ','), 'd', json)
  if ended == '1' then
    redis.call('SREM', KEYS[2], callID)
    redis.call('EXPIRE', KEYS[1], seconds)
  else
    redis.call('SADD', KEYS[2], callID)
  end
end
`;

/**
 * Stores a call's next state, its timers and its events, or nothing at all.
 *
 * KEYS  1 call (hash)  2 live calls of the shard (set)  3 timers of the shard (zset)  4 fence of the shard
 *       5 event counter  6 event log (stream)                                     all of one company: one slot
 * ARGV  1 fencing token of the writer  2 version that the call must have now (0: none)  3 name of this commit
 *       4 the call as JSON  5 '1' if the call has ended  6 seconds that an ended call is kept  7 callID
 *       8 events that the log may hold at most  9 number of timers T, then T times: name, due (Unix ms);
 *       then per event: name, callID or '', thisDN or '', JSON without eventID
 * Answers
 *   {1, version, eventID of the last event or 0}  stored, now or already by a commit of the same name
 *   {2, fence}    a higher fencing token has been seen: nothing stored
 *   {3, version}  the call has another version: nothing stored
 *
 * Redis does not roll a failed script back. The only write that can fail is the first XADD (a log that is ahead of its
 * counter), so the events come first.
 */
const commit = (again: boolean): string => `${APPEND}${KEEP_CALL}
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

local timers = tonumber(ARGV[9])
local firstEvent = 10 + 2 * timers
local lastEvent = 0
if #ARGV >= firstEvent then lastEvent = tell(again, KEYS[5], KEYS[6], ARGV[8], firstEvent) end

if fence > seen then redis.call('SET', KEYS[4], ARGV[1]) end

keepCall(version, ARGV[3], string.format('%.0f', lastEvent), ARGV[4], ARGV[5], ARGV[6], ARGV[7], 10, firstEvent - 1)
return {1, version, lastEvent}
`;

/** Stores a call: see above. */
export const COMMIT = tried(commit);

/**
 * Appends events that belong to no stored call.
 *
 * KEYS  1 event counter  2 event log (stream)
 * ARGV  1 events that the log may hold at most; then per event: name, callID or '', thisDN or '', JSON without eventID
 * Answers the eventID of the last event.
 */
export const APPEND_EVENTS = script(`${APPEND}
return append(KEYS[1], KEYS[2], ARGV[1], 2)
`);

/**
 * Raises the fence of a shard in one company, so that its earlier owner is refused from now on.
 *
 * KEYS  1 fence of the shard
 * ARGV  1 fencing token
 * Answers the fence: the token, or a higher one that was there.
 */
export const RAISE_FENCE = script(`
local seen = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) <= seen then return seen end
redis.call('SET', KEYS[1], ARGV[1])
return tonumber(ARGV[1])
`);

/**
 * Takes out of the log what it need no longer keep: events that are older than the age and not among the newest ones.
 * Ages are known from marks (eventID, and when it was the newest), one per sixtieth of the age, by Redis's own clock.
 *
 * KEYS  1 event counter  2 event log (stream)  3 marks (zset: member eventID, score Unix ms)
 * ARGV  1 age, ms  2 newest events that stay whatever their age  3 events to take out at most in this run
 * Answers how many events were taken out; whole nodes of the stream only, so a few stay longer than they must.
 */
export const TRIM_EVENTS = script(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
if last == 0 then return 0 end
local age = tonumber(ARGV[1])

local mark = redis.call('ZRANGE', KEYS[3], -1, -1, 'WITHSCORES')
if not mark[1] or (tonumber(mark[2]) <= now - age / 60 and tonumber(mark[1]) < last) then
  redis.call('ZADD', KEYS[3], string.format('%.0f', now), string.format('%.0f', last))
end

local old = redis.call('ZRANGE', KEYS[3], string.format('%.0f', now - age), '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 1)
if not old[1] then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', '(' .. redis.call('ZSCORE', KEYS[3], old[1]))
local firstKept = math.min(tonumber(old[1]), last - tonumber(ARGV[2])) + 1
if firstKept <= 1 then return 0 end
return redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f-0', firstKept), 'LIMIT', ARGV[3])
`);
