/**
 * Decorrelated jitter: each delay is drawn between the base and three times the one before, up to a cap, so that many
 * clients of a restarted node do not come back in step.
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #random: () => number;
  #previousMs: number;

  /** @param random uniform in [0, 1) */
  constructor(baseMs: number, capMs: number, random: () => number = Math.random) {
    this.#baseMs = baseMs;
    this.#capMs = capMs;
    this.#random = random;
    this.#previousMs = baseMs;
  }

  /** The next delay in milliseconds. */
  next(): number {
    const span = Math.max(0, this.#previousMs * 3 - this.#baseMs);
    this.#previousMs = Math.min(this.#capMs, this.#baseMs + this.#random() * span);
    return this.#previousMs;
  }

  /** Starts over from the base. */
  reset(): void {
    this.#previousMs = this.#baseMs;
  }
}
