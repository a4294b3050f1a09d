import type { Keys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, whole } from './reply.ts';
import { script } from './script.ts';

/**
 * KEYS  1 lease (hash: owner, token)  2 token counter
 * ARGV  1 owner  2 duration, ms
 * Answers {1, token} taken, {0, ms until the present lease runs out} held by another.
 */
const ACQUIRE = script(`
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then return {0, redis.call('PTTL', KEYS[1])} end
local token = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', token)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1, token}
`);

/** KEYS 1 lease. ARGV 1 owner  2 token  3 duration, ms. Answers 1 renewed, 0 no longer held. */
const RENEW = script(`
local lease = redis.call('HMGET', KEYS[1], 'owner', 'token')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
`);

/** KEYS 1 lease. ARGV 1 owner  2 token. Answers 1 given back, 0 it was not held. */
const RELEASE = script(`
local lease = redis.call('HMGET', KEYS[1], 'owner', 'token')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return 0 end
return redis.call('DEL', KEYS[1])
`);

/** What came of asking for a lease. */
export type LeaseAnswer =
  | { readonly outcome: 'held'; readonly fence: number }
  /** `freeInMs`: after so long it is free, unless its owner renews it. */
  | { readonly outcome: 'taken'; readonly freeInMs: number };

/**
 * Who owns a shard, for a limited time. Its token is the fence of the commits: a lease that has run out unnoticed does
 * no harm, because the next owner's token is higher. All methods reject with StoreUnavailable while Redis is away.
 */
export class ShardLease {
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

  /** Takes the lease if it is free or already this owner's; every success has a new and higher fence. */
  async acquire(shard: string): Promise<LeaseAnswer> {
    const keys = [this.#keys.shardLease(shard), this.#keys.shardToken()];
    const [taken, value] = list(await this.#redis.run(ACQUIRE, keys, [this.#owner, String(this.#durationMs)]));
    return whole(taken) === 1
      ? { outcome: 'held', fence: whole(value) }
      : { outcome: 'taken', freeInMs: Math.max(0, whole(value)) };
  }

  /** @returns whether the lease is still this owner's, and now lasts its full time again */
  async renew(shard: string, fence: number): Promise<boolean> {
    const args = [this.#owner, String(fence), String(this.#durationMs)];
    return whole(await this.#redis.run(RENEW, [this.#keys.shardLease(shard)], args)) === 1;
  }

  /** Gives the lease back; giving back what is no longer held does nothing. @returns whether it was held */
  async release(shard: string, fence: number): Promise<boolean> {
    return whole(await this.#redis.run(RELEASE, [this.#keys.shardLease(shard)], [this.#owner, String(fence)])) === 1;
  }
}
