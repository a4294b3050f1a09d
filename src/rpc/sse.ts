import type { ServerResponse } from 'node:http';
import type { Refusal } from '../cti/errors.ts';
import type { ParamsOf } from '../cti/requests.ts';
import { drainOf } from './drain.ts';
import type { OutgoingEvent } from './feed.ts';
import type { KeyUse } from './keys.ts';
import type { CutReason } from './metrics.ts';
import { type EventSink, Subscription } from './subscription.ts';
import type { SessionDeps } from './websocket.ts';

/** Milliseconds after which a browser's EventSource, once cut, comes back. */
const RETRY_MS = 2000;

/** One client's event stream (`GET /events`): one subscription for as long as the response is open. */
export class EventStream implements EventSink {
  #subscription: Subscription | undefined;
  #ended = false;

  constructor(
    readonly use: KeyUse,
    readonly response: ServerResponse,
    readonly deps: Omit<SessionDeps, 'dispatcher'>,
  ) {
    response.on('close', () => this.#end());
    response.on('error', (error) => this.deps.logger.debug({ err: error, key: use.caller.keyName }, 'a stream failed'));
  }

  get buffered(): number {
    return this.response.writableLength;
  }

  drained(): Promise<void> {
    return drainOf(this.response);
  }

  /**
   * Opens the subscription.
   *
   * @returns EventsExpired where the log no longer holds what the client asks for; nothing has been sent then
   * @throws what the log rejects with while it cannot be read
   */
  async open(params: ParamsOf<'Subscribe'>): Promise<Refusal | undefined> {
    const opened = await Subscription.open(this.deps.feeds, this.use.caller.companyId, params, this, this.deps.limits);
    if (!(opened instanceof Subscription)) return opened;
    if (this.#ended) {
      opened.close();
      return undefined;
    }
    this.#subscription = opened;
    this.deps.metrics.subscriptions.inc();
    return undefined;
  }

  /** Sends the head and begins with the events. */
  start(headers: Readonly<Record<string, string | string[] | number | undefined>>): void {
    const subscription = this.#subscription;
    if (this.#ended || subscription === undefined) return;
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) this.response.setHeader(name, value);
    this.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    this.response.write(`retry: ${RETRY_MS}\n: lastEventID ${subscription.lastEventID}\n\n`);
    subscription.start();
  }

  send(outgoing: OutgoingEvent): void {
    if (this.#ended) return;
    this.deps.metrics.events.inc({ carrier: 'sse' });
    this.response.write(outgoing.sse);
  }

  /** The client comes back with the id of the last event that it has read; there is no better place to tell it. */
  cut(reason: CutReason): void {
    if (this.#ended) return;
    this.deps.metrics.cuts.inc({ reason });
    this.deps.logger.warn({ key: this.use.caller.keyName, reason, buffered: this.buffered }, 'subscriber cut');
    this.#end();
    this.response.destroy();
  }

  failed(error: unknown): void {
    this.deps.logger.error({ err: error, key: this.use.caller.keyName }, 'a replay could not read the log');
  }

  /**
   * A comment that keeps proxies from closing the stream, and the id up to which events were looked at: a client whose
   * filter lets little through would otherwise come back with an id that has long fallen out of the log.
   */
  heartbeat(): void {
    const position = this.#subscription?.position;
    if (this.#ended || position === undefined || !this.response.headersSent) return;
    if (this.buffered > this.deps.limits.bufferedBytes) this.cut('slow');
    else this.response.write(`: alive\nid: ${position}\n\n`);
  }

  /** Ends the stream because the service stops. */
  goAway(): void {
    this.#end();
    this.response.end();
  }

  #end(): void {
    this.#ended = true;
    if (this.#subscription === undefined) return;
    this.#subscription.close();
    this.#subscription = undefined;
    this.deps.metrics.subscriptions.dec();
  }
}
