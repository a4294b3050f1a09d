import { randomUUID } from 'node:crypto';
import type { CompanyId } from '../cti/ids.ts';
import type { CommitResult } from '../ports.ts';
import { COMMIT_CODE, type Tried } from './commit-script.ts';
import { StoreFault, StoreUnavailable } from './errors.ts';
import type { Journal, WrittenCall, WrittenFloor } from './journal.ts';
import type { Keys } from './keys.ts';
import { type PreparedEvent, pushEvents } from './logged-event.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, whole } from './reply.ts';
import type { Script } from './script.ts';
import type { EventTail } from './tail.ts';

/** One run of a script that stores something together with its events. */
export interface Storing {
  readonly companyId: CompanyId;
  /** What is stored: the same object is the same commit. */
  readonly commit: object;
  readonly script: Tried;
  /** All but those of the event log, which follow. */
  readonly keys: readonly string[];
  /** All but the events, which follow. */
  readonly args: readonly string[];
  readonly events: readonly PreparedEvent[];
  /** What is to be written again should Redis lose it, as it was stored. */
  readonly of: (version: number, lastEventID: number) => { call: WrittenCall } | { floor: WrittenFloor };
}

/** What the commits of calls and of floors have in common: their names, their answers, and who is told of what was stored. */
export class Committer {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly journal: Journal;
  /** Events that a company's log may hold at most. */
  readonly maxEvents: number;
  readonly #tail: EventTail;
  readonly #writer = randomUUID();
  readonly #tokens = new WeakMap<object, string>();
  /** Commits that were sent and got no answer; one that nobody tries again is forgotten with its object. */
  readonly #unanswered = new WeakSet<object>();
  #commits = 0;

  constructor(redis: RedisConnection, keys: Keys, tail: EventTail, journal: Journal, maxEvents: number) {
    this.redis = redis;
    this.keys = keys;
    this.journal = journal;
    this.maxEvents = maxEvents;
    this.#tail = tail;
  }

  /** A commit's name. The same object is the same commit, so that whoever tries again after an outage need not name it. */
  tokenOf(commit: object): string {
    let token = this.#tokens.get(commit);
    if (token === undefined) {
      this.#commits += 1;
      token = `${this.#writer}-${this.#commits}`;
      this.#tokens.set(commit, token);
    }
    return token;
  }

  /** Runs a script that answers as COMMIT does. Errors as {@link RedisConnection.run}. */
  async store({ companyId, commit, script, keys, args, events, of }: Storing): Promise<CommitResult> {
    const form = this.#unanswered.has(commit) ? script.again : script.first;
    let answer: readonly unknown[];
    try {
      answer = list(await this.#run(form, companyId, keys, args, events));
    } catch (error) {
      if (error instanceof StoreUnavailable && error.sent && error.retryable) this.#unanswered.add(commit);
      throw error;
    }
    this.#unanswered.delete(commit);
    const code = whole(answer[0]);
    if (code === COMMIT_CODE.fenced) return { outcome: 'fenced' };
    const version = whole(answer[1]);
    if (code === COMMIT_CODE.conflict) return { outcome: 'conflict', version };
    if (code !== COMMIT_CODE.stored) throw new StoreFault(`the commit script answered ${code}`);
    const lastEventID = whole(answer[2]);
    this.#stored(companyId, events, lastEventID, of(version, lastEventID));
    return { outcome: 'stored', version, lastEventID };
  }

  /** Runs a script that stores events alone and answers the eventID of the last. Errors as {@link RedisConnection.run}. */
  async append(script: Script, companyId: CompanyId, events: readonly PreparedEvent[]): Promise<void> {
    const lastEventID = whole(await this.#run(script, companyId, [], [String(this.maxEvents)], events));
    this.#stored(companyId, events, lastEventID, {});
  }

  #run(
    script: Script,
    companyId: CompanyId,
    keys: readonly string[],
    args: readonly string[],
    events: readonly PreparedEvent[],
  ): Promise<unknown> {
    const all = [...args];
    pushEvents(all, events);
    return this.redis.run(script, [...keys, this.keys.eventCounter(companyId), this.keys.events(companyId)], all);
  }

  #stored(
    companyId: CompanyId,
    events: readonly PreparedEvent[],
    lastEventID: number,
    of: Parameters<Journal['wrote']>[3],
  ): void {
    this.journal.wrote(companyId, events, lastEventID, of);
    this.#tail.committed(companyId, events, lastEventID);
  }
}
