/**
 * Bounds of the RPC. Everything that a client can make grow has one; at the bound the service refuses or cuts.
 */
export interface RpcLimits {
  /** Bytes of a request's body or of a WebSocket message. */
  readonly bodyBytes: number;
  /** Requests in one batch. */
  readonly batchSize: number;
  /** Requests per second that a key may keep up. */
  readonly requestsPerSecond: number;
  /** Requests that a key may send at once after a pause. */
  readonly burst: number;
  /** Requests of a key that may wait for their answer at the same time. */
  readonly inFlightPerKey: number;
  /** WebSockets and event streams that a key may have open at the same time. */
  readonly socketsPerKey: number;
  readonly subscriptionsPerSocket: number;
  /** Bytes that may wait for a client that reads slowly; beyond them it is cut. */
  readonly bufferedBytes: number;
  /** Milliseconds between two signs of life; a WebSocket that left the last one unanswered is ended. */
  readonly heartbeatMs: number;
  /** Milliseconds that a client has to finish the closing handshake, and that close() waits for open requests. */
  readonly closeGraceMs: number;
  /** Refusals of a key per second that are reported for publication, so that a flood does not fill the log. */
  readonly publishedRefusalsPerSecond: number;
  /** Connections of all clients together; further ones are not accepted. */
  readonly connections: number;
}

export const DEFAULT_LIMITS: RpcLimits = {
  bodyBytes: 256 * 1024,
  batchSize: 100,
  requestsPerSecond: 1000,
  burst: 2000,
  inFlightPerKey: 1000,
  socketsPerKey: 100,
  subscriptionsPerSocket: 100,
  bufferedBytes: 8 * 1024 * 1024,
  heartbeatMs: 15_000,
  closeGraceMs: 5000,
  publishedRefusalsPerSecond: 10,
  connections: 10_000,
};

/** Lets so many through per second, and so many at once after a pause. */
export class TokenBucket {
  #tokens: number;
  #at: number;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #now: () => number;

  /**
   * @param perSecond tokens that come back per second
   * @param burst tokens that fit, at least 1
   * @param now a clock in milliseconds that never goes back
   */
  constructor(perSecond: number, burst: number, now: () => number) {
    this.#perMs = perSecond / 1000;
    this.#burst = Math.max(1, burst);
    this.#tokens = this.#burst;
    this.#now = now;
    this.#at = now();
  }

  /** Takes a token. @returns false if there is none */
  take(): boolean {
    if (this.empty()) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whether the next take() would fail. */
  empty(): boolean {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    return this.#tokens < 1;
  }
}
