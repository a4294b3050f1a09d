import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { RawData, WebSocket } from 'ws';
import { type Refusal, refuse } from '../cti/errors.ts';
import type { ParamsOf } from '../cti/requests.ts';
import type { Dispatcher, Session, SubscriptionDesk } from './dispatcher.ts';
import { drainOf } from './drain.ts';
import type { CompanyFeeds, OutgoingEvent } from './feed.ts';
import type { KeyUse } from './keys.ts';
import type { RpcLimits } from './limits.ts';
import type { CutReason, RpcMetrics } from './metrics.ts';
import { type EventSink, Subscription } from './subscription.ts';

/** What the sessions of a server share. */
export interface SessionDeps {
  readonly dispatcher: Dispatcher;
  readonly feeds: CompanyFeeds;
  readonly limits: RpcLimits;
  readonly metrics: RpcMetrics;
  readonly logger: Logger;
}

/** Close codes of RFC 6455, section 7.4.1 and its registry. */
const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;
const TRY_AGAIN_LATER = 1013;

/** One client's WebSocket: its requests, its subscriptions, and the one queue to it that both share. */
export class WebSocketSession implements Session, SubscriptionDesk, EventSink {
  readonly subscriptions = this;
  readonly #open = new Map<string, Subscription>();
  #opening = 0;
  #lastID = 0;
  #answeredHeartbeat = true;
  #ended = false;
  #corked = false;

  /**
   * @param socket what the WebSocket runs on, for its back-pressure
   */
  constructor(
    readonly use: KeyUse,
    readonly ws: WebSocket,
    readonly socket: Duplex,
    readonly deps: SessionDeps,
  ) {
    ws.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on('pong', () => {
      this.#answeredHeartbeat = true;
    });
    // ws closes the socket itself, with the code that fits (1009 for a message that is too long).
    ws.on('error', (error) => this.deps.logger.debug({ err: error, key: use.caller.keyName }, 'a WebSocket failed'));
    ws.on('close', () => this.#end());
  }

  get buffered(): number {
    return this.ws.bufferedAmount;
  }

  drained(): Promise<void> {
    return drainOf(this.socket);
  }

  send(outgoing: OutgoingEvent): void {
    if (this.ws.readyState !== this.ws.OPEN) return;
    this.deps.metrics.events.inc({ carrier: 'websocket' });
    this.#cork();
    this.ws.send(outgoing.notification, { binary: false });
  }

  /** What is sent in one turn of the event loop goes out in one write: the events of a commit, and its answer. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.socket.cork();
    setImmediate(() => {
      this.#corked = false;
      this.socket.uncork();
    });
  }

  cut(reason: CutReason): void {
    if (this.#ended) return;
    this.deps.metrics.cuts.inc({ reason });
    this.deps.logger.warn({ key: this.use.caller.keyName, reason, buffered: this.buffered }, 'subscriber cut');
    this.#close(TRY_AGAIN_LATER, CUT_REASONS[reason]);
  }

  failed(error: unknown): void {
    this.deps.logger.error({ err: error, key: this.use.caller.keyName }, 'a replay could not read the log');
  }

  /** Asks for a sign of life, and ends the socket if the last one was not answered. */
  heartbeat(): void {
    // One that is closing has a time limit of its own.
    if (this.ws.readyState !== this.ws.OPEN) return;
    if (this.#answeredHeartbeat) {
      this.#answeredHeartbeat = false;
      this.ws.ping();
      return;
    }
    this.deps.metrics.cuts.inc({ reason: 'silent' });
    this.#end();
    this.ws.terminate();
  }

  /** Closes because the service stops. */
  goAway(): void {
    this.#close(GOING_AWAY, 'the service is stopping');
  }

  async subscribe(
    params: ParamsOf<'Subscribe'>,
  ): Promise<{ result: unknown; start: () => void } | { refusal: Refusal }> {
    const most = this.deps.limits.subscriptionsPerSocket;
    if (this.#open.size + this.#opening >= most) {
      return { refusal: refuse('RequestTooFast', { reason: `a socket may have ${most} subscriptions` }) };
    }
    this.#opening += 1;
    let subscription: Subscription | Refusal;
    try {
      subscription = await Subscription.open(
        this.deps.feeds,
        this.use.caller.companyId,
        params,
        this,
        this.deps.limits,
      );
    } catch (error) {
      this.failed(error);
      return { refusal: refuse('NotReady') };
    } finally {
      this.#opening -= 1;
    }
    if (!(subscription instanceof Subscription)) return { refusal: subscription };
    const opened = subscription;
    if (this.#ended) {
      opened.close();
      return { refusal: refuse('NotReady') };
    }
    this.#lastID += 1;
    const subscriptionID = String(this.#lastID);
    this.#open.set(subscriptionID, opened);
    this.deps.metrics.subscriptions.inc();
    return { result: { subscriptionID, lastEventID: opened.lastEventID }, start: () => opened.start() };
  }

  unsubscribe({ subscriptionID }: ParamsOf<'Unsubscribe'>): { result: unknown } | { refusal: Refusal } {
    const subscription = this.#open.get(subscriptionID);
    if (subscription === undefined) {
      const issues = [{ path: 'subscriptionID', reason: 'no open subscription of this socket' }];
      return { refusal: refuse('InvalidParams', { issues }) };
    }
    this.#forget(subscriptionID, subscription);
    return { result: {} };
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#ended) return;
    if (isBinary) {
      this.#close(UNSUPPORTED_DATA, 'requests are text');
      return;
    }
    void this.#answer(data.toString());
  }

  async #answer(request: string): Promise<void> {
    const { text, afterwards } = await this.deps.dispatcher.answer(this, request);
    // One that asks and does not read its answers is as slow as one that does not read its events.
    if (text !== undefined && this.buffered > this.deps.limits.bufferedBytes) this.cut('slow');
    if (text !== undefined && this.ws.readyState === this.ws.OPEN) {
      this.#cork();
      this.ws.send(text);
    }
    for (const start of afterwards) start();
  }

  /** The reason tells where to go on: after the subscription that is furthest behind, so that none has a gap. */
  #close(code: number, reason: string): void {
    let position = Number.POSITIVE_INFINITY;
    for (const subscription of this.#open.values()) position = Math.min(position, subscription.position);
    this.#end();
    this.ws.close(code, Number.isFinite(position) ? `${reason}; resume with after: ${position}` : reason);
  }

  #end(): void {
    this.#ended = true;
    for (const [id, subscription] of this.#open) this.#forget(id, subscription);
  }

  #forget(id: string, subscription: Subscription): void {
    this.#open.delete(id);
    this.deps.metrics.subscriptions.dec();
    subscription.close();
  }
}

/** At most 123 bytes with the rest of the reason: RFC 6455, section 5.5. */
export const CUT_REASONS: Readonly<Record<CutReason, string>> = {
  slow: 'reads too slowly',
  expired: 'EventsExpired: events were lost',
  log: 'the event log cannot be read',
  silent: 'no sign of life',
};
