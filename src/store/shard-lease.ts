import type { LeaseAnswer, LeaseState, Leases, Member, NodeDrain, Overview } from '../ports.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, text, whole } from './reply.ts';
import { script } from './script.ts';

/**
 * Lua: the next fencing token. It is a time of Redis's clock, Unix ms, so that tokens go on growing in a Redis that has
 * lost its counter; two in one millisecond differ by the counter.
 */
export const NEXT_TOKEN = `
local function nextToken(counterKey)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local token = math.max(now, tonumber(redis.call('GET', counterKey) or '0') + 1)
  redis.call('SET', counterKey, string.format('%.0f', token))
  return string.format('%.0f', token)
end
`;

/**
 * KEYS  1 lease (hash: owner, token, to)  2 token counter  3 last token of the shard
 * ARGV  1 owner  2 duration, ms
 * Answers {1, token} taken, {0, ms until the present lease runs out} held by another.
 */
const ACQUIRE = script(`${NEXT_TOKEN}
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return {0, redis.call('PTTL', KEYS[1])} end
local token = nextToken(KEYS[2])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', token)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[3], token)
return {1, token}
`);

/**
 * One sign of life: says that this instance is there, renews what it holds, and tells who else is there and who holds
 * what. A lease that ran out and that nobody has taken since goes on under the same token.
 *
 * KEYS  1 instances (zset: owner, until when, Unix ms)  2 what they say of themselves (hash)
 *       3 nodes that take no new calls (hash)  4, 6, … leases  5, 7, … last tokens of the same shards
 * ARGV  1 owner  2 what it says of itself  3 duration, ms; then per lease: the token under which it is held, or ''
 * Answers {owner, what it says, …}, {owner or '', to or '', PTTL, 1 renewed 0 lost -1 not asked, …}, {node, why, …}
 */
const BEAT = script(`
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
end
local members = redis.call('HGETALL', KEYS[2])
local leases = {}
for i = 4, #KEYS, 2 do
  local lease = redis.call('HMGET', KEYS[i], 'owner', 'token', 'to')
  local mine = ARGV[4 + (i - 4) / 2]
  local kept = -1
  if mine ~= '' then
    kept = 0
    if lease[1] == ARGV[1] and lease[2] == mine then
      kept = 1
    elseif not lease[1] then
      local last = redis.call('GET', KEYS[i + 1])
      if not last or last == mine then
        kept = 1
        redis.call('HSET', KEYS[i], 'owner', ARGV[1], 'token', mine)
        redis.call('SET', KEYS[i + 1], mine)
        lease = {ARGV[1], mine, false}
      end
    end
    if kept == 1 then redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
  end
  leases[#leases + 1] = lease[1] or ''
  leases[#leases + 1] = lease[3] or ''
  leases[#leases + 1] = redis.call('PTTL', KEYS[i])
  leases[#leases + 1] = kept
end
return {members, leases, redis.call('HGETALL', KEYS[3])}
`);

/**
 * KEYS 1 nodes that take no new calls (hash: node, what is told of it as JSON). ARGV 1 node  2 by whom  3 reason, or ''
 * Answers 1 noted, 0 it was noted already.
 */
const DRAIN_NODE = script(`
local time = redis.call('TIME')
local drain = {since = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000), by = ARGV[2]}
if ARGV[3] ~= '' then drain.reason = ARGV[3] end
return redis.call('HSETNX', KEYS[1], ARGV[1], cjson.encode(drain))
`);

/** KEYS 1 nodes that take no new calls. ARGV 1 node. */
const RESUME_NODE = script(`return redis.call('HDEL', KEYS[1], ARGV[1])`);

/** KEYS 1 lease. ARGV 1 owner  2 token  3 to whom it is offered, or ''. Answers 1 done, 0 it is not held. */
const OFFER = script(`
local lease = redis.call('HMGET', KEYS[1], 'owner', 'token')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], 'to') else redis.call('HSET', KEYS[1], 'to', ARGV[3]) end
return 1
`);

/**
 * KEYS  1 lease  2 token counter  3 last token of the shard
 * ARGV  1 owner  2 token  3 who has it next, or '' for nobody  4 duration, ms
 * Answers 1 given away, 0 it was not held.
 */
const GIVE = script(`${NEXT_TOKEN}
local lease = redis.call('HMGET', KEYS[1], 'owner', 'token')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
-- From here on the old token can no longer be gone on with.
local token = nextToken(KEYS[2])
redis.call('SET', KEYS[3], token)
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'owner', ARGV[3], 'token', token)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
`);

