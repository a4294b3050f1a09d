import type { CompanyId } from '../cti/ids.ts';
import type {
  DialerCommit,
  DialerCommitResult,
  DialerDocument,
  DialerEntry,
  DialerMessage,
  DialerStore,
  HeldDialerCall,
} from '../ports.ts';
import { campaigncallKeys } from './campaigncall-store.ts';
import type { DialerLead } from './dialer-lead.ts';
import {
  ACCEPT,
  BALANCE,
  COMMIT_DIALER_CALL,
  DIALER_CODE,
  REVIVE,
  SET_FLOW_STATE,
  SET_SEEN,
  SETTLE_MESSAGE,
} from './dialer-scripts.ts';
import { StoreFault } from './errors.ts';
import type { Keys } from './keys.ts';
import { listKeys } from './number-list-store.ts';
import type { Reading } from './redis-connection.ts';
import type { RedoLog, Write } from './redo-log.ts';
import { list, text, whole } from './reply.ts';
import { readTallies, tallyArgs, tallyKey } from './tally-store.ts';

/** Seconds that a request's checksum is remembered: a day. */
const CHECKSUM_SECONDS = 86_400;
/** Dead letters kept for each flow; beyond it the oldest go. */
const MAX_DEAD_LETTERS = 10_000;
const AT_ONCE = 200;

/** What the dialler keeps, in Redis. All keys of a company lie in one slot. */
export class RedisDialerStore implements DialerStore {
  readonly #redis: Reading;
  readonly #redo: RedoLog;
  readonly #lead: DialerLead;
  readonly #keys: Keys;

  constructor(redis: Reading, redo: RedoLog, lead: DialerLead, keys: Keys) {
    this.#redis = redis;
    this.#redo = redo;
    this.#lead = lead;
    this.#keys = keys;
  }

  lead(company: CompanyId, owner: string, durationMs: number): Promise<number | undefined> {
    return this.#lead.take(company, owner, durationMs);
  }

  resign(company: CompanyId, token: number): Promise<void> {
    return this.#lead.resign(company, token);
  }

  holding(company: CompanyId, held: () => readonly HeldDialerCall[]): () => void {
    return this.#redo.holding(company, () => held().map((call) => this.#heldAs(company, call)));
  }

