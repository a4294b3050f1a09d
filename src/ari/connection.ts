import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket, { type RawData } from 'ws';
import type { AriMethod, Carrier } from './carrier.ts';
import { AriError, type AriErrorKind } from './errors.ts';
import { EventBuffer } from './event-buffer.ts';
import type { Resync, Settings } from './options.ts';
import { reset } from './reset.ts';
import type { AriStats } from './stats.ts';
import type { AriEvent, Bridge, Channel } from './types.generated.ts';
import { type RestResponseFrame, WebSocketCarrier } from './websocket-carrier.ts';

/** What a connection tells the client that owns it. */
export interface ConnectionOwner {
  readonly settings: Settings;
  readonly stats: AriStats;
  /** Sends a request by a chosen carrier. */
  exchange(
    carrier: Carrier,
    method: AriMethod,
    target: string,
    body: string | undefined,
    timeoutMs: number,
  ): Promise<unknown>;
  readonly http: Carrier;
  /** Hands an event to the consumer; does not throw. */
  deliver(event: AriEvent, receivedAt: number): void;
  beforeLists(): Promise<void> | undefined;
  resync(resync: Resync): void | Promise<void>;
  /** Something came that is no message. */
  nonsense(error: unknown): void;
  opened(connection: Connection): void;
  ready(connection: Connection): void;
  replaced(connection: Connection): void;
  lost(connection: Connection, error: AriError): void;
}

/** How often it is looked whether a connection that is no longer used has been answered, ms. */
const RETIRING_MS = 20;

