import type { PlacesAnswer, Room, SharedPlaces } from '../ports.ts';
import { StoreFault } from './errors.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, whole } from './reply.ts';
import { script } from './script.ts';

/** Field of a shard's places under which the token of the one who counts it stands; no limit has this name. */
const COUNTED_BY = '~';

/**
 * Takes one place under each limit, or none. A limit of calls per second is a bucket that holds one second's calls; what
 * it held last, and when, is in `rates`.
 *
 * KEYS  1 rates  2 places of the shard that asks  3 … places of the other shards
 * ARGV  1 token; then per limit: name, calls at once or '', calls per second or ''
 * Answers {1} taken, {0, number of the limit} full, {2} a shard is not counted, {3} another counts this shard.
 */
const TAKE = script(`
local names = {'${COUNTED_BY}'}
local sums = {}
for i = 2, #ARGV, 3 do
  names[#names + 1] = ARGV[i]
  sums[#sums + 1] = 0
end
for k = 2, #KEYS do
  local held = redis.call('HMGET', KEYS[k], unpack(names))
  if not held[1] then return {2} end
  if k == 2 and held[1] ~= ARGV[1] then return {3} end
  for m = 1, #sums do sums[m] = sums[m] + tonumber(held[m + 1] or '0') end
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local left = {}
for m = 1, #sums do
  local calls, perSecond = tonumber(ARGV[m * 3]), tonumber(ARGV[m * 3 + 1])
  if calls and sums[m] >= calls then return {0, m} end
  if perSecond then
    local bucket = redis.call('HMGET', KEYS[1], names[m + 1] .. ' left', names[m + 1] .. ' at')
    local since = math.max(0, now - tonumber(bucket[2] or '0'))
    left[m] = math.min(perSecond, tonumber(bucket[1] or perSecond) + since / 1000 * perSecond)
    if left[m] < 1 then return {0, m} end
  end
end
for m = 1, #sums do
  redis.call('HINCRBY', KEYS[2], names[m + 1], 1)
  if left[m] then
    redis.call('HSET', KEYS[1], names[m + 1] .. ' left', string.format('%.6f', left[m] - 1), names[m + 1] .. ' at', string.format('%.3f', now))
  end
end
return {1}
`);

/** KEYS 1 places of the shard. ARGV 1 token; then per limit: name, by how many. Answers 1 done, 0 another counts it. */
const CHANGE = script(`
if redis.call('HGET', KEYS[1], '${COUNTED_BY}') ~= ARGV[1] then return 0 end
for i = 2, #ARGV, 2 do
  if redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) <= 0 then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return 1
`);

/**
 * KEYS  1 places of the shard  2 last token of the shard
 * ARGV  1 token; then per limit: name, places
 * Answers 1 done, 0 another instance has the shard.
 */
const COUNT = script(`
local last = redis.call('GET', KEYS[2])
if last and last ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], '${COUNTED_BY}', ARGV[1])
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1
`);

/**
 * KEYS  1, 3, … places  2, 4, … last tokens of the same shards: all that there are
 * ARGV  the tokens under which the asking instance has them
 * Answers 1 done: nothing is counted here any more; 0 another instance has one of them.
 */
const COUNT_ALONE = script(`
for i = 2, #KEYS, 2 do
  local last = redis.call('GET', KEYS[i])
  if last and last ~= ARGV[i / 2] then return 0 end
end
for i = 1, #KEYS, 2 do redis.call('DEL', KEYS[i]) end
return 1
`);

/** The places of all instances' calls in Redis, a hash for each shard. Methods reject with StoreUnavailable while it is away. */
export class RedisPlaces implements SharedPlaces {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #shards: readonly string[];

  /** @param shards all shards of calls that there are */
  constructor(redis: RedisConnection, keys: Keys, shards: readonly string[]) {
    this.#redis = redis;
    this.#keys = keys;
    this.#shards = shards;
  }

  async take(shard: string, token: number, rooms: readonly Room[]): Promise<PlacesAnswer> {
    const others = this.#shards.filter((s) => s !== shard);
    const keys = [this.#keys.rates(), ...[shard, ...others].map((s) => this.#keys.shardPlaces(s))];
    const limits = rooms.flatMap(({ meter, calls, perSecond }) => [
      meter,
      String(calls ?? ''),
      String(perSecond ?? ''),
    ]);
    const [code, which] = list(await this.#redis.run(TAKE, keys, [String(token), ...limits])).map(whole);
    switch (code) {
      case 0:
        return { outcome: 'full', meter: rooms[(which ?? 1) - 1]?.meter ?? '' };
      case 1:
        return { outcome: 'taken' };
      case 2:
        return { outcome: 'uncounted' };
      case 3:
        return { outcome: 'not-ours' };
      default:
        throw new StoreFault(`the script of the places answered ${code}`);
    }
  }

  async change(shard: string, token: number, by: ReadonlyMap<string, number>): Promise<void> {
    await this.#redis.run(CHANGE, [this.#keys.shardPlaces(shard)], [String(token), ...flat(by)]);
  }

  async count(shard: string, token: number, places: ReadonlyMap<string, number>): Promise<boolean> {
    const keys = [this.#keys.shardPlaces(shard), this.#keys.shardLast(shard)];
    return whole(await this.#redis.run(COUNT, keys, [String(token), ...flat(places)])) === 1;
  }

  async countAlone(tokens: ReadonlyMap<string, number>): Promise<boolean> {
    const shards = [...tokens.keys()];
    const keys = shards.flatMap((s) => [this.#keys.shardPlaces(s), this.#keys.shardLast(s)]);
    return whole(await this.#redis.run(COUNT_ALONE, keys, [...tokens.values()].map(String))) === 1;
  }
}

const flat = (counts: ReadonlyMap<string, number>): string[] => [...counts].flatMap(([meter, n]) => [meter, String(n)]);
