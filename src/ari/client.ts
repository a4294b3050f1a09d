import { Backoff } from './backoff.ts';
import { type AriMethod, type Carrier, Exchange, type ExchangeOwner } from './carrier.ts';
import { kindOf } from './carrier-policy.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { Deadlines } from './deadlines.ts';
import { type Download, Downloads } from './download.ts';
import { AriError, type AriErrorKind } from './errors.ts';
import { HttpCarrier } from './http-carrier.ts';
import { type AriClientOptions, type AriState, type Resync, type Settings, settingsOf } from './options.ts';
import { Applications } from './resources/applications.ts';
import { AsteriskResource } from './resources/asterisk.ts';
import { Bridges } from './resources/bridges.ts';
import { Channels } from './resources/channels.ts';
import { Endpoints } from './resources/endpoints.ts';
import { Events } from './resources/events.ts';
import { Playbacks } from './resources/playbacks.ts';
import { Recordings } from './resources/recordings.ts';
import type { Requester, RequestOptions } from './resources/requester.ts';
import { encodeQuery } from './resources/requester.ts';
import { type AriStats, emptyStats, type RequestOutcome } from './stats.ts';
import type { AriEvent } from './types.generated.ts';
import { Waiters } from './waiters.ts';
import { MAX_REQUEST_FRAME_BYTES } from './websocket-carrier.ts';

/** Between two reports of things that make no sense, ms: a node that talks nonsense must not fill the log. */
const NONSENSE_MS = 60_000;
/** Coarsest step of deadlines and watchdog. */
const MAX_TICK_MS = 200;

/**
 * A client of one Asterisk node: its events as one ordered stream, its REST interface as promises that always settle.
 *
 * Credentials travel in the Authorization header alone. Requests work in every state but `closed`; without an event socket
 * they go by HTTP.
 */
export class AriClient implements Requester {
  readonly channels = new Channels(this);
  readonly bridges = new Bridges(this);
  readonly playbacks = new Playbacks(this);
  readonly recordings = new Recordings(this);
  readonly endpoints = new Endpoints(this);
  readonly asterisk = new AsteriskResource(this);
  readonly applications = new Applications(this);
  readonly events = new Events(this);
  readonly #stats: AriStats = emptyStats();
  readonly #options: AriClientOptions;
  readonly #settings: Settings;
  readonly #deadlines = new Deadlines();
  readonly #backoff: Backoff;
  readonly #http: HttpCarrier;
  readonly #downloads: Downloads;
  readonly #exchangeOwner: ExchangeOwner;
  readonly #connectionOwner: ConnectionOwner;
  readonly #waiters = new Waiters(this.#deadlines);
  readonly #tickMs: number;
  #state: AriState = 'idle';
  #connection: Connection | undefined;
  #wasReady = false;
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #atGate = false;
  #ticker: NodeJS.Timeout | undefined;
  #lastTick = 0;
  #nonsenseAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;

