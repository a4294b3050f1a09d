import type { CompanyId } from '../cti/ids.ts';
import type { LoggedEvent } from '../ports.ts';
import { StoreUnavailable } from './errors.ts';
import type { Keys } from './keys.ts';
import { entryID, logged, type PreparedEvent, preparedOf } from './logged-event.ts';
import type { RedisConnection } from './redis-connection.ts';
import { list, text, whole } from './reply.ts';

/** Redis holds a read back so long for want of news, ms. Shorter than the heartbeat's patience. */
const BLOCK_MS = 1000;
/** Events in one read, over all companies. */
const READ_AT_ONCE = 2000;
/**
 * Wait between two reads while this process itself commits, ms: each of its commits would end a read, only to bring what
 * has been told already. So much later an event of another process may be heard then, and no later. It begins short, and
 * doubles with each read that has brought nothing of another process's: where one instance does all the work, the reads
 * cost it little.
 */
const OWN_PAUSE_MS = { least: 5, most: 40 };
/** A read that is just being sent is not yet blocked and cannot be woken: asked again so often. */
const WAKE_ATTEMPTS = 20;

interface Listener {
  readonly events: (events: readonly LoggedEvent[]) => void;
  readonly lost: (() => void) | undefined;
}

/** What the tail tells of itself. */
export interface TailListener {
  /** What a listener threw. */
  onError(error: Error): void;
  /** Events of another process, the last of them with `lastEventID`, ids without a hole. */
  onHeard(company: CompanyId, events: readonly PreparedEvent[], lastEventID: number): void;
}

interface Tailed {
  readonly company: CompanyId;
  readonly stream: string;
  readonly listeners: Set<Listener>;
  /** Newest eventID that the listeners have been given; undefined until the log's end is known. */
  seen: number | undefined;
}

/**
 * Tells listeners what is new in the logs of their companies: one blocking read on one connection for all of them.
 * What this process itself commits is told at once where it is next in the sequence, and recognised by its id when
 * the read brings it again.
 */
export class EventTail {
  readonly #reading: RedisConnection;
  readonly #asking: RedisConnection;
  readonly #keys: Keys;
  readonly #told: TailListener;
  readonly #byCompany = new Map<CompanyId, Tailed>();
  readonly #byStream = new Map<string, Tailed>();
  #clientID: number | undefined;
  /** The read under way; undefined while none is. */
  #read: { readonly streams: ReadonlySet<string> } | undefined;
  #wakeUp: (() => void) | undefined;
  /** This process has committed since the last pause began. */
  #ownCommits = false;
  /** Wait before the next read, if this process commits. */
  #pauseMs = OWN_PAUSE_MS.least;
  /** Events of the last read of which it is not known that this process has committed them. */
  #unclaimed = 0;
  /** Ends the wait between two reads. */
  #endPause: (() => void) | undefined;
  #closed = false;
  /** Settles when the reading has ended. */
  readonly done: Promise<void>;

  /**
   * @param reading a connection of its own: a blocking read holds up everything behind it
   * @param asking where the log's end is asked for; the connection of the commits, so that a commit sent after
   *   {@link listen} is always heard
   */
  constructor(reading: RedisConnection, asking: RedisConnection, keys: Keys, told: TailListener) {
    this.#reading = reading;
    this.#asking = asking;
    this.#keys = keys;
    this.#told = told;
    this.done = this.#run();
  }

