import { RedisCallStore } from './call-store.ts';
import { RedisCampaigncallStore } from './campaigncall-store.ts';
import { Committer } from './committer.ts';
import { RedisContactStore } from './contact-store.ts';
import { DialerLead } from './dialer-lead.ts';
import { RedisDialerStore } from './dialer-store.ts';
import { RedisEventLog, type Retention } from './event-log.ts';
import { RedisFloorStore } from './floor-store.ts';
import { RedisFlowStore } from './flow-store.ts';
import { Journal, type Restored } from './journal.ts';
import { Keys } from './keys.ts';
import { RedisMaskStore } from './mask-store.ts';
import { RedisNumberListStore } from './number-list-store.ts';
import { fixedServer } from './place.ts';
import { RedisPlaces } from './places-store.ts';
import { type ConnectionListener, RedisConnection } from './redis-connection.ts';
import { RedoLog, type Redone } from './redo-log.ts';
import { type SentinelListener, type SentinelOptions, Sentinels } from './sentinels.ts';
import { ShardLease } from './shard-lease.ts';
import { EventTail } from './tail.ts';

export { StoreFault, StoreUnavailable } from './errors.ts';
export type { SentinelOptions } from './sentinels.ts';
export type { ShardLease } from './shard-lease.ts';

/** Where Redis is, and how much of what is kept there. */
export interface StoreOptions {
  /** `redis://host:port/db`, `rediss://` for TLS. Either this or `sentinel`. */
  readonly url?: string;
  readonly username?: string;
  readonly password?: string;
  /** Redis with Sentinel, in place of `url`, `username` and `password`. */
  readonly sentinel?: SentinelOptions;
  /** What every key begins with; default `rm`. */
  readonly prefix?: string;
  /** How long an ended call can still be loaded, seconds; default 3600. */
  readonly endedCallTtl?: number;
  /** Default: one hour, at least 1,000,000 events, at most 5,000,000. */
  readonly retention?: Partial<Retention>;
  /** Of the connections' sign of life, ms; default 1000. */
  readonly heartbeatMs?: number;
  readonly listener: ConnectionListener &
    Partial<SentinelListener> & {
      /** What is nobody's answer: an event listener that threw, a log entry that cannot be read. */
      onError(error: Error): void;
      /** Redis had come back without what was written last: it has been written again, or `more` was lost than is known. */
      onRestored?(restored: Restored): void;
      /** The same of what the dialler, the contacts, the masking and the flows of the admin API had written. */
      onRedone?(redone: Redone): void;
      /** So many writes of the last seconds are remembered no more for want of room; once a minute at most. */
      onCrowded?(writes: number): void;
    };
}

const RETENTION: Retention = { maxAgeMs: 3_600_000, minEvents: 1_000_000, maxEvents: 5_000_000 };

/**
 * Everything that Ringmaster keeps in Redis, over two connections: one for commands, one that waits for events.
 * It connects by itself and again after every loss; until then its methods reject with StoreUnavailable.
 */
export class Store {
  readonly calls: RedisCallStore;
  readonly floors: RedisFloorStore;
  readonly events: RedisEventLog;
  readonly dialer: RedisDialerStore;
  readonly flows: RedisFlowStore;
  readonly lists: RedisNumberListStore;
  readonly campaigncalls: RedisCampaigncallStore;
  readonly contacts: RedisContactStore;
  readonly masks: RedisMaskStore;
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #journal: Journal;
  readonly #redo: RedoLog;
  #backAt = Number.NEGATIVE_INFINITY;
  readonly #tail: EventTail;
  readonly #sentinels: Sentinels | undefined;

