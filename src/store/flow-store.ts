import type { CompanyId } from '../cti/ids.ts';
import type { FlowChange, FlowChangeResult, FlowStore, StoredFlow } from '../ports.ts';
import { StoreFault } from './errors.ts';
import type { Keys } from './keys.ts';
import type { Reading } from './redis-connection.ts';
import type { RedoLog } from './redo-log.ts';
import { writing } from './redo-script.ts';
import { list, text, whole } from './reply.ts';
import { NEXT_TOKEN } from './shard-lease.ts';

/** Flows that a company may have here, those that have lately been removed among them. */
const MOST = 1_000;
/** A removed flow is remembered for so long, ms: what it had placed is followed to its end. */
const REMEMBERED_MS = 30 * 86_400_000;

/**
 * KEYS  1 the flows: id to `<version> <removed at, or 0> <json>`  2 their revision
 * ARGV  1 id  2 json; empty: the one before  3 `new`, `any` or the version that it must have  4 removed at, or 0
 *       5 now, ms  6 most flows  7 ms that a removed flow is remembered
 * Answers {new version, as it is stored}; {-1} it exists, or is another version; {-2} there are too many; {-3} there is none.
 *
 * The revision is a time, so that one that Redis has lost is not given to something else.
 */
const CHANGE = writing(
  `${NEXT_TOKEN}
local was = redis.call('HGET', KEYS[1], ARGV[1])
local version, removed, json = 0, '0', ''
if was then version, removed, json = string.match(was, '^(%d+) (%d+) (.*)$') end
local there = was and removed == '0'
if ARGV[3] == 'new' then
  if there then return {-1} end
  if not was and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then
    local all = redis.call('HGETALL', KEYS[1])
    for i = 2, #all, 2 do
      local at = tonumber(string.match(all[i], '^%d+ (%d+) '))
      if at > 0 and at + tonumber(ARGV[7]) < tonumber(ARGV[5]) then redis.call('HDEL', KEYS[1], all[i - 1]) end
    end
    if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then return {-2} end
  end
else
  if not there then return {-3} end
  if ARGV[3] ~= 'any' and ARGV[3] ~= version then return {-1} end
end
if ARGV[2] ~= '' then json = ARGV[2] end
local next = tonumber(version) + 1
local value = string.format('%d %s ', next, ARGV[4]) .. json
redis.call('HSET', KEYS[1], ARGV[1], value)
nextToken(KEYS[2])
return {next, value}
`,
  (answer) => whole(list(answer)[0]) > 0,
);

/** KEYS as CHANGE. ARGV 1 id  2 its version  3 as it was stored. Answers 1; 0 where a version as new is there. */
const CHANGE_AGAIN = writing(`${NEXT_TOKEN}
local there = redis.call('HGET', KEYS[1], ARGV[1])
if there and tonumber(string.match(there, '^%d+')) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
nextToken(KEYS[2])
return 1
`);

const REFUSED: Readonly<Record<number, FlowChangeResult>> = { [-1]: 'conflict', [-2]: 'full', [-3]: 'missing' };

/** Flows that the admin API has made, in Redis. All methods reject with StoreUnavailable while it is away. */
export class RedisFlowStore implements FlowStore {
  readonly #redis: Reading;
  readonly #redo: RedoLog;
  readonly #keys: Keys;

  constructor(redis: Reading, redo: RedoLog, keys: Keys) {
    this.#redis = redis;
    this.#redo = redo;
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
    const reply = await this.#redo.write(company, CHANGE, keys, [...args, String(REMEMBERED_MS)], (done) => ({
      script: CHANGE_AGAIN,
      keys,
      args: [id, ...list(done).map(String)],
    }));
    const answer = whole(list(reply)[0]);
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