/** One life of the event socket, from the handshake to its end: never reused. */
export class Connection {
  readonly #owner: ConnectionOwner;
  readonly #socket: WebSocket;
  readonly #abort = new AbortController();
  readonly #buffer: EventBuffer;
  readonly #websocket: WebSocketCarrier;
  #tcp: Socket | undefined;
  #corked = false;
  #websocketWorks = false;
  #live = false;
  #ended = false;
  #open = false;
  #lastTraffic = 0;
  #lastPing = 0;

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
    const { settings } = owner;
    this.#buffer = new EventBuffer(settings.maxBufferedEvents);
    this.#socket = new WebSocket(settings.eventsUrl, {
      headers: { authorization: settings.authorization },
      handshakeTimeout: settings.handshakeTimeoutMs,
      maxPayload: settings.maxFrameBytes,
      perMessageDeflate: false,
      followRedirects: false,
      skipUTF8Validation: true,
      ...settings.tls,
    });
    this.#websocket = new WebSocketCarrier({ send: (text) => this.#sendFrame(text) }, Number.POSITIVE_INFINITY);
    this.#listen();
  }

  /** The carrier over this socket, once Asterisk has answered on it. */
  get carrier(): WebSocketCarrier | undefined {
    return this.#websocketWorks && !this.#ended ? this.#websocket : undefined;
  }

  /** Requests under way on this socket. */
  get inFlight(): number {
    return this.#websocket.inFlight;
  }

  /**
   * Pings a silent node and gives up a dead one.
   * @param now clock of performance.now()
   * @param lateBy how much this call was delayed by a blocked process: that much silence is not the node's
   */
  tick(now: number, lateBy: number): void {
    if (!this.#open || this.#ended) return;
    const { settings, stats } = this.#owner;
    this.#lastTraffic += lateBy;
    const silence = now - this.#lastTraffic;
    if (silence >= settings.deadMs) {
      stats.watchdogExpiries += 1;
      // What it has not taken in by now it must not take in when the network is back.
      if (this.#tcp) reset(this.#tcp);
      this.#end('connection', `nothing came from Asterisk for ${Math.round(silence)} ms`);
      return;
    }
    if (silence >= settings.pingMs && now - this.#lastPing >= settings.pingMs) {
      this.#lastPing = now;
      this.#socket.ping();
    }
  }

  /** Ends the connection at once: it is no good any more. */
  giveUp(reason: string): void {
    this.#end('connection', reason);
  }

  /** Ends the connection at once, without telling the owner: what was sent on it and has not arrived never does. */
  reset(): void {
    this.#release('closed', 'the connection was reset');
    if (this.#tcp) reset(this.#tcp);
    else this.#socket.terminate();
  }

  /** Ends the connection, without telling the owner, once what was asked on it has been answered. */
  async retire(kind: AriErrorKind, reason: string): Promise<void> {
    while (this.#websocket.inFlight > 0 && !this.#ended) await delay(RETIRING_MS);
    if (!this.#ended) await this.close(kind, reason);
  }

  /** Ends the connection in an orderly way, without telling the owner. */
  async close(kind: AriErrorKind, reason: string): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
    });
    this.#release(kind, reason);
    if (socket.readyState === WebSocket.OPEN) {
      socket.close(1000);
      // A node that does not answer the close frame is not waited for.
      const timer = setTimeout(() => socket.terminate(), 1_000);
      await closed;
      clearTimeout(timer);
    } else {
      socket.terminate();
      await closed;
    }
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('open', () => this.#onOpen());
    socket.on('message', (data) => this.#onMessage(data));
    socket.on('upgrade', (response) => {
      this.#tcp = response.socket;
    });
    const onTraffic = () => this.#traffic();
    socket.on('pong', onTraffic);
    socket.on('ping', onTraffic);
    socket.on('unexpected-response', (request, response) => {
      const status = response.statusCode ?? 0;
      request.destroy();
      this.#end('status', response.statusMessage ?? 'the upgrade was refused', status);
    });
    socket.on('error', (error) => this.#end('connection', error.message, undefined, error));
    socket.on('close', (code) => this.#end('connection', `the event socket was closed (${code})`));
  }

  /** Frames of one turn of the event loop go out in one write: what a batch of events leads to costs one system call. */
  #sendFrame(text: string): void {
    const tcp = this.#tcp;
    if (tcp && !this.#corked) {
      this.#corked = true;
      tcp.cork();
      setImmediate(() => {
        this.#corked = false;
        tcp.uncork();
      });
    }
    this.#socket.send(text);
  }

  #traffic(): number {
    const now = performance.now();
    this.#lastTraffic = now;
    return now;
  }

  #onOpen(): void {
    if (this.#ended) return;
    this.#open = true;
    this.#traffic();
    this.#owner.stats.lastTrafficAt = Date.now();
    this.#owner.opened(this);
    this.#start().catch((error: unknown) => {
      if (this.#ended) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#end('connection', `resync failed: ${reason}`, undefined, error);
    });
  }

  #onMessage(data: RawData): void {
    if (this.#ended) return;
    const { stats } = this.#owner;
    const receivedAt = Date.now();
    this.#traffic();
    stats.lastTrafficAt = receivedAt;
    let message: unknown;
    try {
      message = JSON.parse(data.toString());
    } catch {
      message = undefined;
    }
    if (typeof message !== 'object' || message === null || !('type' in message) || typeof message.type !== 'string') {
      stats.unparsableFrames += 1;
      this.#owner.nonsense(new Error(`${this.#owner.settings.node}: a frame that is no ARI message`));
      return;
    }
    const { type } = message;
    if (type === 'RESTResponse') {
      if (!this.#websocket.receive(message as RestResponseFrame)) stats.lateResponses += 1;
      return;
    }
    const count = stats.events[type];
    let event: AriEvent;
    if (count === undefined) {
      stats.unknownEvents += 1;
      event = { type: 'UnknownEvent', unknownType: type, raw: message as Record<string, unknown> };
    } else {
      stats.events[type] = count + 1;
      event = message as AriEvent;
    }
    if (this.#live) this.#owner.deliver(event, receivedAt);
    else this.#hold(event, receivedAt);
    if (type === 'ApplicationReplaced' && event.type === type && event.application === this.#owner.settings.app) {
      this.#owner.replaced(this);
    }
  }

  #hold(event: AriEvent, receivedAt: number): void {
    const { stats } = this.#owner;
    if (this.#buffer.push(event, receivedAt)) {
      stats.bufferedEvents = this.#buffer.size;
      return;
    }
    stats.bufferOverflows += 1;
    this.#end('connection', `more than ${this.#buffer.size} events came during the resync`);
  }

  /** From open to ready: find the carrier, set the filter, fetch the lists, hand them on, then what was held back. */
  async #start(): Promise<void> {
    const { settings, stats } = this.#owner;
    let deadline = performance.now() + settings.resyncTimeoutMs;
    const late = () => this.#end('timeout', `not ready ${settings.resyncTimeoutMs} ms after the connection was made`);
    let timeout = setTimeout(late, settings.resyncTimeoutMs);
    try {
      let clock = await this.#probe();
      await this.#setFilter(deadline);
      const wait = this.#owner.beforeLists();
      if (wait) {
        // Whoever is to read the lists is not there yet: that is not the node's time.
        clearTimeout(timeout);
        await wait;
        if (this.#ended) return;
        deadline = performance.now() + settings.resyncTimeoutMs;
        timeout = setTimeout(late, settings.resyncTimeoutMs);
        clock = undefined;
      }
      // The application is registered from here on: nothing can fall between its events and the lists.
      clock ??= clockOf(await this.#get('/asterisk/ping', deadline));
      const at = Date.now();
      const [channels, bridges] = (await Promise.all([
        this.#get('/channels', deadline),
        this.#get('/bridges', deadline),
      ])) as [Channel[], Bridge[]];
      if (this.#ended) return;
      const ended = this.#buffer.endedChannels();
      await this.#owner.resync({ channels, bridges, at, ended, signal: this.#abort.signal });
      if (this.#ended) return;
      this.#live = true;
      stats.staleEvents += this.#buffer.drain({ channels, bridges, clock }, (event, receivedAt) => {
        if (!this.#ended) this.#owner.deliver(event, receivedAt);
      });
      stats.bufferedEvents = 0;
      if (!this.#ended) this.#owner.ready(this);
    } finally {
      clearTimeout(timeout);
    }
  }

  /** Finds out whether Asterisk answers requests on this socket. Returns Asterisk's clock if it does. */
  async #probe(): Promise<string | undefined> {
    const { settings } = this.#owner;
    if (settings.carrier === 'http') return undefined;
    try {
      const pong = await this.#owner.exchange(
        this.#websocket,
        'GET',
        '/asterisk/ping',
        undefined,
        settings.probeTimeoutMs,
      );
      this.#websocketWorks = true;
      return clockOf(pong);
    } catch (error) {
      if (settings.carrier === 'websocket' || !(error instanceof AriError) || error.kind !== 'timeout') throw error;
      return undefined; // an Asterisk before 20.14 or 22.4 leaves the frame unanswered
    }
  }

  async #setFilter(deadline: number): Promise<void> {
    const { settings, http } = this.#owner;
    const target = `/applications/${encodeURIComponent(settings.app)}/eventFilter`;
    const body = JSON.stringify({ disallowed: settings.disallow.map((type) => ({ type })) });
    for (;;) {
      try {
        await this.#owner.exchange(this.carrier ?? http, 'PUT', target, body, this.#left(deadline));
        return;
      } catch (error) {
        // By HTTP the request can overtake the application's registration, which follows the handshake.
        const early = error instanceof AriError && error.status === 404 && performance.now() < deadline;
        if (!early || this.#ended) throw error;
        await delay(20, undefined, { signal: this.#abort.signal });
      }
    }
  }

  #get(target: string, deadline: number): Promise<unknown> {
    return this.#owner.exchange(this.#owner.http, 'GET', target, undefined, this.#left(deadline));
  }

  #left(deadline: number): number {
    return Math.max(1, deadline - performance.now());
  }

  #end(kind: AriErrorKind, reason: string, status?: number, cause?: unknown): void {
    if (this.#ended) return;
    const details = { node: this.#owner.settings.node, method: 'GET', path: '/events', kind, reason, cause };
    this.#release('connection', reason);
    this.#socket.terminate();
    this.#owner.lost(this, new AriError(status === undefined ? details : { ...details, status }));
  }

  #release(kind: AriErrorKind, reason: string): void {
    this.#ended = true;
    this.#owner.stats.bufferedEvents = 0;
    this.#buffer.clear();
    this.#abort.abort();
    this.#websocket.close(kind, reason);
  }
}

function clockOf(pong: unknown): string | undefined {
  return typeof pong === 'object' && pong !== null && 'timestamp' in pong && typeof pong.timestamp === 'string'
    ? pong.timestamp
    : undefined;
}