  constructor(options: StoreOptions) {
    const retention = { ...RETENTION, ...options.retention };
    if (retention.maxEvents < retention.minEvents) throw new RangeError('maxEvents is below minEvents');
    this.#sentinels = sentinelsOf(options);
    const connection = {
      server: this.#sentinels ?? fixedServer(options.url ?? '', options.username, options.password),
      ...(options.heartbeatMs !== undefined && { heartbeatMs: options.heartbeatMs }),
      listener: options.listener,
    };
    this.#keys = new Keys(options.prefix ?? 'rm');
    const journal = new Journal(this.#keys, retention.maxEvents, () => !this.#redis.healthy);
    this.#journal = journal;
    this.#redis = new RedisConnection({
      ...connection,
      name: 'ringmaster-commands',
      restore: async (run) => {
        const restored = await journal.restore(run, this.#tail.positions());
        for (const [companyId, first] of restored.diverged) this.#tail.diverged(companyId, first);
        const count = restored.events + restored.calls + restored.floors + restored.diverged.size;
        if (restored.more || count > 0) options.listener.onRestored?.(restored);
        // The lead first: what is done again is done by whoever leads.
        await lead.restore(run);
        const redone = await this.#redo.restore(run);
        if (redone.more || redone.writes + redone.held > 0) options.listener.onRedone?.(redone);
        this.#backAt = performance.now();
      },
    });
    const lead = new DialerLead(this.#redis, this.#keys);
    const redo = new RedoLog(this.#redis, this.#keys, {
      onFault: (error) => options.listener.onError(error),
      onCrowded: (writes) => options.listener.onCrowded?.(writes),
    });
    this.#redo = redo;
    const reading = new RedisConnection({ ...connection, name: 'ringmaster-events' });
    this.#tail = new EventTail(reading, this.#redis, this.#keys, {
      onError: (error) => options.listener.onError(error),
      onHeard: (companyId, events, last) => journal.heard(companyId, events, last),
    });
    const committer = new Committer(this.#redis, this.#keys, this.#tail, journal, retention.maxEvents);
    this.calls = new RedisCallStore(committer, options.endedCallTtl ?? 3600);
    this.floors = new RedisFloorStore(committer);
    this.events = new RedisEventLog(this.#redis, this.#keys, this.#tail, retention);
    this.dialer = new RedisDialerStore(this.#redis, redo, lead, this.#keys);
    this.flows = new RedisFlowStore(this.#redis, redo, this.#keys);
    this.lists = new RedisNumberListStore(this.#redis, redo, this.#keys);
    this.campaigncalls = new RedisCampaigncallStore(this.#redis, redo, this.#keys);
    this.contacts = new RedisContactStore(this.#redis, redo, this.#keys);
    this.masks = new RedisMaskStore(this.#redis, redo, this.#keys);
  }

  /** Changes that are remembered in case Redis loses them. */
  get remembered(): number {
    return this.#journal.size + this.#redo.size;
  }

  /** Whether Redis answers, as far as the last heartbeat told; costs nothing. */
  get healthy(): boolean {
    return this.#redis.healthy;
  }

  /** How many sentinels there are, how many answer, and how often the master was found to be another one. */
  get sentinels(): Pick<Sentinels, 'size' | 'answering' | 'switches'> | undefined {
    return this.#sentinels;
  }

  /** How long Redis has been back since it was last away, and all that was lost written again, ms; Infinity where it never was. */
  get backForMs(): number {
    return performance.now() - this.#backAt;
  }

  /** Asks Redis now. @throws {StoreUnavailable} */
  async ping(): Promise<void> {
    await this.#redis.command(['PING']);
  }

  /** Resolves once Redis is reached, however long that takes. @throws {StoreUnavailable} when closed meanwhile */
  connected(): Promise<void> {
    return this.#redis.connected();
  }

  /** @param owner names this process @param durationMs how long a lease lasts without renewal */
  leases(owner: string, durationMs: number): ShardLease {
    return new ShardLease(this.#redis, this.#keys, owner, durationMs);
  }

  /** @param shards all shards of calls that there are */
  places(shards: readonly string[]): RedisPlaces {
    return new RedisPlaces(this.#redis, this.#keys, shards);
  }

  /** Ends both connections; commands under way reject. Let commits settle first. */
  async close(): Promise<void> {
    this.#tail.close();
    this.#redis.close();
    this.#journal.close();
    this.#redo.close();
    this.#sentinels?.close();
    await this.#tail.done;
  }
}

function sentinelsOf({ url, sentinel, listener, heartbeatMs }: StoreOptions): Sentinels | undefined {
  if ((url === undefined) === (sentinel === undefined)) throw new RangeError('give either url or sentinel');
  return (
    sentinel &&
    new Sentinels(
      sentinel,
      {
        onSentinelAway: (name, error) => listener.onSentinelAway?.(name, error),
        onSentinelBack: (name) => listener.onSentinelBack?.(name),
        onSwitched: (from, to) => listener.onSwitched?.(from, to),
      },
      heartbeatMs ?? 1000,
    )
  );
}
