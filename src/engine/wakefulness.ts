/** What is needed to find out that this process stood still, or has not been heard for too long. */
export interface WakefulnessDeps {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  /** How long a lease lasts without a sign of life. */
  readonly leaseMs: number;
  /** There is something that it could have lost. */
  readonly concerned: () => boolean;
  /** It stood still for so long, ms. */
  readonly onSlept: (ms: number) => void;
  /** It has to find out what it still owns; said again whenever somebody waits for that. */
  readonly onUnsure: () => void;
}

/**
 * A process that was stopped, or held up, for longer than a lease cannot know what it still owns; nor can one whose last
 * sign of life was heard longer ago than that.
 */
export class Wakefulness {
  readonly #deps: WakefulnessDeps;
  #timer: NodeJS.Timeout | undefined;
  #awakeAt: number;
  /** When the last sign of life was given that is known to have been heard. */
  #heardAt: number;
  #unsure: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(deps: WakefulnessDeps) {
    this.#deps = deps;
    this.#awakeAt = deps.now();
    this.#heardAt = this.#awakeAt;
  }

  start(): void {
    this.#awakeAt = this.#deps.now();
    this.#heardAt = this.#awakeAt;
    this.#timer = setInterval(() => this.#look(), this.#deps.leaseMs / 6);
  }

  /** Undefined while nothing is in doubt; else it resolves once {@link sure} is said. */
  unsure(): Promise<void> | undefined {
    this.#look();
    if (this.#unsure) this.#deps.onUnsure();
    return this.#unsure?.promise;
  }

  /** What is owned has been found out. @param since when the sign of life was given that told so */
  sure(since: number): void {
    this.#heardAt = since;
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
    const { leaseMs, concerned, onSlept } = this.#deps;
    if (this.#unsure || !concerned() || (slept < leaseMs && now - this.#heardAt < leaseMs)) return;
    let resolve = (): void => undefined;
    const promise = new Promise<void>((r) => {
      resolve = r;
    });
    this.#unsure = { promise, resolve };
    if (slept >= leaseMs) onSlept(slept);
    this.#deps.onUnsure();
  }
}
