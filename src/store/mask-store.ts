import type { CompanyId } from '../cti/ids.ts';
import type { MaskStore } from '../ports.ts';
import type { Keys } from './keys.ts';
import type { Reading } from './redis-connection.ts';
import type { RedoLog } from './redo-log.ts';
import { writing } from './redo-script.ts';
import { text, whole } from './reply.ts';

/** Numbers that may have a counterpart through one DID: two for each pair. */
const MOST = 10_000;

/**
 * KEYS  a hash for each DID of the pool: number to `<until> <counterpart>`
 * ARGV  1 one number  2 the other  3 until, ms  4 now, ms  5 most fields of a hash
 * Answers which KEY it is, from 1; 0 for none. The pair's own comes first, then the emptiest.
 */
const ALLOCATE = writing(
  `
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
`,
  (answer) => answer !== 0,
);

/**
 * The pair through the DID that was chosen: the caller has been told.
 *
 * KEYS  1 the DID's hash
 * ARGV  as ALLOCATE, without the last
 * Answers 1; 0 where another pair's or a longer validity is there.
 */
const ALLOCATE_AGAIN = writing(`
local a, b, till, now = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local function free(number, with)
  local ends, other = string.match(redis.call('HGET', KEYS[1], number) or '0 ', '^(%d+) (%d*)$')
  return tonumber(ends) <= now or (other == with and tonumber(ends) <= tonumber(till))
end
if not free(a, b) or not free(b, a) then return 0 end
redis.call('HSET', KEYS[1], a, till .. ' ' .. b, b, till .. ' ' .. a)
if redis.call('PTTL', KEYS[1]) < tonumber(till) - now then redis.call('PEXPIREAT', KEYS[1], till) end
return 1
`);

/** KEYS 1 the DID's hash. ARGV 1 one number  2 the other. Answers 1 released, 0 it was not theirs. */
const RELEASE = writing(`
local function with(number) return string.match(redis.call('HGET', KEYS[1], number) or '', ' (%d+)$') end
if with(ARGV[1]) ~= ARGV[2] or with(ARGV[2]) ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1], ARGV[2])
return 1
`);

/** Masking numbers in Redis. All methods reject with StoreUnavailable while it is away. */
export class RedisMaskStore implements MaskStore {
  readonly #redis: Reading;
  readonly #redo: RedoLog;
  readonly #keys: Keys;

  constructor(redis: Reading, redo: RedoLog, keys: Keys) {
    this.#redis = redis;
    this.#redo = redo;
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
    const args = [a, b, String(until), String(now)];
    const answer = await this.#redo.write(companyId, ALLOCATE, keys, [...args, String(MOST)], (chosen) => ({
      script: ALLOCATE_AGAIN,
      keys: keys.slice(whole(chosen) - 1, whole(chosen)),
      args,
    }));
    const chosen = whole(answer);
    return chosen === 0 ? undefined : pool[chosen - 1];
  }

  async release(companyId: CompanyId, did: string, [a, b]: readonly [string, string]): Promise<boolean> {
    return whole(await this.#redo.write(companyId, RELEASE, [this.#keys.mask(companyId, did)], [a, b])) === 1;
  }

  async counterpart(companyId: CompanyId, did: string, caller: string, now: number): Promise<string | undefined> {
    const value = await this.#redis.command(['HGET', this.#keys.mask(companyId, did), caller]);
    if (value === null) return undefined;
    const [until = '', other] = text(value).split(' ');
    return Number(until) > now ? other : undefined;
  }
}
