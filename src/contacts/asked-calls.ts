import type { CallID } from '../cti/ids.ts';

/** A store that was away may not have again yet what other instances put back: nothing is given up before, ms. */
const SETTLES_MS = 6_000;

/** What this process knows of the calls of callbacks that it has asked for. */
export class AskedCalls {
  /** Begun, by their ticket: Unix ms since when nothing is stored of it; 0: something was. */
  readonly #begun = new Map<CallID, number>();
  readonly #carryOnMs: number;

  /** @param carryOnMs an ended call is stored for at least so long, so that a claim no older than this can be asked for */
  constructor(carryOnMs: number) {
    this.#carryOnMs = carryOnMs;
  }

  /** Ringmaster has said that it has this call. */
  begun(ticket: CallID): void {
    this.#begun.set(ticket, 0);
  }

  forget(ticket: CallID): void {
    this.#begun.delete(ticket);
  }

  /**
   * What is to be done where nothing is stored of a call. One that is known to have been begun is never asked for again: the
   * store has lost it, and its customer may have been called.
   *
   * @param claimedAt Unix ms when its agent was chosen
   * @param now Unix ms
   * @returns `ask` under the same id, `wait` and look again, or that it is `lost`
   */
  missing(ticket: CallID, claimedAt: number, now: number): 'ask' | 'wait' | 'lost' {
    const since = this.#begun.get(ticket);
    if (since === undefined) return now - claimedAt < this.#carryOnMs ? 'ask' : 'lost';
    if (since === 0) this.#begun.set(ticket, now);
    return since === 0 || now - since < SETTLES_MS ? 'wait' : 'lost';
  }
}