  /**
   * @param lost called when events have gone that this listener was never given: Redis lost its log, or the reader was
   *   cut off for longer than the log keeps events. What follows are the events after the gap.
   */
  listen(company: CompanyId, events: Listener['events'], lost?: () => void): () => void {
    let tailed = this.#byCompany.get(company);
    if (!tailed) {
      tailed = { company, stream: this.#keys.events(company), listeners: new Set(), seen: undefined };
      this.#byCompany.set(company, tailed);
      this.#byStream.set(tailed.stream, tailed);
      void this.#findEnd(tailed);
    }
    const here = tailed;
    const listener: Listener = { events, lost };
    here.listeners.add(listener);
    return () => {
      here.listeners.delete(listener);
      if (here.listeners.size > 0 || this.#byCompany.get(company) !== here) return;
      this.#byCompany.delete(company);
      this.#byStream.delete(here.stream);
    };
  }

  /** The log's end as somebody was told it: a tail that could not yet ask begins here, not at a later end. */
  startAt(company: CompanyId, lastEventID: number): void {
    const tailed = this.#byCompany.get(company);
    if (tailed) this.#start(tailed, lastEventID);
  }

  /** Events that this process has just committed, the last of them with `lastEventID`. */
  committed(company: CompanyId, events: readonly PreparedEvent[], lastEventID: number): void {
    const tailed = this.#byCompany.get(company);
    if (tailed?.seen === undefined || events.length === 0) return;
    this.#ownCommits = true;
    const before = lastEventID - events.length;
    if (tailed.seen !== before) {
      // Another process's events come first: only the read has them.
      if (tailed.seen < before) {
        this.#unclaimed += 1;
        this.#endPause?.();
      } else {
        // The read had them before the commit was answered.
        this.#unclaimed -= events.length;
      }
      return;
    }
    tailed.seen = lastEventID;
    this.#tell(
      tailed,
      events.map((event, i) => logged(event, before + 1 + i)),
    );
  }

  /** Newest eventID that listeners were given, by company. */
  positions(): ReadonlyMap<CompanyId, number> {
    return new Map(
      [...this.#byCompany].flatMap(([company, { seen }]) => (seen === undefined ? [] : [[company, seen]])),
    );
  }

  /** Redis has another event under this id, and from there on, than was told: listeners begin afresh there. */
  diverged(company: CompanyId, firstEventID: number): void {
    const tailed = this.#byCompany.get(company);
    if (tailed?.seen === undefined || tailed.seen < firstEventID) return;
    tailed.seen = firstEventID - 1;
    this.#tellLost(tailed);
  }

  close(): void {
    this.#closed = true;
    this.#byCompany.clear();
    this.#byStream.clear();
    this.#reading.close();
    this.#wakeUp?.();
    this.#endPause?.();
  }

  async #findEnd(tailed: Tailed): Promise<void> {
    while (!this.#closed && tailed.seen === undefined && this.#byCompany.get(tailed.company) === tailed) {
      try {
        await this.#asking.connected();
        const reply = await this.#asking.command(['GET', this.#keys.eventCounter(tailed.company)]);
        this.#start(tailed, whole(reply ?? 0));
      } catch (error) {
        if (!this.#mayGoOn(error)) return;
      }
    }
  }

  #start(tailed: Tailed, lastEventID: number): void {
    if (tailed.seen !== undefined) return;
    tailed.seen = lastEventID;
    this.#wakeUp?.();
    this.#endPause?.();
    void this.#unblock(tailed.stream);
  }

  /** Makes the read under way return, so that the next one includes this stream. */
  async #unblock(stream: string): Promise<void> {
    const read = this.#read;
    if (!read || read.streams.has(stream)) return;
    for (let i = 0; i < WAKE_ATTEMPTS && this.#read === read && this.#clientID !== undefined; i += 1) {
      try {
        if (whole(await this.#asking.command(['CLIENT', 'UNBLOCK', String(this.#clientID)])) === 1) return;
      } catch (error) {
        // The read returns by itself after BLOCK_MS, or with the connection.
        this.#mayGoOn(error);
        return;
      }
    }
  }

  async #run(): Promise<void> {
    let resumed = false;
    while (!this.#closed) {
      try {
        if (!resumed) {
          await this.#reading.connected();
          this.#clientID = whole(await this.#reading.command(['CLIENT', 'ID']));
          // What Redis has lost is put back over the other connection first: it must be there, and not just about to fail.
          await this.#asking.connected();
          await this.#asking.command(['PING']);
          await this.#checkForLoss();
          resumed = true;
          // Closed as the last answer came: nobody would end a wait that begins now.
          if (this.#closed) return;
        }
        const tailed = [...this.#byCompany.values()].filter((t) => t.seen !== undefined);
        if (tailed.length === 0) await this.#somethingToRead();
        else {
          this.#unclaimed = 0;
          await this.#readOnce(tailed);
          if (this.#ownCommits && !this.#closed) {
            this.#ownCommits = false;
            await this.#pause();
          }
          // By now what this process had committed before the read has been answered, and is known as its own.
          this.#pauseMs = this.#unclaimed > 0 ? OWN_PAUSE_MS.least : Math.min(OWN_PAUSE_MS.most, this.#pauseMs * 2);
        }
      } catch (error) {
        resumed = false;
        this.#clientID = undefined;
        if (!this.#mayGoOn(error)) return;
      }
    }
  }

  /** After a reconnection: a log that now ends before what was seen is another log. */
  async #checkForLoss(): Promise<void> {
    const known = [...this.#byCompany.values()].filter((t) => t.seen !== undefined);
    await Promise.all(
      known.map(async (tailed) => {
        const seen = tailed.seen ?? 0;
        const last = whole((await this.#reading.command(['GET', this.#keys.eventCounter(tailed.company)])) ?? 0);
        if (last >= seen || tailed.seen !== seen) return;
        tailed.seen = last;
        this.#tellLost(tailed);
      }),
    );
  }

  #somethingToRead(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeUp = () => {
        this.#wakeUp = undefined;
        resolve();
      };
    });
  }

  async #pause(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      timer = setTimeout(resolve, this.#pauseMs);
    });
    clearTimeout(timer);
    this.#endPause = undefined;
  }

  async #readOnce(tailed: readonly Tailed[]): Promise<void> {
    const count = Math.max(10, Math.floor(READ_AT_ONCE / tailed.length));
    const args = ['XREAD', 'COUNT', String(count), 'BLOCK', String(BLOCK_MS), 'STREAMS'];
    for (const { stream } of tailed) args.push(stream);
    for (const { seen } of tailed) args.push(`${seen}-0`);
    const read = { streams: new Set(tailed.map((t) => t.stream)) };
    this.#read = read;
    let reply: unknown;
    try {
      reply = await this.#reading.command(args);
    } finally {
      this.#read = undefined;
    }
    if (reply === null) return;
    for (const part of list(reply)) {
      const [stream, entries] = list(part);
      const to = this.#byStream.get(text(stream));
      if (to) this.#take(to, list(entries));
    }
  }

  #take(tailed: Tailed, entries: readonly unknown[]): void {
    const { seen } = tailed;
    if (seen === undefined) return;
    const fresh = entries.filter((entry) => entryID(entry) > seen);
    if (fresh.length === 0) return;
    this.#unclaimed += fresh.length;
    if (entryID(fresh[0]) !== seen + 1) this.#tellLost(tailed);
    const last = entryID(fresh.at(-1));
    const prepared = fresh.map(preparedOf);
    tailed.seen = last;
    if (last - entryID(fresh[0]) === fresh.length - 1) this.#told.onHeard(tailed.company, prepared, last);
    this.#tell(
      tailed,
      prepared.map((event, i) => logged(event, entryID(fresh[i]))),
    );
  }

  #tell(tailed: Tailed, events: readonly LoggedEvent[]): void {
    for (const listener of [...tailed.listeners]) this.#safely(() => listener.events(events));
  }

  #tellLost(tailed: Tailed): void {
    for (const listener of [...tailed.listeners]) this.#safely(() => listener.lost?.());
  }

  /** One listener's mistake must not keep events from the others. */
  #safely(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#told.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** The outage itself is told by the connection; anything else is told here. */
  #mayGoOn(error: unknown): boolean {
    if (error instanceof StoreUnavailable) return error.retryable && !this.#closed;
    this.#told.onError(error instanceof Error ? error : new Error(String(error)));
    return !this.#closed;
  }
}
