import type { Call } from '../calls/call.ts';
import type { QueueEntry, QueueInput } from '../calls/input.ts';
import { waitingParty } from '../calls/waiting.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { FloorEffect } from '../queues/floor.ts';
import type { CallRunner } from './call-runner.ts';
import type { Directory, Queue } from './directory.ts';
import type { FloorRunner } from './floor-runner.ts';

/** What the calls that wait in queues need of the engine. */
export interface WaitingCallsDeps {
  readonly directory: Directory;
  /** Unix ms. */
  readonly now: () => number;
  readonly floor: (companyId: CompanyId) => FloorRunner | undefined;
  readonly live: (companyId: CompanyId, callID: string) => CallRunner | undefined;
  readonly calls: (companyId: CompanyId) => Iterable<Call>;
  /** Asks it of a call that does not live here. @returns whether it was done */
  readonly elsewhere: (companyId: CompanyId, effect: FloorEffect) => Promise<boolean>;
  /** Callers who are just being let in to a queue. */
  readonly arriving: (companyId: CompanyId, queue: string) => number;
}

/** Q.850 17 and 34: the caller hears busy, or congestion. */
const USER_BUSY = 17;
const NO_CIRCUIT = 34;

/** A queue as a call must know it. @param ringTimeout seconds, where the route says otherwise */
export const entryOf = ({ id, ringTimeout, wrapUp }: Queue, other?: number): QueueEntry => ({
  id,
  ringTimeout: other ?? ringTimeout,
  wrapUp,
});

/** Between the floors and the calls that wait: who is let in, and what becomes of whom a floor has chosen. */
export class WaitingCalls {
  readonly #deps: WaitingCallsDeps;

  constructor(deps: WaitingCallsDeps) {
    this.#deps = deps;
  }

  /** Q.850: why a caller may not even wait; undefined if he may. */
  turnedAway(companyId: CompanyId, queue: Queue, limit: 'channel-limit' | undefined): number | undefined {
    if (limit) return NO_CIRCUIT;
    return this.#waitingIn(companyId, queue.id) >= queue.maxWaiting ? USER_BUSY : undefined;
  }

  /** Callers who wait in a queue, or are just being let in. */
  #waitingIn(companyId: CompanyId, queueId: string): number {
    let n = 0;
    for (const call of this.#deps.calls(companyId)) {
      // Customers whom we call are no callers before they have answered, and then are always let in.
      const here = call.callType !== 'Outbound' || waitingParty(call) !== undefined;
      if (call.queue?.id === queueId && here) n += 1;
    }
    return n + this.#deps.arriving(companyId, queueId);
  }

  /** Does what the floor asks of a call that waits. A call that is gone, or has changed meanwhile, says so. */
  async serve(companyId: CompanyId, effect: FloorEffect): Promise<void> {
    const { live, elsewhere, floor } = this.#deps;
    const here = live(companyId, effect.callID) !== undefined;
    const taken = here ? await this.ask(companyId, effect) : await elsewhere(companyId, effect);
    if (taken) return;
    floor(companyId)?.push({
      kind: 'declined',
      callID: effect.callID,
      ...('assignment' in effect && { assignment: effect.assignment }),
    });
  }

  /** Asks it of a call that lives here. @returns whether the call has taken it */
  ask(companyId: CompanyId, effect: FloorEffect): Promise<boolean> {
    const input = this.#queueInput(companyId, effect);
    const runner = input && this.#deps.live(companyId, effect.callID);
    if (!input || !runner) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (verdict: unknown, call: Call | undefined): void => resolve(verdict === undefined && !!call);
      if (!runner.push({ input, at: this.#deps.now(), settle })) resolve(false);
    });
  }

  #queueInput(companyId: CompanyId, effect: FloorEffect): QueueInput | undefined {
    const { directory } = this.#deps;
    switch (effect.do) {
      case 'assign': {
        const { queue, dn, assignment } = effect;
        const call = this.#deps.live(companyId, effect.callID)?.call;
        const shown = call?.parties.find((p) => p.partyID === call.queue?.party)?.dn;
        return { kind: 'assign', queue, to: directory.resolve(companyId, dn, shown), assignment };
      }
      case 'to-queue': {
        const queue = directory.queue(companyId, effect.queue);
        if (!queue || this.#waitingIn(companyId, queue.id) >= queue.maxWaiting) return undefined;
        return { kind: 'to-queue', queue: entryOf(queue) };
      }
      case 'to-number': {
        const to = directory.resolve(companyId, effect.number);
        return to.unreachable === undefined ? { kind: 'to-number', to, assignment: effect.assignment } : undefined;
      }
    }
  }
}
