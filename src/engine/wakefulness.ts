/** What is needed to find out that this process stood still. */
export interface WakefulnessDeps {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** How long a lease lasts without a sign of life. */
  readonly leaseMs: number;
  /** There is something that it could have lost. */
  readonly concerned: () => boolean;
  /** It stood still for so long, ms, and has to find out what it still owns. */
  readonly onSlept: (ms: number) => void;
}

/** A process that was stopped, or held up, for longer than a lease cannot know what it still owns. */
export class Wakefulness {
  readonly #deps: WakefulnessDeps;
  #timer: NodeJS.Timeout | undefined;
  #awakeAt: number;
  #unsure: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(deps: WakefulnessDeps) {
    this.#deps = deps;
    this.#awakeAt = deps.now();
  }

  start(): void {
    this.#awakeAt = this.#deps.now();
    this.#timer = setInterval(() => this.#look(), this.#deps.leaseMs / 6);
  }

  /** Undefined while nothing is in doubt; else it resolves once {@link sure} is said. */
  unsure(): Promise<void> | undefined {
    this.#look();
    return this.#unsure?.promise;
  }

  /** What is owned has been found out. */
  sure(): void {
    this.#unsure?.resolve();
    this.#unsure = undefined;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unsure?.resolve();
  }

  #look(): void {
    const now = this.#deps.now();
    const slept = now - this.#awakeAt;
    this.#awakeAt = now;
    if (slept < this.#deps.leaseMs || this.#unsure || !this.#deps.concerned()) return;
    let resolve = (): void => undefined;
    const promise = new Promise<void>((r) => {
      resolve = r;
    });
    this.#unsure = { promise, resolve };
    this.#deps.onSlept(slept);
  }
}
