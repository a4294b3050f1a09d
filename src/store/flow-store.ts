import type { CompanyId } from '../cti/ids.ts';
import type { FlowChange, FlowChangeResult, FlowStore, StoredFlow } from '../ports.ts';
import { StoreFault } from './errors.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, text, whole } from './reply.ts';
import { script } from './script.ts';

/** Flows that a company may have here, those that have lately been removed among them. */
const MOST = 1_000;
/** A removed flow is remembered for so long, ms: what it had placed is followed to its end. */
const REMEMBERED_MS = 30 * 86_400_000;

/**
 * KEYS  1 the flows: id to `<version> <removed at, or 0> <json>`  2 their revision
 * ARGV  1 id  2 json; empty: the one before  3 `new`, `any` or the version that it must have  4 removed at, or 0
 *       5 now, ms  6 most flows  7 ms that a removed flow is remembered
 * Answers the new version; -1 it exists, or is another version; -2 there are too many; -3 there is none.
 */
const CHANGE = script(`
local was = redis.call('HGET', KEYS[1], ARGV[1])
local version, removed, json = 0, '0', ''
if was then version, removed, json = string.match(was, '^(%d+) (%d+) (.*)$') end
local there = was and removed == '0'
if ARGV[3] == 'new' then
  if there then return -1 end
  if not was and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then
    local all = redis.call('HGETALL', KEYS[1])
    for i = 2, #all, 2 do
      local at = tonumber(string.match(all[i], '^%d+ (%d+) '))
      if at > 0 and at + tonumber(ARGV[7]) < tonumber(ARGV[5]) then redis.call('HDEL', KEYS[1], all[i - 1]) end
    end
    if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then return -2 end
  end
else
  if not there then return -3 end
  if ARGV[3] ~= 'any' and ARGV[3] ~= version then return -1 end
end
if ARGV[2] ~= '' then json = ARGV[2] end
local next = tonumber(version) + 1
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s %s', next, ARGV[4], json))
redis.call('INCR', KEYS[2])
return next
`);

const REFUSED: Readonly<Record<number, FlowChangeResult>> = { [-1]: 'conflict', [-2]: 'full', [-3]: 'missing' };

/** Flows that the admin API has made, in Redis. All methods reject with StoreUnavailable while it is away. */
export class RedisFlowStore implements FlowStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  async revision(company: CompanyId): Promise<number> {
    return whole((await this.#redis.command(['GET', this.#revision(company)])) ?? 0);
  }

  async all(company: CompanyId): Promise<StoredFlow[]> {
    const reply = list(await this.#redis.command(['HGETALL', this.#book(company)])).map(text);
    return reply.flatMap((id, i) => (i % 2 === 0 ? [stored(id, reply[i + 1] ?? '')] : []));
  }

  async change(company: CompanyId, change: FlowChange): Promise<FlowChangeResult> {
    const { id, json = '', expected, removed, now } = change;
    const keys = [this.#book(company), this.#revision(company)];
    const args = [id, json, String(expected), removed ? String(now) : '0', String(now), String(MOST)];
    const answer = whole(await this.#redis.run(CHANGE, keys, [...args, String(REMEMBERED_MS)]));
    const refused = REFUSED[answer];
    if (refused !== undefined) return refused;
    return answer;
  }

  #book(company: CompanyId): string {
    return this.#keys.dialer(company, 'flowbook');
  }

  #revision(company: CompanyId): string {
    return this.#keys.dialer(company, 'flowbook-revision');
  }
}

function stored(id: string, value: string): StoredFlow {
  const [, version, removedAt, json] = /^(\d+) (\d+) (.*)$/s.exec(value) ?? [];
  if (json === undefined) throw new StoreFault('a flow in Redis is not in its form');
  return { id, version: whole(version), removed: removedAt !== '0', json };
}
