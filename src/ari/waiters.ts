import type { Deadlines, Expirable } from './deadlines.ts';
import type { AriError } from './errors.ts';

/** Those who wait for the client to be ready. */
export class Waiters {
  readonly #deadlines: Deadlines;
  readonly #waiting = new Set<Waiter>();

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /**
   * @param timeoutMs how long at most
   * @param late what it rejects with then
   */
  wait(timeoutMs: number, late: () => AriError): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        deadline: performance.now() + timeoutMs,
        resolve,
        reject,
        expire: () => {
          this.#waiting.delete(waiter);
          reject(late());
        },
      };
      this.#waiting.add(waiter);
      this.#deadlines.add(waiter);
    });
  }

  /** The waiting of all is over. @param error why in vain; undefined where it was not */
  end(error?: AriError): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiting) {
      this.#deadlines.delete(waiter);
      if (error) waiter.reject(error);
      else waiter.resolve();
    }
  }
}

interface Waiter extends Expirable {
  readonly resolve: () => void;
  readonly reject: (error: AriError) => void;
}
