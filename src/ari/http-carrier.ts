import type { Socket } from 'node:net';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { Carrier, Exchange } from './carrier.ts';
import type { AriErrorKind } from './errors.ts';
import { reset } from './reset.ts';

/** TLS settings, for both carriers. */
export interface TlsOptions {
  /** certificate authorities in PEM, instead of the system's */
  ca?: string;
  /** name to check the certificate against, when it is not the host of the URL */
  servername?: string;
  /** false accepts any certificate: for tests alone */
  rejectUnauthorized?: boolean;
}

/** Settings of {@link HttpCarrier}. */
export interface HttpCarrierOptions {
  /** for example `http://127.0.0.1:8088` */
  origin: string;
  /** path of the ARI root without trailing slash, for example `/ari` */
  basePath: string;
  authorization: string;
  /** size of the pool; each connection is a thread of Asterisk and counts against http.conf's sessionlimit */
  connections: number;
  /** requests sent or waiting for a connection; more are refused */
  maxInFlight: number;
  maxResponseBytes: number;
  connectTimeoutMs: number;
  tls?: TlsOptions;
}

/** Asterisk drops an idle connection after 15 s (session_keep_alive): drop it first, or a reuse meets ECONNRESET. */
const KEEP_ALIVE_MS = 10_000;

/** Requests over a pool of kept-alive connections: parallel, since Asterisk gives each connection a thread. */
export class HttpCarrier implements Carrier {
  readonly name = 'http';
  readonly #pool: Pool;
  readonly #options: HttpCarrierOptions;
  readonly #headers: string[];
  readonly #bodyHeaders: string[];
  readonly #pending = new Map<Exchange, HttpHandler>();
  readonly #sockets = new Set<Socket>();
  #refusal: { kind: AriErrorKind; reason: string } | undefined;

  constructor(options: HttpCarrierOptions) {
    this.#options = options;
    this.#headers = ['authorization', options.authorization];
    this.#bodyHeaders = [...this.#headers, 'content-type', 'application/json'];
    const connect = buildConnector({ timeout: options.connectTimeoutMs, ...options.tls });
    this.#pool = new Pool(options.origin, {
      connections: options.connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      // Each request has its own deadline; a second clock for the same would only cost timers.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (where, callback) =>
        connect(where, (...result) => {
          const [, socket] = result;
          if (socket) {
            this.#sockets.add(socket);
            socket.once('close', () => this.#sockets.delete(socket));
          }
          callback(...result);
        }),
    });
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  send(exchange: Exchange): void {
    if (this.#refusal) {
      exchange.fail(this.#refusal.kind, this.#refusal.reason);
      return;
    }
    if (this.#pending.size >= this.#options.maxInFlight) {
      exchange.fail('overload', `${this.#options.maxInFlight} requests are under way by HTTP`);
      return;
    }
    const handler = new HttpHandler(exchange, this.#pending, this.#options.maxResponseBytes);
    this.#pending.set(exchange, handler);
    try {
      this.#pool.dispatch(
        {
          method: exchange.method,
          path: this.#options.basePath + exchange.target,
          headers: exchange.body === undefined ? this.#headers : this.#bodyHeaders,
          body: exchange.body ?? null,
        },
        handler,
      );
    } catch (error) {
      handler.onResponseError(undefined, error instanceof Error ? error : new Error(String(error)));
    }
  }

  cancel(exchange: Exchange): void {
    this.#pending.get(exchange)?.cancel();
  }

  close(kind: AriErrorKind, reason: string): void {
    if (this.#refusal) return;
    this.#refusal = { kind, reason };
    for (const handler of [...this.#pending.values()]) handler.fail(kind, reason);
  }

  /** Resets the connections, before they are closed: what was sent and has not arrived never does. */
  reset(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  /** Closes the connections; resolves when they are closed. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Receives one response. Also keeps a request that was given up while it waited for a connection from being sent. */
class HttpHandler implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #pending: Map<Exchange, HttpHandler>;
  readonly #limit: number;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #reasonPhrase: string | undefined;
  #size = 0;
  #first: Buffer | undefined;
  #rest: Buffer[] | undefined;

  constructor(exchange: Exchange, pending: Map<Exchange, HttpHandler>, limit: number) {
    this.#exchange = exchange;
    this.#pending = pending;
    this.#limit = limit;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#exchange.done) controller.abort(GIVEN_UP);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reasonPhrase?: string,
  ): void {
    this.#status = status;
    this.#reasonPhrase = reasonPhrase;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) {
      this.fail('too-large', `the response exceeds ${this.#limit} bytes`);
      return;
    }
    if (this.#first === undefined) this.#first = chunk;
    else if (this.#rest === undefined) this.#rest = [this.#first, chunk];
    else this.#rest.push(chunk);
  }

  onResponseEnd(): void {
    this.#pending.delete(this.#exchange);
    this.#exchange.respond(this.#status, this.#rest ? Buffer.concat(this.#rest) : this.#first, this.#reasonPhrase);
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#pending.delete(this.#exchange);
    this.#exchange.fail('connection', describe(error), undefined, error);
  }

  cancel(): void {
    this.#pending.delete(this.#exchange);
    this.#controller?.abort(GIVEN_UP);
  }

  fail(kind: AriErrorKind, reason: string): void {
    this.#exchange.fail(kind, reason);
    this.cancel();
  }
}

const GIVEN_UP = new Error('given up');

function describe(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const text = error.message === '' ? error.name : error.message;
  return code === undefined || text.includes(code) ? text : `${code}: ${text}`;
}
