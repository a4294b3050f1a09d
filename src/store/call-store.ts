import type { Call } from '../calls/call.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { CallStore, Commit, CommitResult } from '../ports.ts';
import { APPEND_EVENTS, COMMIT, RAISE_FENCE } from './commit-script.ts';
import type { Committer } from './committer.ts';
import type { Keys } from './keys.ts';
import { prepare } from './logged-event.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, text, whole } from './reply.ts';
import { script } from './script.ts';
import { NEXT_TOKEN } from './shard-lease.ts';

/** A timer of a live call that has come due. */
export interface DueTimer {
  readonly companyId: CompanyId;
  readonly callID: string;
  readonly name: string;
  /** Unix ms. */
  readonly at: number;
}

/** KEYS 1 token counter. Answers a fencing token above all earlier ones. */
const NEXT_FENCE = script(`${NEXT_TOKEN}
return nextToken(KEYS[1])
`);

const COMPANIES_AT_ONCE = 64;
const CALLS_AT_ONCE = 200;

/** Live calls in Redis. Commits of different calls may be under way together; they share one pipelined connection. */
export class RedisCallStore implements CallStore {
  readonly #committer: Committer;
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #endedCallTtl: number;

  /** @param endedCallTtl how long an ended call can still be loaded, seconds */
  constructor(committer: Committer, endedCallTtl: number) {
    this.#committer = committer;
    this.#redis = committer.redis;
    this.#keys = committer.keys;
    this.#endedCallTtl = endedCallTtl;
  }

  commit(commit: Commit): Promise<CommitResult> {
    const { companyId, shard, fence, call } = commit;
    const keys = this.#keys;
    const token = commit.token ?? this.#committer.tokenOf(commit);
    const json = JSON.stringify(call);
    const timers = call.timers.flatMap((timer) => [timer.name, String(timer.at)]);
    const seconds = this.#endedCallTtl;
    const { callID, deleted: ended } = call;
    return this.#committer.store({
      companyId,
      commit,
      script: COMMIT,
      keys: [
        keys.call(companyId, callID),
        keys.live(companyId, shard),
        keys.timers(companyId, shard),
        keys.fence(companyId, shard),
      ],
      args: [
        String(fence),
        String(commit.version),
        token,
        json,
        ended ? '1' : '0',
        String(seconds),
        callID,
        String(this.#committer.maxEvents),
        String(call.timers.length),
        ...timers,
      ],
      events: commit.events.map(prepare),
      of: (version, lastEventID) => ({
        call: { companyId, shard, fence, callID, version, token, json, ended, seconds, lastEventID, timers },
      }),
    });
  }

  async append(companyId: CompanyId, events: readonly NewCtiEvent[]): Promise<void> {
    if (events.length > 0) await this.#committer.append(APPEND_EVENTS, companyId, events.map(prepare));
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

  async takeShard(shard: string, companies: readonly CompanyId[] = [], leased?: number): Promise<number> {
    const fence = leased ?? whole(await this.#redis.run(NEXT_FENCE, [this.#keys.shardToken()], []));
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
    this.#committer.journal.took(shard, fence, companies);
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
}

function parseCall(json: unknown): Call {
  // Only commit() writes this field, and it writes a Call.
  return JSON.parse(text(json)) as Call;
}

function* groups<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
