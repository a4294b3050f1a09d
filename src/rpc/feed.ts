import type { CompanyId } from '../cti/ids.ts';
import type { EventLog, LoggedEvent } from '../ports.ts';

/**
 * An event on its way to subscribers. Its wire forms are made when the first of them needs them and shared by all.
 */
export class OutgoingEvent {
  #notification: Buffer | undefined;
  #sse: Buffer | undefined;

  constructor(readonly event: LoggedEvent) {}

  /** The JSON-RPC notification: the log's own text, spliced in. */
  get notification(): Buffer {
    this.#notification ??= Buffer.from(`{"jsonrpc":"2.0","method":"event","params":${this.event.json}}`);
    return this.#notification;
  }

  /** The Server-Sent Event. JSON text has no line breaks of its own, so one data line holds it. */
  get sse(): Buffer {
    this.#sse ??= Buffer.from(`id: ${this.event.eventID}\ndata: ${this.event.json}\n\n`);
    return this.#sse;
  }
}

/** Hears the live events of a company. */
export interface FeedListener {
  offer(outgoing: OutgoingEvent): void;
  /** Events have gone that were never offered, and there is no getting them back. */
  lost(): void;
}

/** Most events, and characters of JSON, that a feed remembers so that replays can join it. */
const RECENT_EVENTS = 1024;
const RECENT_CHARS = 1024 * 1024;

/**
 * The live end of one company's log, shared by its subscribers. It remembers the newest events, so that a replay that
 * has read almost to the end of the log joins without a gap even while events keep coming.
 */
export class CompanyFeed {
  readonly #members = new Set<FeedListener>();
  readonly #listeners = new Set<FeedListener>();
  #broken = false;
  #recent: OutgoingEvent[] = [];
  #recentChars = 0;
  #forgotten = 0;

  constructor(readonly companyId: CompanyId) {}

  /** Takes the next events of the log's tail. */
  push(events: readonly LoggedEvent[]): void {
    for (const event of events) {
      const outgoing = new OutgoingEvent(event);
      this.#recent.push(outgoing);
      this.#recentChars += event.json.length;
      for (const listener of this.#listeners) listener.offer(outgoing);
    }
    this.#forget();
  }

  /** Whether events have been lost since the feed began: it then has no more, and a new one takes its place. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Takes in a listener that is not live yet, so that it is told of a loss. */
  enter(listener: FeedListener): void {
    this.#members.add(listener);
  }

  /** Ends the feed: everybody in it, replaying or live, has a gap. */
  lose(): void {
    this.#broken = true;
    for (const member of this.#members) member.lost();
  }

  /**
   * Makes a listener live. It must already have heard everything up to `position` that was logged before the feed
   * began. What the feed has had since is offered at once.
   *
   * @returns false if the feed no longer remembers everything after `position`: read the log again
   */
  join(listener: FeedListener, position: number): boolean {
    if (this.#forgotten > position) return false;
    this.#listeners.add(listener);
    for (const outgoing of this.#recent) {
      if (outgoing.event.eventID > position) listener.offer(outgoing);
    }
    return true;
  }

  leave(listener: FeedListener): void {
    this.#members.delete(listener);
    this.#listeners.delete(listener);
  }

  #forget(): void {
    if (this.#recent.length <= RECENT_EVENTS && this.#recentChars <= RECENT_CHARS) return;
    // Half at a time, so that the array is not shifted with every event.
    let drop = 0;
    let chars = this.#recentChars;
    while (
      drop < this.#recent.length - 1 &&
      (this.#recent.length - drop > RECENT_EVENTS / 2 || chars > RECENT_CHARS / 2)
    ) {
      const outgoing = this.#recent[drop];
      if (outgoing === undefined) break;
      chars -= outgoing.event.json.length;
      this.#forgotten = outgoing.event.eventID;
      drop += 1;
    }
    this.#recent = this.#recent.slice(drop);
    this.#recentChars = chars;
  }
}

/** The feeds of all companies that somebody listens to: one tail of the log per company, however many listen. */
export class CompanyFeeds {
  readonly #feeds = new Map<CompanyId, { readonly feed: CompanyFeed; readonly stop: () => void; users: number }>();

  constructor(readonly log: EventLog) {}

  /** The company's feed, begun if it was not. Each take() is given back by one release(). */
  take(companyId: CompanyId): CompanyFeed {
    let entry = this.#feeds.get(companyId);
    if (entry === undefined) {
      const feed = new CompanyFeed(companyId);
      const stop = this.log.tail(
        companyId,
        (events) => feed.push(events),
        () => this.#lost(feed),
      );
      entry = { feed, stop, users: 0 };
      this.#feeds.set(companyId, entry);
    }
    entry.users += 1;
    return entry.feed;
  }

  release(feed: CompanyFeed): void {
    const entry = this.#feeds.get(feed.companyId);
    if (entry === undefined || entry.feed !== feed) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    this.#feeds.delete(feed.companyId);
    entry.stop();
  }

  #lost(feed: CompanyFeed): void {
    const entry = this.#feeds.get(feed.companyId);
    if (entry === undefined || entry.feed !== feed) return;
    this.#feeds.delete(feed.companyId);
    entry.stop();
    feed.lose();
  }
}
