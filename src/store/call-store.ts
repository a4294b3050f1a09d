import { randomUUID } from 'node:crypto';
import type { Call } from '../calls/call.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { CallStore, Commit, CommitResult } from '../ports.ts';
import { APPEND_EVENTS, COMMIT, COMMIT_CODE, RAISE_FENCE } from './commit-script.ts';
import { StoreFault } from './errors.ts';
import type { Journal } from './journal.ts';
import type { Keys } from './keys.ts';
import { prepare, pushEvents } from './logged-event.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, text, whole } from './reply.ts';
import type { EventTail } from './tail.ts';

export interface CallStoreOptions {
  /** How long an ended call can still be loaded, seconds. */
  readonly endedCallTtl: number;
  /** Events that a company's log may hold at most. */
  readonly maxEvents: number;
}

/** A timer of a live call that has come due. */
export interface DueTimer {
  readonly companyId: CompanyId;
  readonly callID: string;
  readonly name: string;
  /** Unix ms. */
  readonly at: number;
}

const COMPANIES_AT_ONCE = 64;
const CALLS_AT_ONCE = 200;

/** Live calls in Redis. Commits of different calls may be under way together; they share one pipelined connection. */
export class RedisCallStore implements CallStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #tail: EventTail;
  readonly #journal: Journal;
  readonly #options: CallStoreOptions;
  readonly #writer = randomUUID();
  readonly #tokens = new WeakMap<Commit, string>();
  #commits = 0;

  constructor(redis: RedisConnection, keys: Keys, tail: EventTail, journal: Journal, options: CallStoreOptions) {
    this.#redis = redis;
    this.#keys = keys;
    this.#tail = tail;
    this.#journal = journal;
    this.#options = options;
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const { companyId, shard, call } = commit;
    const keys = this.#keys;
    const events = commit.events.map(prepare);
    const token = commit.token ?? this.#tokenOf(commit);
    const json = JSON.stringify(call);
    const timers = call.timers.flatMap((timer) => [timer.name, String(timer.at)]);
    const { endedCallTtl, maxEvents } = this.#options;
    const args = [
      String(commit.fence),
      String(commit.version),
      token,
      json,
      call.deleted ? '1' : '0',
      String(endedCallTtl),
      call.callID,
      String(maxEvents),
      String(call.timers.length),
      ...timers,
    ];
    pushEvents(args, events);
    const answer = list(
      await this.#redis.run(
        COMMIT,
        [
          keys.call(companyId, call.callID),
          keys.live(companyId, shard),
          keys.timers(companyId, shard),
          keys.fence(companyId, shard),
          keys.eventCounter(companyId),
          keys.events(companyId),
        ],
        args,
      ),
    );
    const code = whole(answer[0]);
    if (code === COMMIT_CODE.fenced) return { outcome: 'fenced' };
    const version = whole(answer[1]);
    if (code === COMMIT_CODE.conflict) return { outcome: 'conflict', version };
    if (code !== COMMIT_CODE.stored) throw new StoreFault(`the commit script answered ${code}`);
    const lastEventID = whole(answer[2]);
    this.#journal.wrote(companyId, events, lastEventID, {
      call: {
        companyId,
        shard,
        fence: commit.fence,
        callID: call.callID,
        version,
        token,
        json,
        ended: call.deleted,
        seconds: endedCallTtl,
        lastEventID,
        timers,
      },
    });
    this.#tail.committed(companyId, events, lastEventID);
    return { outcome: 'stored', version, lastEventID };
  }

  async append(companyId: CompanyId, events: readonly NewCtiEvent[]): Promise<void> {
    if (events.length === 0) return;
    const prepared = events.map(prepare);
    const args = [String(this.#options.maxEvents)];
    pushEvents(args, prepared);
    const keys = [this.#keys.eventCounter(companyId), this.#keys.events(companyId)];
    const lastEventID = whole(await this.#redis.run(APPEND_EVENTS, keys, args));
    this.#journal.wrote(companyId, prepared, lastEventID);
    this.#tail.committed(companyId, prepared, lastEventID);
  }

  async load(companyId: CompanyId, callID: string): Promise<{ call: Call; version: number } | undefined> {
    const [version, json] = list(await this.#redis.command(['HMGET', this.#keys.call(companyId, callID), 'v', 'd']));
    if (version === null) return undefined;
    return { call: parseCall(json), version: whole(version) };
  }

  async loadLive(companies: readonly CompanyId[], shard: string): Promise<{ call: Call; version: number }[]> {
    const live: { call: Call; version: number }[] = [];
    for (const group of groups(companies, COMPANIES_AT_ONCE)) {
      const ids = await Promise.all(group.map((company) => this.#liveCallIDs(company, shard)));
      const wanted = group.flatMap((company, i) => (ids[i] ?? []).map((callID) => ({ company, callID })));
      for (const batch of groups(wanted, CALLS_AT_ONCE)) {
        const loaded = await Promise.all(batch.map(({ company, callID }) => this.load(company, callID)));
        // A call may have ended between the two questions; one that is gone altogether has long ended.
        for (const found of loaded) if (found && !found.call.deleted) live.push(found);
      }
    }
    return live;
  }

  async takeShard(shard: string, companies: readonly CompanyId[] = []): Promise<number> {
    const fence = whole(await this.#redis.command(['INCR', this.#keys.shardToken()]));
    await this.raiseFence(shard, fence, companies);
    return fence;
  }

  /**
   * From its return on, commits with a lower fencing token are refused in these companies. Without it an owner is
   * refused only after its successor's first commit in the company.
   */
  async raiseFence(shard: string, fence: number, companies: readonly CompanyId[]): Promise<void> {
    for (const group of groups(companies, COMPANIES_AT_ONCE)) {
      await Promise.all(
        group.map((company) => this.#redis.run(RAISE_FENCE, [this.#keys.fence(company, shard)], [String(fence)])),
      );
    }
    this.#journal.took(shard, fence, companies);
  }

  /**
   * Timers of live calls that are due, the earliest first. They stay until the call's next commit replaces them.
   *
   * @param now Unix ms
   */
  async dueTimers(companyId: CompanyId, shard: string, now: number, limit: number): Promise<DueTimer[]> {
    const reply = list(
      await this.#redis.command([
        'ZRANGE',
        this.#keys.timers(companyId, shard),
        '-inf',
        String(now),
        'BYSCORE',
        'LIMIT',
        '0',
        String(limit),
        'WITHSCORES',
      ]),
    );
    const due: DueTimer[] = [];
    for (let i = 0; i + 1 < reply.length; i += 2) {
      const member = text(reply[i]);
      const colon = member.lastIndexOf(':');
      due.push({
        companyId,
        callID: member.slice(0, colon),
        name: member.slice(colon + 1),
        at: whole(reply[i + 1]),
      });
    }
    return due;
  }

  async #liveCallIDs(company: CompanyId, shard: string): Promise<string[]> {
    const ids = new Set<string>();
    let cursor = '0';
    do {
      const reply = list(await this.#redis.command(['SSCAN', this.#keys.live(company, shard), cursor, 'COUNT', '500']));
      cursor = text(reply[0]);
      for (const id of list(reply[1])) ids.add(text(id));
    } while (cursor !== '0');
    return [...ids];
  }

  /** The same object is the same commit, so that whoever simply tries again after an outage need not name it. */
  #tokenOf(commit: Commit): string {
    let token = this.#tokens.get(commit);
    if (token === undefined) {
      this.#commits += 1;
      token = `${this.#writer}-${this.#commits}`;
      this.#tokens.set(commit, token);
    }
    return token;
  }
}

function parseCall(json: unknown): Call {
  // Only commit() writes this field, and it writes a Call.
  return JSON.parse(text(json)) as Call;
}

function* groups<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
