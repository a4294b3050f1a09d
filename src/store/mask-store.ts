import type { CompanyId } from '../cti/ids.ts';
import type { MaskStore } from '../ports.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { text, whole } from './reply.ts';
import { script } from './script.ts';

/** Numbers that may have a counterpart through one DID: two for each pair. */
const MOST = 10_000;

/**
 * KEYS  a hash for each DID of the pool: number to `<until> <counterpart>`
 * ARGV  1 one number  2 the other  3 until, ms  4 now, ms  5 most fields of a hash
 * Answers which KEY it is, from 1; 0 for none. The pair's own comes first, then the emptiest.
 */
const ALLOCATE = script(`
local a, b, till, now, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local function other(key, number)
  local value = redis.call('HGET', key, number)
  if not value then return nil end
  local ends, with = string.match(value, '^(%d+) (%d+)$')
  if tonumber(ends) <= now then
    redis.call('HDEL', key, number)
    return nil
  end
  return with
end
local best, fewest = 0, most
for i, key in ipairs(KEYS) do
  local ofA, ofB = other(key, a), other(key, b)
  if ofA == b and ofB == a then
    best = i
    break
  end
  if not ofA and not ofB then
    local taken = redis.call('HLEN', key)
    if taken + 2 > most then
      local all = redis.call('HGETALL', key)
      for n = 1, #all, 2 do other(key, all[n]) end
      taken = redis.call('HLEN', key)
    end
    if taken < fewest and taken + 2 <= most then best, fewest = i, taken end
  end
end
if best == 0 then return 0 end
local key = KEYS[best]
redis.call('HSET', key, a, till .. ' ' .. b, b, till .. ' ' .. a)
if redis.call('PTTL', key) < tonumber(till) - now then redis.call('PEXPIREAT', key, till) end
return best
`);

/** KEYS 1 the DID's hash. ARGV 1 one number  2 the other. Answers 1 released, 0 it was not theirs. */
const RELEASE = script(`
local function with(number) return string.match(redis.call('HGET', KEYS[1], number) or '', ' (%d+)$') end
if with(ARGV[1]) ~= ARGV[2] or with(ARGV[2]) ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1], ARGV[2])
return 1
`);

/** Masking numbers in Redis. All methods reject with StoreUnavailable while it is away. */
export class RedisMaskStore implements MaskStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async allocate(
    companyId: CompanyId,
    pool: readonly string[],
    [a, b]: readonly [string, string],
    until: number,
    now: number,
  ): Promise<string | undefined> {
    const keys = pool.map((did) => this.#keys.mask(companyId, did));
    const args = [a, b, String(until), String(now), String(MOST)];
    const chosen = whole(await this.#redis.run(ALLOCATE, keys, args));
    return chosen === 0 ? undefined : pool[chosen - 1];
  }

  async release(companyId: CompanyId, did: string, [a, b]: readonly [string, string]): Promise<boolean> {
    return whole(await this.#redis.run(RELEASE, [this.#keys.mask(companyId, did)], [a, b])) === 1;
  }

  async counterpart(companyId: CompanyId, did: string, caller: string, now: number): Promise<string | undefined> {
    const value = await this.#redis.command(['HGET', this.#keys.mask(companyId, did), caller]);
    if (value === null) return undefined;
    const [until = '', other] = text(value).split(' ');
    return Number(until) > now ? other : undefined;
  }
}