/** KEYS 1 instances  2 what they say of themselves. ARGV 1 owner. */
const LEAVE = script(`
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])
`);

/**
 * Who owns a shard, for a limited time, and which instances there are. A lease's token is the fence of the commits: one
 * that has run out unnoticed does no harm, because the next owner's token is higher. All methods reject with
 * StoreUnavailable while Redis is away.
 */
export class ShardLease implements Leases {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #owner: string;
  readonly #durationMs: number;

  /** @param owner names this process; no other has the same */
  constructor(redis: RedisConnection, keys: Keys, owner: string, durationMs: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#owner = owner;
    this.#durationMs = durationMs;
  }

  async beat(says: Member['says'], held: ReadonlyMap<string, number>, shards: readonly string[]): Promise<Overview> {
    const keys = [this.#keys.instances(), this.#keys.instanceFacts(), this.#keys.drainingNodes()];
    const args = [this.#owner, JSON.stringify(says), String(this.#durationMs)];
    for (const shard of shards) {
      keys.push(this.#keys.shardLease(shard), this.#keys.shardLast(shard));
      const fence = held.get(shard);
      args.push(fence === undefined ? '' : String(fence));
    }
    const [members, leases, draining] = list(await this.#redis.run(BEAT, keys, args));
    return {
      members: membersOf(list(members)),
      leases: leasesOf(shards, list(leases)),
      draining: drainingOf(list(draining)),
    };
  }

  /** Takes the lease if it is free or already this owner's; every success has a new and higher fence. */
  async acquire(shard: string): Promise<LeaseAnswer> {
    const args = [this.#owner, String(this.#durationMs)];
    const [taken, value] = list(await this.#redis.run(ACQUIRE, this.#keysOf(shard), args));
    return whole(taken) === 1
      ? { outcome: 'held', fence: whole(value) }
      : { outcome: 'taken', freeInMs: Math.max(0, whole(value)) };
  }

  async offer(shard: string, fence: number, to: string | undefined): Promise<boolean> {
    const args = [this.#owner, String(fence), to ?? ''];
    return whole(await this.#redis.run(OFFER, [this.#keys.shardLease(shard)], args)) === 1;
  }

  async give(shard: string, fence: number, to?: string): Promise<boolean> {
    const args = [this.#owner, String(fence), to ?? '', String(this.#durationMs)];
    return whole(await this.#redis.run(GIVE, this.#keysOf(shard), args)) === 1;
  }

  async leave(): Promise<void> {
    await this.#redis.run(LEAVE, [this.#keys.instances(), this.#keys.instanceFacts()], [this.#owner]);
  }

  async drainNode(node: string, by: string, reason: string | undefined): Promise<void> {
    await this.#redis.run(DRAIN_NODE, [this.#keys.drainingNodes()], [node, by, reason ?? '']);
  }

  async resumeNode(node: string): Promise<void> {
    await this.#redis.run(RESUME_NODE, [this.#keys.drainingNodes()], [node]);
  }

  #keysOf(shard: string): string[] {
    return [this.#keys.shardLease(shard), this.#keys.shardToken(), this.#keys.shardLast(shard)];
  }
}

function membersOf(flat: readonly unknown[]): Member[] {
  const members: Member[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    // Only BEAT writes this hash, and it writes what a Member says.
    members.push({ id: text(flat[i]), says: JSON.parse(text(flat[i + 1])) as Member['says'] });
  }
  return members;
}

function drainingOf(flat: readonly unknown[]): Map<string, NodeDrain> {
  const draining = new Map<string, NodeDrain>();
  for (let i = 0; i + 1 < flat.length; i += 2) {
    // Only DRAIN_NODE writes this hash.
    draining.set(text(flat[i]), JSON.parse(text(flat[i + 1])) as NodeDrain);
  }
  return draining;
}

function leasesOf(shards: readonly string[], flat: readonly unknown[]): LeaseState[] {
  return shards.map((shard, i) => {
    const [owner, to, ttl, kept] = flat.slice(i * 4, i * 4 + 4);
    return {
      shard,
      ...(owner !== '' && { owner: text(owner) }),
      ...(to !== '' && { to: text(to) }),
      freeInMs: Math.max(0, whole(ttl)),
      ...(whole(kept) >= 0 && { kept: whole(kept) === 1 }),
    };
  });
}
