/** Looks at something again and again; a look that is under way is not doubled. */
export class Looks {
  readonly #look: () => Promise<void>;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  /** @param look never rejects @param everyMs from the beginning of one to that of the next, ms */
  constructor(look: () => Promise<void>, everyMs: number) {
    this.#look = look;
    this.#everyMs = everyMs;
  }

  /** Nothing follows any more from a look that is still under way. */
  get closed(): boolean {
    return this.#closed;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.now(), this.#everyMs);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** Looks now, or waits for the look that is under way. */
  now(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }
}
