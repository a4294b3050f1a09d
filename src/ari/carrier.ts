import type { Deadlines, Expirable } from './deadlines.ts';
import { AriError, type AriErrorKind } from './errors.ts';
import type { RequestOutcome } from './stats.ts';

/** HTTP methods that ARI uses. */
export type AriMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** How requests travel. */
export type CarrierName = 'http' | 'websocket';

/** A way to carry requests to Asterisk. */
export interface Carrier {
  readonly name: CarrierName;
  /** Requests sent and not yet settled. */
  readonly inFlight: number;
  /** Sends; settles the exchange sooner or later, or leaves that to its deadline. Never throws. */
  send(exchange: Exchange): void;
  /** Forgets an exchange that was settled from outside (deadline, abort). */
  cancel(exchange: Exchange): void;
  /** Settles all that is pending with an error and refuses what comes later. */
  close(kind: AriErrorKind, reason: string): void;
}

/** Called once for each request that ended. */
export type LatencyHook = (carrier: CarrierName, method: AriMethod, outcome: RequestOutcome, ms: number) => void;

/** What an exchange needs of the client that it belongs to. */
export interface ExchangeOwner {
  readonly node: string;
  readonly deadlines: Deadlines;
  settled(exchange: Exchange, outcome: RequestOutcome): void;
}

/**
 * One request on its way: settles exactly once, whatever comes first of the response, an error, the deadline and the
 * abort signal.
 */
export class Exchange implements Expirable {
  readonly method: AriMethod;
  /** path with its query, beginning with a slash, below the ARI root */
  readonly target: string;
  /** JSON text, or undefined for none */
  readonly body: string | undefined;
  readonly binary: boolean;
  readonly startedAt: number;
  readonly deadline: number;
  /** The carrier's own key or handle for this exchange. */
  key = 0;
  carrier: Carrier | undefined;
  done = false;

  readonly #owner: ExchangeOwner;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: AriError) => void;
  readonly #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    owner: ExchangeOwner,
    request: { method: AriMethod; target: string; body: string | undefined; binary: boolean; timeoutMs: number },
    signal: AbortSignal | undefined,
    resolve: (value: unknown) => void,
    reject: (error: AriError) => void,
  ) {
    this.#owner = owner;
    this.method = request.method;
    this.target = request.target;
    this.body = request.body;
    this.binary = request.binary;
    this.startedAt = performance.now();
    this.deadline = this.startedAt + request.timeoutMs;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    owner.deadlines.add(this);
    if (signal) this.#listen(signal);
  }

  #listen(signal: AbortSignal): void {
    this.#onAbort = () => this.#stop('aborted', 'aborted by the caller');
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The path without its query: fit for errors and logs. */
  get path(): string {
    const question = this.target.indexOf('?');
    return question < 0 ? this.target : this.target.slice(0, question);
  }

  /** Hands on a response, whatever its status. `payload` is text, or bytes for a binary exchange; undefined for none. */
  respond(status: number, payload: string | Buffer | undefined, reasonPhrase?: string): void {
    if (this.done) return;
    if (status < 200 || status > 299) {
      this.fail('status', messageOf(payload) ?? reasonPhrase ?? 'no reason given', status);
      return;
    }
    let value: unknown;
    if (this.binary) {
      value = payload;
    } else if (payload !== undefined && payload.length > 0) {
      try {
        value = JSON.parse(typeof payload === 'string' ? payload : payload.toString());
      } catch {
        this.fail('malformed', 'the response is not JSON', status);
        return;
      }
    }
    this.#end('ok');
    this.#resolve(value);
  }

  /** Ends the exchange with an error. */
  fail(kind: AriErrorKind, reason: string, status?: number, cause?: unknown): void {
    if (this.done) return;
    const details = { node: this.#owner.node, method: this.method, path: this.path, kind, reason, cause };
    const error = new AriError(status === undefined ? details : { ...details, status });
    this.#end(kind);
    this.#reject(error);
  }

  /** The deadline has passed. */
  expire(): void {
    this.#stop('timeout', `no response within ${Math.round(this.deadline - this.startedAt)} ms`);
  }

  #stop(kind: AriErrorKind, reason: string): void {
    if (this.done) return;
    this.fail(kind, reason);
    this.carrier?.cancel(this);
  }

  #end(outcome: RequestOutcome): void {
    this.done = true;
    this.#owner.deadlines.delete(this);
    if (this.#onAbort) this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#owner.settled(this, outcome);
  }
}

/** Asterisk's own words in an error body: `{"message": "..."}`, or `{"error": "..."}`. */
function messageOf(payload: string | Buffer | undefined): string | undefined {
  if (payload === undefined || payload.length === 0 || payload.length > 4096) return undefined;
  try {
    const body: unknown = JSON.parse(payload.toString());
    if (typeof body !== 'object' || body === null) return undefined;
    const text = 'message' in body ? body.message : 'error' in body ? body.error : undefined;
    return typeof text === 'string' ? text.slice(0, 200) : undefined;
  } catch {
    return undefined; // an HTML error page of a proxy: the status says enough
  }
}
