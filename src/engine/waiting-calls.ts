import type { Call } from '../calls/call.ts';
import type { Destination, QueueEntry, QueueInput } from '../calls/input.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { Admission, Soon } from '../ports.ts';
import type { FloorEffect } from '../queues/floor.ts';
import type { CallNote } from '../queues/note.ts';
import { noteOf } from './call-note.ts';
import type { CallRunner } from './call-runner.ts';
import type { Directory, Queue } from './directory.ts';
import type { FloorRunner } from './floor-runner.ts';
import { free, type Kept } from './kept.ts';
import { whenKnown } from './soon.ts';

/** What the calls that wait in queues need of the engine. */
export interface WaitingCallsDeps {
  readonly directory: Directory;
  readonly admission: Pick<Admission, 'admitUse' | 'settled'>;
  /** Unix ms. */
  readonly now: () => number;
  readonly floor: (companyId: CompanyId) => FloorRunner | undefined;
  readonly live: (companyId: CompanyId, callID: string) => CallRunner | undefined;
  /** What waits without being a call. @returns whether the effect was for it */
  readonly other: (companyId: CompanyId, effect: FloorEffect) => boolean;
  /** Asks it of a call that does not live here. @returns whether it was done; `unknown` where no answer came */
  readonly elsewhere: (companyId: CompanyId, effect: FloorEffect) => Promise<boolean | 'unknown'>;
  /** A call as it is stored. */
  readonly stored: (companyId: CompanyId, callID: CallID) => Promise<Call | undefined>;
  /** How a number is reached from within a call. */
  readonly reach: (companyId: CompanyId, callID: CallID, number: string) => Soon<Kept<Destination>>;
  readonly log: { error(what: string, error: unknown, callID?: CallID): void };
}

/** Before it is looked what became of something that was asked and not answered, ms. */
const LOOK_MS = 500;

/** A queue as a call must know it. @param ringTimeout seconds, where the route says otherwise */
export const entryOf = ({ id, ringTimeout, wrapUp }: Queue, other?: number): QueueEntry => ({
  id,
  ringTimeout: other ?? ringTimeout,
  wrapUp,
});

/** Between the floors and the calls that wait: what becomes of whom a floor has chosen, or sends on. */
export class WaitingCalls {
  readonly #deps: WaitingCallsDeps;

  constructor(deps: WaitingCallsDeps) {
    this.#deps = deps;
  }

  /** Does what the floor asks of a call that waits. A call that is gone, or has changed meanwhile, says so. */
  async serve(companyId: CompanyId, effect: FloorEffect): Promise<void> {
    const { live, other, elsewhere, floor } = this.#deps;
    if (other(companyId, effect)) return;
    const asking = floor(companyId);
    let here = false;
    for (let perhaps = false; ; ) {
      here = live(companyId, effect.callID) !== undefined;
      const taken = here ? await this.ask(companyId, effect) : await elsewhere(companyId, effect);
      if (taken === true) return;
      perhaps ||= taken === 'unknown';
      if (!perhaps) break;
      // Who has it may have died before he heard of it: without this the agent would wait for the call, and it for him.
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      // Whoever has the agents since has compared them with the calls.
      if (floor(companyId) !== asking || (await this.#isDone(companyId, effect))) return;
      // What is named by a number is done once at most, however often it is asked for.
      if (taken !== 'unknown' || effect.do === 'to-queue') break;
    }
    const end = here ? undefined : await this.#endOf(companyId, effect.callID);
    if (end) floor(companyId)?.note(end, []);
    floor(companyId)?.push({
      kind: 'declined',
      callID: effect.callID,
      ...('assignment' in effect && { assignment: effect.assignment }),
    });
  }

  /** Whether a call, as it is stored, has done what was asked of it. */
  async #isDone(companyId: CompanyId, effect: FloorEffect): Promise<boolean> {
    const call = await this.#deps.stored(companyId, effect.callID).catch(() => undefined);
    if (!call || call.deleted) return false;
    if (effect.do === 'to-queue') return call.queue?.id !== effect.from;
    const { assignment } = effect;
    return (call.queue?.assignment ?? 0) >= assignment || call.parties.some((p) => p.assignment === assignment);
  }

  /**
   * What a call that has ended would have told last: it lived at an instance that could not tell it any more. Without it
   * the floor would go on choosing agents for it.
   */
  async #endOf(companyId: CompanyId, callID: CallID): Promise<CallNote | undefined> {
    try {
      const call = await this.#deps.stored(companyId, callID);
      if (!call) return { callID, parties: [] };
      return call.deleted ? noteOf(call) : undefined;
    } catch (error) {
      this.#deps.log.error('whether a waiting call still lives could not be read', error, callID);
      return undefined;
    }
  }

  /** Asks it of a call that lives here. @returns whether the call has taken it */
  async ask(companyId: CompanyId, effect: FloorEffect): Promise<boolean> {
    try {
      return await whenKnown(this.#queueInput(companyId, effect), (kept) => this.#push(companyId, effect, kept));
    } catch (error) {
      // Whether there is room could not be asked.
      this.#deps.log.error('a waiting call could not be sent on', error, effect.callID);
      return false;
    }
  }

  #push(companyId: CompanyId, { callID }: FloorEffect, { it: input, settled }: Kept<QueueInput>): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (verdict: unknown, call: Call | undefined): void => {
        settled();
        resolve(verdict === undefined && call !== undefined);
      };
      if (this.#deps.live(companyId, callID)?.push({ input, at: this.#deps.now(), settle })) return;
      settled();
      resolve(false);
    });
  }

  #queueInput(companyId: CompanyId, effect: FloorEffect): Soon<Kept<QueueInput>> {
    const { directory, live, reach, admission } = this.#deps;
    const { callID } = effect;
    const failed = (from: string): Kept<QueueInput> => free({ kind: 'overflow-failed', queue: from });
    switch (effect.do) {
      case 'assign': {
        const { queue, dn, assignment } = effect;
        const call = live(companyId, callID)?.call;
        const shown = call?.parties.find((p) => p.partyID === call.queue?.party)?.dn;
        const to = directory.resolve(companyId, dn, shown);
        return free({ kind: 'assign', queue, to, assignment });
      }
      case 'to-queue': {
        const queue = directory.queue(companyId, effect.queue);
        if (!queue) return failed(effect.from);
        const use = { queue: queue.id };
        return whenKnown(admission.admitUse(callID, use), (noRoom) =>
          noRoom
            ? failed(effect.from)
            : { it: { kind: 'to-queue', queue: entryOf(queue) }, settled: () => admission.settled(callID, use) },
        );
      }
      case 'to-number': {
        const { from, assignment } = effect;
        return whenKnown(reach(companyId, callID, effect.number), ({ it: to, settled }) =>
          to.unreachable === undefined ? { it: { kind: 'to-number', to, assignment }, settled } : failed(from),
        );
      }
    }
  }
}
