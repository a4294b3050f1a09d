import { randomUUID } from 'node:crypto';
import type { CompanyId } from '../cti/ids.ts';
import type {
  NumberListChanged,
  NumberListName,
  NumberListPage,
  NumberListRefusal,
  NumberListStore,
  OnLists,
} from '../ports.ts';
import type { Keys } from './keys.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedoLog } from './redo-log.ts';
import { writing } from './redo-script.ts';
import { list, text, whole } from './reply.ts';
import { script } from './script.ts';

/** Numbers that one list may have. */
const MOST = 1_000_000;
/** Numbers that are written with one command. */
const AT_ONCE = 1_000;
/** Seconds that what is to replace a list may lie beside it. */
const STAGED_SECONDS = 600;

/** By the version that it answers with. */
const changed = (answer: unknown): boolean => whole(list(answer)[0]) > 0;

/**
 * KEYS  1 the list (zset, all scores 0: in the order of the digits)  2 versions of the account's lists (hash)
 * ARGV  1 name of the list  2 place of the first  3 place of the last
 * Answers its version, how many it has, and the numbers from there to there.
 */
const PAGE = script(`
local version = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
return { version, redis.call('ZCARD', KEYS[1]), redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[3]) }
`);

/**
 * KEYS  1 the list  2 versions of the account's lists
 * ARGV  1 name of the list  2 version that it must have, or ''  3 most numbers  4 how many are added; then those; then
 *       those that are removed
 * Answers version, numbers in all, added, removed; or -1 it is another version; -2 it would have too many.
 */
const CHANGE = writing(
  `
local version = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
if not again and ARGV[2] ~= '' and tonumber(ARGV[2]) ~= version then return { -1 } end
local last, added, removed = 4 + tonumber(ARGV[4]), 0, 0
for i = 5, #ARGV do
  local there = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if i <= last and not there then added = added + 1 end
  if i > last and there then removed = removed + 1 end
end
local total = redis.call('ZCARD', KEYS[1]) + added - removed
if not again and added > 0 and total > tonumber(ARGV[3]) then return { -2 } end
for i = 5, #ARGV do
  if i <= last then redis.call('ZADD', KEYS[1], 0, ARGV[i]) else redis.call('ZREM', KEYS[1], ARGV[i]) end
end
if added + removed > 0 then
  version = version + 1
  redis.call('HSET', KEYS[2], ARGV[1], version)
end
return { version, total, added, removed }
`,
  changed,
);

/**
 * A part of what is to take the place of a list.
 *
 * KEYS  1 where it lies until then
 * ARGV  1 seconds that it may lie there; then the numbers
 */
const STAGE = writing(`
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 0, ARGV[i]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
`);

/**
 * KEYS  1 the list  2 versions of the account's lists  3 what takes its place
 * ARGV  1 name of the list  2 version that it must have, or ''  3 how many numbers there are to be
 * Answers version and numbers in all; -1 it is another version; -3 what was to take its place is not whole.
 */
const SWAP = writing(
  `
local version = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
if not again and ARGV[2] ~= '' and tonumber(ARGV[2]) ~= version then
  redis.call('UNLINK', KEYS[3])
  return { -1 }
end
local total = redis.call('ZCARD', KEYS[3])
if total ~= tonumber(ARGV[3]) then return { -3 } end
redis.call('UNLINK', KEYS[1])
if total > 0 then
  redis.call('RENAME', KEYS[3], KEYS[1])
  redis.call('PERSIST', KEYS[1])
end
redis.call('HSET', KEYS[2], ARGV[1], version + 1)
return { version + 1, total }
`,
  changed,
);

/** Names of the lists, as {@link listKeys} gives them. */
export const LIST_NAMES = ['black', 'white', 'dnd'] as const satisfies readonly NumberListName[];

/** The keys of an account's lists, in the order of {@link LIST_NAMES}. */
export const listKeys = (keys: Keys, company: CompanyId, account: string): string[] =>
  LIST_NAMES.map((name) => keys.dialer(company, `list:${account}:${name}`));

/** The lists of accounts, in Redis. All keys of a company lie in one slot. */
export class RedisNumberListStore implements NumberListStore {
  readonly #redis: RedisConnection;
  readonly #redo: RedoLog;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, redo: RedoLog, keys: Keys) {
    this.#redis = redis;
    this.#redo = redo;
    this.#keys = keys;
  }

  async onLists(company: CompanyId, account: string, numbers: readonly string[]): Promise<OnLists> {
    const none: OnLists = { black: new Set(), white: new Set(), dnd: new Set() };
    if (numbers.length === 0) return none;
    // Sent together: one way there and back.
    const asked = listKeys(this.#keys, company, account).map((key) =>
      this.#redis.command(['ZMSCORE', key, ...numbers]),
    );
    const [black, white, dnd] = (await Promise.all(asked)).map((reply) => {
      const scores = list(reply);
      return new Set(numbers.filter((_n, i) => scores[i] !== null));
    });
    return { black: black ?? none.black, white: white ?? none.white, dnd: dnd ?? none.dnd };
  }

  async page(company: CompanyId, account: string, name: NumberListName, from: number, limit: number) {
    const args = [name, String(from), String(from + limit - 1)];
    const [version, total, numbers] = list(await this.#redis.run(PAGE, this.#of(company, account, name), args));
    return { version: whole(version), total: whole(total), numbers: list(numbers).map(text) };
  }

  async change(
    company: CompanyId,
    account: string,
    name: NumberListName,
    change: { readonly add: readonly string[]; readonly remove: readonly string[]; readonly expected?: number },
  ): Promise<NumberListChanged | NumberListRefusal> {
    const { add, remove, expected } = change;
    const args = [name, optional(expected), String(MOST), String(add.length), ...add, ...remove];
    const [version, total, added, removed] = list(
      await this.#redo.write(company, CHANGE, this.#of(company, account, name), args),
    ).map(whole);
    if (version === -1) return 'conflict';
    if (version === -2) return 'full';
    return { version: whole(version), total: whole(total), added: whole(added), removed: whole(removed) };
  }

  async replace(
    company: CompanyId,
    account: string,
    name: NumberListName,
    numbers: readonly string[],
    expected?: number,
  ): Promise<NumberListPage | NumberListRefusal> {
    if (numbers.length > MOST) return 'full';
    // Written beside the list, where nobody reads it, and put in its place in one step.
    const keys = this.#of(company, account, name);
    const staged = `${keys[0]}:${randomUUID()}`;
    for (let i = 0; i < numbers.length; i += AT_ONCE) {
      await this.#redo.write(company, STAGE, [staged], [String(STAGED_SECONDS), ...numbers.slice(i, i + AT_ONCE)]);
    }
    const args = [name, optional(expected), String(numbers.length)];
    const [version, total] = list(await this.#redo.write(company, SWAP, [...keys, staged], args)).map(whole);
    if (version === -1) return 'conflict';
    if (version === -3) throw new Error('a list was lost while it was being written');
    return { version: whole(version), total: whole(total), numbers: [] };
  }

  #of(company: CompanyId, account: string, name: NumberListName): string[] {
    return [
      this.#keys.dialer(company, `list:${account}:${name}`),
      this.#keys.dialer(company, `list-versions:${account}`),
    ];
  }
}

const optional = (value: number | undefined): string => (value === undefined ? '' : String(value));
