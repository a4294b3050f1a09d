import { type Refusal, refuse } from '../cti/errors.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { ParamsOf } from '../cti/requests.ts';
import type { LoggedEvent } from '../ports.ts';
import { type CompanyFeed, type CompanyFeeds, type FeedListener, OutgoingEvent } from './feed.ts';
import type { CutReason } from './metrics.ts';

/** Where a subscription's events go: a WebSocket or an event stream. */
export interface EventSink {
  send(outgoing: OutgoingEvent): void;
  /** Bytes that wait for the client to read. */
  readonly buffered: number;
  /** Resolves once the client has read what waits, or is gone. */
  drained(): Promise<void>;
  /** Ends the connection. The client is told where it can go on, if it still listens. */
  cut(reason: CutReason): void;
  /** A failure of the log that is worth a line in the service's own log. */
  failed(error: unknown): void;
}

/** Bounds of a subscription. */
export interface SubscriptionBounds {
  /** Bytes that may wait; beyond them the subscriber is cut. */
  readonly bufferedBytes: number;
}

/** Events read from the log at once. */
const REPLAY_EVENTS = 500;
/** A replay waits for its client to read once so many bytes wait: far below the cut, as the log can wait. */
const REPLAY_BUFFERED_BYTES = 256 * 1024;

type Filter = Pick<ParamsOf<'Subscribe'>, 'events' | 'callID' | 'thisDN'>;

/**
 * One subscription: first what the log holds after its position, read in pieces no faster than the client takes them,
 * then live. The two meet in `CompanyFeed.join`, in one turn of the event loop: nothing is missed and nothing is told
 * twice, because the position only moves forward.
 */
export class Subscription implements FeedListener {
  readonly #events: ReadonlySet<string> | undefined;
  readonly #callID: string | undefined;
  readonly #thisDN: string | undefined;
  #position: number;
  #closed = false;

  private constructor(
    readonly feeds: CompanyFeeds,
    readonly feed: CompanyFeed,
    readonly sink: EventSink,
    readonly bounds: SubscriptionBounds,
    filter: Filter,
    position: number,
    readonly lastEventID: number,
    private first: readonly LoggedEvent[] | undefined,
  ) {
    this.#events = filter.events === undefined ? undefined : new Set(filter.events);
    this.#callID = filter.callID;
    this.#thisDN = filter.thisDN;
    this.#position = position;
  }

  /**
   * Opens a subscription; it sends nothing until start().
   *
   * @returns the subscription, or EventsExpired where the log does not hold everything after `params.after`
   * @throws what the log rejects with while it cannot be read
   */
  static async open(
    feeds: CompanyFeeds,
    companyId: CompanyId,
    params: ParamsOf<'Subscribe'>,
    sink: EventSink,
    bounds: SubscriptionBounds,
  ): Promise<Subscription | Refusal> {
    // The tail first, the log afterwards: what falls between the two is in both, and the position tells it.
    const feed = feeds.take(companyId);
    try {
      const last = await feeds.log.lastEventID(companyId);
      const { after } = params;
      if (after === undefined) return new Subscription(feeds, feed, sink, bounds, params, last, last, undefined);
      // An id that was never given comes from a log that has been lost since: what followed it then is gone.
      const first = after > last ? 'expired' : await feeds.log.read(companyId, after, REPLAY_EVENTS);
      if (first !== 'expired') return new Subscription(feeds, feed, sink, bounds, params, after, last, first);
      feeds.release(feed);
      return refuse('EventsExpired', { after, lastEventID: last });
    } catch (error) {
      feeds.release(feed);
      throw error;
    }
  }

  /** Everything up to this eventID has been sent or filtered out. */
  get position(): number {
    return this.#position;
  }

  /** Begins to send. Called once the client has been answered. */
  start(): void {
    const { first } = this;
    this.first = undefined;
    if (this.#closed) return;
    if (this.feed.broken) {
      this.lost();
      return;
    }
    this.feed.enter(this);
    if (first === undefined && this.feed.join(this, this.#position)) return;
    this.#replay(first ?? []).catch((error) => {
      this.sink.failed(error);
      this.sink.cut('log');
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.feed.leave(this);
    this.feeds.release(this.feed);
  }

  offer(outgoing: OutgoingEvent): void {
    const { event } = outgoing;
    if (this.#closed || event.eventID <= this.#position) return;
    if (this.sink.buffered > this.bounds.bufferedBytes) {
      this.sink.cut('slow');
      return;
    }
    this.#position = event.eventID;
    if (this.#matches(event)) this.sink.send(outgoing);
  }

  lost(): void {
    this.sink.cut('expired');
  }

  async #replay(first: readonly LoggedEvent[]): Promise<void> {
    let read = first;
    for (;;) {
      for (const event of read) {
        this.offer(new OutgoingEvent(event));
        if (this.sink.buffered > REPLAY_BUFFERED_BYTES) await this.sink.drained();
        if (this.#closed) return;
      }
      // A piece that was not full ended where the log ended, which was after the feed had begun.
      if (read.length < REPLAY_EVENTS && this.feed.join(this, this.#position)) return;
      const next = await this.feeds.log.read(this.feed.companyId, this.#position, REPLAY_EVENTS);
      if (this.#closed) return;
      if (next === 'expired') {
        this.sink.cut('expired');
        return;
      }
      read = next;
    }
  }

  #matches(event: LoggedEvent): boolean {
    return (
      (this.#events === undefined || this.#events.has(event.messageID)) &&
      (this.#callID === undefined || this.#callID === event.callID) &&
      (this.#thisDN === undefined || this.#thisDN === event.thisDN)
    );
  }
}