  async accept(
    company: CompanyId,
    request: { readonly id: string; readonly json: string; readonly flowId: string; readonly checksum: string },
    calls: readonly DialerEntry[],
    ttl: number,
  ): Promise<'stored' | 'repeated'> {
    const keys = [
      this.#key(company, `sum:${request.flowId}:${request.checksum}`),
      this.#key(company, `request:${request.id}`),
      this.#key(company, `queue:${request.flowId}`),
      ...calls.map((c) => this.#call(company, c.uuid)),
    ];
    const args = [String(CHECKSUM_SECONDS), request.json, String(ttl)];
    for (const c of calls) args.push(c.uuid, c.json, optional(c.queue), optional(c.ttl));
    return whole(await this.#redo.write(company, ACCEPT, keys, args)) === 1 ? 'stored' : 'repeated';
  }

  async commit(commit: DialerCommit): Promise<DialerCommitResult> {
    const { keys, args, script } = this.#commitAs(commit);
    const code = whole(await this.#redo.write(commit.companyId, script, keys, args));
    switch (code) {
      case DIALER_CODE.done:
        return 'stored';
      case DIALER_CODE.notLeading:
        return 'not-leading';
      case DIALER_CODE.conflict:
        return 'conflict';
      case DIALER_CODE.noBalance:
        return 'no-balance';
      case DIALER_CODE.barred:
        return 'barred';
      default:
        throw new StoreFault(`the dialler's script answered ${code}`);
    }
  }

  async load(company: CompanyId, uuids: readonly string[]): Promise<DialerDocument[]> {
    const found: DialerDocument[] = [];
    for (let i = 0; i < uuids.length; i += AT_ONCE) {
      const batch = uuids.slice(i, i + AT_ONCE);
      const replies = await Promise.all(
        batch.map((uuid) => this.#redis.command(['HMGET', this.#call(company, uuid), 'v', 'd'])),
      );
      replies.forEach((reply, n) => {
        const [version, json] = list(reply);
        if (version !== null) found.push({ uuid: batch[n] ?? '', json: text(json), version: whole(version) });
      });
    }
    return found;
  }

  async request(company: CompanyId, id: string): Promise<string | undefined> {
    const json = await this.#redis.command(['GET', this.#key(company, `request:${id}`)]);
    return json === null ? undefined : text(json);
  }

  async active(company: CompanyId): Promise<DialerDocument[]> {
    const uuids = list(await this.#redis.command(['SMEMBERS', this.#key(company, 'active')])).map(text);
    return this.load(company, uuids);
  }

  async due(
    company: CompanyId,
    flowId: string,
    now: number,
    limit: number,
  ): Promise<{ calls: DialerDocument[]; next?: number }> {
    const queue = this.#key(company, `queue:${flowId}`);
    const range = ['ZRANGE', queue, '-inf', `(${now + 1}`, 'BYSCORE', 'LIMIT', '0', String(limit)];
    const [due, first] = await Promise.all([
      this.#redis.command(range),
      this.#redis.command(['ZRANGE', queue, String(now + 1), '+inf', 'BYSCORE', 'LIMIT', '0', '1', 'WITHSCORES']),
    ]);
    const calls = await this.load(company, list(due).map(text));
    const next = list(first)[1];
    return { calls, ...(next !== undefined && { next: Math.ceil(Number(text(next))) }) };
  }

  async waiting(company: CompanyId, flowId: string): Promise<number> {
    return whole(await this.#redis.command(['ZCARD', this.#key(company, `queue:${flowId}`)]));
  }

  tallies(company: CompanyId, flowId: string, from: number, to: number) {
    return readTallies(this.#redis, this.#keys, company, flowId, from, to);
  }

  async seen(company: CompanyId): Promise<number | undefined> {
    const seen = await this.#redis.command(['GET', this.#key(company, 'seen')]);
    return seen === null ? undefined : whole(seen);
  }

  async setSeen(company: CompanyId, token: number, eventID: number): Promise<void> {
    const keys = [this.#key(company, 'lead'), this.#key(company, 'seen')];
    await this.#redo.write(company, SET_SEEN, keys, [String(token), String(eventID)]);
  }

  async flowStates(company: CompanyId): Promise<Readonly<Record<string, string>>> {
    const reply = list(await this.#redis.command(['HGETALL', this.#key(company, 'flows')])).map(text);
    return Object.fromEntries(reply.flatMap((name, i) => (i % 2 === 0 ? [[name, reply[i + 1] ?? '']] : [])));
  }

  async setFlowState(company: CompanyId, flowId: string, json: string): Promise<void> {
    await this.#redo.write(company, SET_FLOW_STATE, [this.#key(company, 'flows')], [flowId, json]);
  }

  async balance(company: CompanyId, account: string, first: number): Promise<number> {
    const keys = [this.#key(company, `balance:${account}`)];
    return whole(list(await this.#redo.write(company, BALANCE, keys, [String(first)]))[1]);
  }

  async dueMessages(company: CompanyId, now: number, limit: number): Promise<DialerMessage[]> {
    const range = ['ZRANGE', this.#key(company, 'hooks'), '-inf', String(now), 'BYSCORE', 'LIMIT', '0', String(limit)];
    const uuids = list(await this.#redis.command(range)).map(text);
    const found = await Promise.all(
      uuids.map((uuid) =>
        Promise.all([
          this.#redis.command(['LINDEX', this.#key(company, `hooks:${uuid}`), '0']),
          this.#redis.command(['HGET', this.#key(company, 'hook-failures'), uuid]),
        ]),
      ),
    );
    return found.flatMap(([json, failures], i) =>
      json === null ? [] : [{ uuid: uuids[i] ?? '', json: text(json), failures: whole(failures ?? 0) }],
    );
  }

  async nextMessageAt(company: CompanyId): Promise<number | undefined> {
    const reply = list(await this.#redis.command(['ZRANGE', this.#key(company, 'hooks'), '0', '0', 'WITHSCORES']));
    return reply[1] === undefined ? undefined : Number(text(reply[1]));
  }

  delivered(company: CompanyId, token: number, message: DialerMessage): Promise<void> {
    return this.#settle(company, token, message, 'done', 0, '');
  }

  notDelivered(company: CompanyId, token: number, message: DialerMessage, at: number): Promise<void> {
    return this.#settle(company, token, message, 'again', at, '');
  }

  deadLetter(company: CompanyId, token: number, message: DialerMessage, flowId: string): Promise<void> {
    return this.#settle(company, token, message, 'dead', 0, flowId);
  }

  async replay(company: CompanyId, flowId: string, now: number): Promise<number> {
    const dead = this.#key(company, `dead:${flowId}`);
    const letters = list(await this.#redis.command(['LRANGE', dead, '0', '-1'])).map(text);
    let revived = 0;
    for (const letter of letters) {
      const space = letter.indexOf(' ');
      const uuid = letter.slice(0, space);
      const keys = [dead, this.#key(company, `hooks:${uuid}`), this.#key(company, 'hooks')];
      const args = [letter, uuid, letter.slice(space + 1), String(now)];
      revived += whole(await this.#redo.write(company, REVIVE, keys, args));
    }
    return revived;
  }

  async deadLetters(company: CompanyId, flowId: string): Promise<number> {
    return whole(await this.#redis.command(['LLEN', this.#key(company, `dead:${flowId}`)]));
  }

  async #settle(
    company: CompanyId,
    token: number,
    { uuid, json }: DialerMessage,
    how: 'done' | 'again' | 'dead',
    at: number,
    flowId: string,
  ): Promise<void> {
    const keys = [
      this.#key(company, 'lead'),
      this.#key(company, `hooks:${uuid}`),
      this.#key(company, 'hooks'),
      this.#key(company, 'hook-failures'),
      this.#key(company, `dead:${flowId}`),
    ];
    const args = [String(token), uuid, how, String(at), String(MAX_DEAD_LETTERS), json];
    await this.#redo.write(company, SETTLE_MESSAGE, keys, args);
  }

  #commitAs(commit: DialerCommit): Write {
    const { companyId, uuid, flowId, charge, refund, campaigncall, unlessBarred: bar } = commit;
    const keys = [
      this.#key(companyId, 'lead'),
      this.#call(companyId, uuid),
      this.#key(companyId, `queue:${flowId}`),
      this.#key(companyId, 'active'),
      this.#key(companyId, 'seen'),
      this.#key(companyId, `hooks:${uuid}`),
      this.#key(companyId, 'hooks'),
      this.#key(companyId, `balance:${charge ?? refund ?? ''}`),
      ...campaigncallKeys(this.#keys, companyId, flowId),
      tallyKey(this.#keys, companyId, flowId, commit.tally?.hour ?? 0),
      ...listKeys(this.#keys, companyId, bar?.account ?? ''),
    ];
    const args = [
      String(commit.token),
      String(commit.version),
      uuid,
      commit.json,
      optional(commit.queue),
      commit.active ? '1' : '0',
      optional(commit.ttl),
      optional(commit.seen),
      commit.message ?? '',
      String(Date.now()),
      charge !== undefined ? '1' : refund !== undefined ? '-1' : '0',
      campaigncall?.id ?? '',
      campaigncall?.json ?? '',
      optional(campaigncall?.keepSeconds),
      optional(campaigncall?.keepAtMost),
      campaigncall?.fresh ? '1' : '0',
      bar?.number ?? '',
      bar?.testing ? '1' : '0',
      bar?.marketing ? '1' : '0',
      ...tallyArgs(commit.tally),
    ];
    return { script: COMMIT_DIALER_CALL, keys, args };
  }

  /** As the commit that made it what it is, without what went with that. */
  #heldAs(companyId: CompanyId, { version, ...entry }: HeldDialerCall): Write {
    return this.#commitAs({ ...entry, companyId, token: 0, version: version - 1 });
  }

  #key(company: CompanyId, part: string): string {
    return this.#keys.dialer(company, part);
  }

  #call(company: CompanyId, uuid: string): string {
    return this.#key(company, `call:${uuid}`);
  }
}

const optional = (value: number | undefined): string => (value === undefined ? '' : String(value));
