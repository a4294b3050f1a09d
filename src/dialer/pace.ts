/**
 * Calls per second, as a bucket that is full of one second's calls at most. It begins with one call: what an instance that
 * led before has just placed is not known.
 */
export class Pace {
  readonly perSecond: number;
  #tokens: number;
  #at: number;

  /** @param now Unix ms */
  constructor(perSecond: number, now: number) {
    this.perSecond = perSecond;
    this.#tokens = 1;
    this.#at = now;
  }

  /** Calls that may begin now. */
  room(now: number): number {
    const most = Math.max(1, this.perSecond);
    this.#tokens = Math.min(most, this.#tokens + (Math.max(0, now - this.#at) / 1000) * this.perSecond);
    this.#at = now;
    return Math.floor(this.#tokens + 1e-9);
  }

  take(): void {
    this.#tokens -= 1;
  }

  /** When the next call may begin, Unix ms. */
  nextAt(now: number): number {
    return this.room(now) > 0 ? now : now + Math.ceil(((1 - this.#tokens) / this.perSecond) * 1000);
  }
}