  /** @throws TypeError for options that cannot be meant */
  constructor(options: AriClientOptions) {
    this.#options = options;
    const settings = settingsOf(options);
    this.#settings = settings;
    this.#backoff = new Backoff(settings.reconnectBaseMs, settings.reconnectCapMs, options.random);
    this.#tickMs = Math.max(5, Math.min(MAX_TICK_MS, settings.pingMs / 4, settings.deadMs / 4));
    this.#http = new HttpCarrier({
      origin: settings.origin,
      basePath: settings.basePath,
      authorization: settings.authorization,
      connections: settings.connections,
      maxInFlight: settings.maxInFlight,
      maxResponseBytes: settings.maxResponseBytes,
      connectTimeoutMs: settings.handshakeTimeoutMs,
      ...(settings.tls ? { tls: settings.tls } : {}),
    });
    this.#downloads = new Downloads({ ...settings, connectTimeoutMs: settings.handshakeTimeoutMs });
    this.#exchangeOwner = {
      node: settings.node,
      deadlines: this.#deadlines,
      settled: (exchange, outcome) => this.#settled(exchange, outcome),
    };
    this.#connectionOwner = this.#ownerOfConnections();
  }

  get node(): string {
    return this.#settings.node;
  }

  get state(): AriState {
    return this.#state;
  }

  /** The counters; always the same object, brought up to date by reading this property. */
  get stats(): AriStats {
    this.#stats.inFlightHttp = this.#http.inFlight;
    this.#stats.inFlightWebSocket = this.#connection?.inFlight ?? 0;
    return this.#stats;
  }

  /** True if requests go over the event socket at present. */
  get hasWebSocketCarrier(): boolean {
    return this.#connection?.carrier !== undefined;
  }

  /**
   * Starts connecting (from `idle` and `replaced`; otherwise changes nothing) and waits for `ready`. The client goes on
   * trying for ever, also after this promise has rejected; it may be ignored.
   * @returns resolves when ready; rejects with an AriError of kind `timeout`, `replaced` or `closed`
   */
  connect(timeoutMs = 30_000): Promise<void> {
    if (this.#state === 'idle' || this.#state === 'replaced') {
      this.#wasReady = false;
      this.#backoff.reset();
      this.#setState('connecting');
      this.#attempt();
    }
    const ready = this.whenReady(timeoutMs);
    // Whoever ignores the promise is told by onState and onError.
    ready.catch(() => undefined);
    return ready;
  }

  /** Waits for `ready`. Rejects with an AriError of kind `timeout`, `replaced` or `closed`. */
  whenReady(timeoutMs = 30_000): Promise<void> {
    if (this.#state === 'ready') return Promise.resolve();
    if (this.#state === 'closed') return Promise.reject(this.#stateError('closed', 'the client is closed'));
    this.#startTicker();
    return this.#waiters.wait(timeoutMs, () => this.#stateError('timeout', `not ready within ${timeoutMs} ms`));
  }

  /**
   * Sends a request.
   * @param path below the ARI root, with a leading slash, segments percent-encoded, without query
   * @returns the parsed JSON body (undefined for 204); bytes with `binary`
   * @throws AriError (as rejection)
   */
  request<T = unknown>(method: AriMethod, path: string, options?: RequestOptions): Promise<T> {
    const target = options?.query ? path + encodeQuery(options.query) : path;
    const body = options?.body === undefined ? undefined : JSON.stringify(options.body);
    const binary = options?.binary === true;
    const carrier = () => this.#carrierFor(method, path, body, binary);
    const timeoutMs = options?.timeoutMs ?? this.#settings.requestTimeoutMs;
    const send = () => this.#send(carrier(), method, target, body, timeoutMs, binary, options?.signal) as Promise<T>;
    const changes = method !== 'GET' && options?.harmless !== true;
    const wait = changes ? this.#options.gate?.() : undefined;
    return wait ? wait.then(send) : send();
  }

  /**
   * Opens a file of Asterisk's as a stream, over a connection of its own.
   * @param path below the ARI root, with a leading slash, percent-encoded
   * @throws AriError (as rejection)
   */
  async download(path: string, signal?: AbortSignal): Promise<Download> {
    if (this.#state === 'closed') throw this.#stateError('closed', 'the client is closed');
    return await this.#downloads.open(path, signal);
  }

  /**
   * Gives the present connection up and makes it anew, with a resync; does nothing where there is none.
   * @param reason for the log
   */
  reconnect(reason: string): void {
    this.#connection?.giveUp(reason);
  }

  /**
   * Ends everything: the socket, the pool, and every pending promise. Repeated calls return the same promise.
   *
   * @param abrupt connections are reset, so that what was sent and has not arrived never does
   */
  close(abrupt = false): Promise<void> {
    this.#closing ??= this.#close(abrupt);
    return this.#closing;
  }

  async #close(abrupt: boolean): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    this.#setState('closed');
    if (abrupt) {
      connection?.reset();
      this.#http.reset();
    }
    this.#http.close('closed', 'the client is closed');
    await Promise.all([
      connection?.close('closed', 'the client is closed'),
      this.#http.destroy(),
      this.#downloads.close(),
    ]);
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #send(
    carrier: Carrier,
    method: AriMethod,
    target: string,
    body: string | undefined,
    timeoutMs: number,
    binary: boolean,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    this.#startTicker();
    return new Promise((resolve, reject) => {
      const request = { method, target, body, binary, timeoutMs };
      const exchange = new Exchange(this.#exchangeOwner, request, signal, resolve, reject);
      exchange.carrier = carrier;
      if (this.#state === 'closed') exchange.fail('closed', 'the client is closed');
      else if (signal?.aborted === true) exchange.fail('aborted', 'aborted by the caller');
      else carrier.send(exchange);
    });
  }

  #carrierFor(method: AriMethod, path: string, body: string | undefined, binary: boolean): Carrier {
    const carrier = this.#connection?.carrier;
    if (carrier === undefined || binary) return this.#http;
    const settings = this.#settings;
    if (settings.carriers[kindOf(method, path)] === 'http') return this.#http;
    if (carrier.inFlight >= settings.websocketDepth) return this.#http;
    // In UTF-8 and escaped, a body may take three times its length and more: the large ones have room by HTTP.
    if (body !== undefined && body.length > MAX_REQUEST_FRAME_BYTES / 6) return this.#http;
    return carrier;
  }

  #settled(exchange: Exchange, outcome: RequestOutcome): void {
    this.#stats.requests[outcome] += 1;
    const hook = this.#options.onLatency;
    if (hook === undefined) return;
    try {
      hook(exchange.carrier?.name ?? 'http', exchange.method, outcome, performance.now() - exchange.startedAt);
    } catch (error) {
      this.#report(error);
    }
  }

  #attempt(): void {
    this.#retry = undefined;
    const wait = this.#options.gate?.();
    if (wait) {
      this.#waitAtGate(wait);
      return;
    }
    this.#startTicker();
    if (this.#attempts > 0) this.#stats.reconnects += 1;
    this.#attempts += 1;
    this.#connection = new Connection(this.#connectionOwner);
  }

  /** What was in doubt may be in doubt again by the time that it is asked. */
  #waitAtGate(wait: Promise<void>): void {
    if (this.#atGate) return;
    this.#atGate = true;
    const goOn = (): void => {
      this.#atGate = false;
      if (this.#state !== 'closed' && this.#connection === undefined) this.#attempt();
    };
    wait.then(goOn, goOn);
  }

  #ownerOfConnections(): ConnectionOwner {
    return {
      settings: this.#settings,
      stats: this.#stats,
      http: this.#http,
      exchange: (carrier, method, target, body, timeoutMs) =>
        this.#send(carrier, method, target, body, timeoutMs, false, undefined),
      deliver: (event, receivedAt) => this.#deliver(event, receivedAt),
      beforeLists: () => this.#options.beforeLists?.(),
      resync: (resync: Resync) => this.#options.onResync?.(resync),
      nonsense: (error) => this.#nonsense(error),
      opened: (connection) => {
        if (connection === this.#connection) this.#setState('resyncing');
      },
      ready: (connection) => {
        if (connection !== this.#connection) return;
        this.#wasReady = true;
        this.#backoff.reset();
        this.#stats.connects += 1;
        this.#setState('ready');
      },
      replaced: (connection) => this.#onReplaced(connection),
      lost: (connection, error) => this.#onLost(connection, error),
    };
  }

  #onReplaced(connection: Connection): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    // Asterisk still answers on the replaced socket what it was asked there; from now on requests go by HTTP.
    connection.retire('replaced', 'another client has taken over the application').catch((e) => this.#report(e));
    this.#setState('replaced');
  }

  #onLost(connection: Connection, error: AriError): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#stats.disconnects += 1;
    const delay = this.#backoff.next();
    // Credentials that were refused are not tried often: that reads as an attack.
    const refused = error.status === 401 || error.status === 403;
    this.#retry = setTimeout(() => this.#attempt(), refused ? this.#settings.reconnectCapMs : delay);
    this.#setState(this.#wasReady ? 'stale' : 'connecting');
    this.#report(error);
  }

  #deliver(event: AriEvent, receivedAt: number): void {
    try {
      this.#options.onEvent(event, receivedAt);
    } catch (error) {
      this.#stats.handlerErrors += 1;
      this.#nonsense(error);
    }
  }

  /** Counted by the statistics each time, and reported once a minute. */
  #nonsense(error: unknown): void {
    const now = performance.now();
    if (now - this.#nonsenseAt < NONSENSE_MS) return;
    this.#nonsenseAt = now;
    this.#report(error);
  }

  #report(error: unknown): void {
    try {
      this.#options.onError?.(error);
    } catch (second) {
      process.emitWarning(second instanceof Error ? second : String(second));
    }
  }

  #setState(next: AriState): void {
    const previous = this.#state;
    if (previous === next || previous === 'closed') return;
    this.#state = next;
    if (next === 'ready') this.#waiters.end();
    if (next === 'closed') this.#waiters.end(this.#stateError('closed', 'the client is closed'));
    if (next === 'replaced') {
      this.#waiters.end(this.#stateError('replaced', 'another client has taken over the application'));
    }
    try {
      this.#options.onState?.(next, previous);
    } catch (error) {
      this.#stats.handlerErrors += 1;
      this.#report(error);
    }
  }

  #stateError(kind: AriErrorKind, reason: string): AriError {
    return new AriError({ node: this.node, method: 'GET', path: '/events', kind, reason });
  }

  #startTicker(): void {
    if (this.#ticker !== undefined || this.#state === 'closed') return;
    this.#lastTick = performance.now();
    this.#ticker = setInterval(() => this.#tick(), this.#tickMs);
    // The sockets keep the process alive, not the clock that watches them.
    this.#ticker.unref();
  }

  #tick(): void {
    const now = performance.now();
    const lateBy = now - this.#lastTick - this.#tickMs;
    this.#lastTick = now;
    // A process that was blocked has its answers waiting in the sockets: let it read them first.
    const blocked = lateBy > MAX_TICK_MS;
    this.#connection?.tick(now, blocked ? lateBy : 0);
    if (!blocked) this.#deadlines.sweep(now);
  }
}
