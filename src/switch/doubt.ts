import { AriError } from '../ari/index.ts';

/** Between two times that a node is asked anew what it has, ms: longer each time that it has not helped, up to the longest. */
const AGAIN_MS = { first: 10_000, longest: 320_000 };

/** What is to be known of the node that is in doubt. */
export interface DoubtOptions {
  /** It answers, as far as is known. */
  readonly answers: () => boolean;
  /** Asks it what it has. */
  readonly ask: () => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/**
 * Whether what was asked of a node has been done. Where a command got no answer though the event socket stands, nobody
 * knows: a phone may ring on that was to be hung up, a bridge may not be there. The node is then asked what it has, as
 * after a cut, as soon as it answers; and not again and again, should that not help.
 */
export class Doubt {
  readonly #options: DoubtOptions;
  #raised = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #againMs = AGAIN_MS.first;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DoubtOptions) {
    this.#options = options;
  }

  /** Something was not answered, or tells that something else was not done. */
  raise(): void {
    this.#raised = true;
    this.look();
  }

  /** It may answer by now. */
  look(): void {
    const { answers, ask, now } = this.#options;
    if (!this.#raised || !answers()) return;
    clearTimeout(this.#timer);
    const since = now() - this.#askedAt;
    if (since < this.#againMs) {
      this.#timer = setTimeout(() => this.look(), this.#againMs - since);
      this.#timer.unref();
      return;
    }
    this.#againMs = since < 2 * this.#againMs ? Math.min(AGAIN_MS.longest, 2 * this.#againMs) : AGAIN_MS.first;
    this.#askedAt = now();
    ask();
  }

  /** It has told what it has. */
  settle(): void {
    this.#raised = false;
    clearTimeout(this.#timer);
  }
}

/** True where nobody knows whether what was asked was done, or it was not even sent for want of room. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof AriError && (error.kind === 'timeout' || error.kind === 'connection' || error.kind === 'overload');

/**
 * True where there is no such bridge: its own making was not carried out, or something else has taken it away. Of a
 * channel that is not there Asterisk says another thing.
 */
export const isNoBridge = (error: unknown): boolean =>
  error instanceof AriError && error.status === 404 && error.reason === 'Bridge not found';
