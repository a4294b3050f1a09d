import type { CompanyId } from '../cti/ids.ts';
import type { EventLog, LoggedEvent } from '../ports.ts';
import { TRIM_EVENTS } from './commit-script.ts';
import type { Keys } from './keys.ts';
import { entryID, fromEntry } from './logged-event.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, whole } from './reply.ts';
import type { EventTail } from './tail.ts';

/** How long the log keeps events. */
export interface Retention {
  /** Events younger than this stay, ms. */
  readonly maxAgeMs: number;
  /** So many newest events stay, however old. */
  readonly minEvents: number;
  /** The bound: beyond it the oldest go, however young. Not below `minEvents`. */
  readonly maxEvents: number;
}

/** Taken out in one run of the script, so that no commit waits behind a long trim. */
const TRIM_AT_ONCE = 20_000;

/** The company event log as a Redis Stream whose ids are the eventIDs. */
export class RedisEventLog implements EventLog {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #tail: EventTail;
  readonly #retention: Retention;

  constructor(redis: RedisConnection, keys: Keys, tail: EventTail, retention: Retention) {
    this.#redis = redis;
    this.#keys = keys;
    this.#tail = tail;
    this.#retention = retention;
  }

  async lastEventID(companyId: CompanyId): Promise<number> {
    const last = whole((await this.#redis.command(['GET', this.#keys.eventCounter(companyId)])) ?? 0);
    this.#tail.startAt(companyId, last);
    return last;
  }

  /**
   * As the port says. `expired` is also the answer to an `after` beyond the newest event: such an id was given out by
   * a log that Redis has lost since, and what followed it there cannot be replayed.
   *
   * @throws {RangeError} `after` is no whole number from 0, or `limit` none from 1
   */
  async read(companyId: CompanyId, after: number, limit: number): Promise<readonly LoggedEvent[] | 'expired'> {
    if (!Number.isSafeInteger(after) || after < 0) throw new RangeError(`${after} is not an eventID`);
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`${limit} is not a number of events`);
    // Both go out together and are carried out in this order: what the counter counts, the log has held by then.
    const [counter, range] = await Promise.all([
      this.#redis.command(['GET', this.#keys.eventCounter(companyId)]),
      this.#redis.command(['XRANGE', this.#keys.events(companyId), `${after + 1}-0`, '+', 'COUNT', String(limit)]),
    ]);
    const entries = list(range);
    // Ids have no holes: the log still has everything later than `after` exactly if it has the next one.
    if (entries.length > 0) return entryID(entries[0]) === after + 1 ? entries.map(fromEntry) : 'expired';
    return after === whole(counter ?? 0) ? [] : 'expired';
  }

  tail(companyId: CompanyId, listener: (events: readonly LoggedEvent[]) => void, lost?: () => void): () => void {
    return this.#tail.listen(companyId, listener, lost);
  }

  /**
   * Takes out what need no longer be kept; to be called about once a minute, by one or by every instance.
   *
   * @returns how many events were taken out
   */
  async trim(companyId: CompanyId): Promise<number> {
    const { maxAgeMs, minEvents } = this.#retention;
    const keys = [this.#keys.eventCounter(companyId), this.#keys.events(companyId), this.#keys.eventAges(companyId)];
    const args = [maxAgeMs, minEvents, TRIM_AT_ONCE].map(String);
    let total = 0;
    for (;;) {
      const removed = whole(await this.#redis.run(TRIM_EVENTS, keys, args));
      total += removed;
      // Redis stops at the bound or shortly before it, where the next whole node would exceed it.
      if (removed < TRIM_AT_ONCE / 2) return total;
    }
  }
}
