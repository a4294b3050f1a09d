/** Something that ends by itself when its time is up. */
export interface Expirable {
  /** milliseconds on the clock of performance.now() */
  readonly deadline: number;
  expire(): void;
}

/**
 * All deadlines of one client, swept by one interval instead of a timer each: a request lives a few milliseconds and its
 * deadline seconds, so a coarse sweep costs less than arming and clearing a timer per request.
 */
export class Deadlines {
  readonly #pending = new Set<Expirable>();

  get size(): number {
    return this.#pending.size;
  }

  add(item: Expirable): void {
    this.#pending.add(item);
  }

  delete(item: Expirable): void {
    this.#pending.delete(item);
  }

  /** Expires what is due. An item may remove itself, or add others, while it expires. */
  sweep(now: number): void {
    for (const item of this.#pending) {
      if (item.deadline <= now) {
        this.#pending.delete(item);
        item.expire();
      }
    }
  }
}
