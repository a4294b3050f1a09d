import type { Timer, TimerName } from '../calls/call.ts';
import type { CallID } from '../cti/ids.ts';

/**
 * The clock of the live calls' timers. What is due, and when, is stored with each call; here is only what wakes it.
 */
export class TimerQueue {
  readonly #now: () => number;
  readonly #fire: (callID: CallID, name: TimerName) => void;
  readonly #armed = new Map<CallID, { timers: readonly Timer[]; handles: NodeJS.Timeout[] }>();

  /** @param now Unix ms */
  constructor(now: () => number, fire: (callID: CallID, name: TimerName) => void) {
    this.#now = now;
    this.#fire = fire;
  }

  /** Calls with a timer running. */
  get size(): number {
    return this.#armed.size;
  }

  /** Arms exactly these timers for a call; what is overdue fires at once. */
  replace(callID: CallID, timers: readonly Timer[]): void {
    const armed = this.#armed.get(callID);
    if (armed?.timers === timers || (!armed && timers.length === 0)) return;
    for (const handle of armed?.handles ?? []) clearTimeout(handle);
    this.#armed.delete(callID);
    if (timers.length === 0) return;
    const handles = timers.map((t) => setTimeout(() => this.#fire(callID, t.name), Math.max(0, t.at - this.#now())));
    this.#armed.set(callID, { timers, handles });
  }

  close(): void {
    for (const { handles } of this.#armed.values()) for (const handle of handles) clearTimeout(handle);
    this.#armed.clear();
  }
}
