import type { CallID } from '../cti/ids.ts';
import type { FloorInput } from '../queues/floor.ts';
import type { CallNote, NotedStatus } from '../queues/note.ts';

/** One thing that is to happen to a floor. */
export interface FloorWaiting<Verdict> {
  readonly input: FloorInput;
  /** Unix ms, when it came. */
  readonly at: number;
  readonly settle?: (verdict: Verdict) => void;
}

interface NotedCall {
  readonly note: CallNote;
  readonly statuses: readonly NotedStatus[];
}

type Entry<Verdict> = FloorWaiting<Verdict> | { readonly calls: Map<CallID, NotedCall>; readonly at: number };

/**
 * What waits for a floor, in order. What calls tell one after the other is one input, with one note for each call: many
 * calls that change at once cost the floor one step and not as many as they are.
 */
export class FloorInbox<Verdict> {
  #entries: Entry<Verdict>[] = [];

  /** Inputs, each call's note counted. */
  get length(): number {
    return this.#entries.reduce((n, e) => n + ('calls' in e ? e.calls.size : 1), 0);
  }

  add(waiting: FloorWaiting<Verdict>): void {
    this.#entries.push(waiting);
  }

  /** What a call has told. Its note takes the place of the one that it told just before. */
  note(note: CallNote, statuses: readonly NotedStatus[], at: number): void {
    const last = this.#entries.at(-1);
    const calls = last && 'calls' in last ? last.calls : new Map<CallID, NotedCall>();
    const earlier = calls.get(note.callID);
    calls.set(note.callID, { note, statuses: earlier ? [...earlier.statuses, ...statuses] : statuses });
    if (!last || !('calls' in last)) this.#entries.push({ calls, at });
  }

  /** Takes everything out. */
  take(): FloorWaiting<Verdict>[] {
    const taken = this.#entries.map((e) =>
      'calls' in e ? { input: { kind: 'notes' as const, notes: [...e.calls.values()] }, at: e.at } : e,
    );
    this.#entries = [];
    return taken;
  }

  /** Puts back what could not be done, before everything that has come meanwhile. */
  putBack(waiting: readonly FloorWaiting<Verdict>[]): void {
    this.#entries = [...waiting, ...this.#entries];
  }
}
