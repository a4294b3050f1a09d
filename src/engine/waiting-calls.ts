import type { Call } from '../calls/call.ts';
import type { CallBirth, Destination, QueueEntry, QueueInput } from '../calls/input.ts';
import { placeInQueue } from '../calls/waiting.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
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
  /** What waits without being a call. @returns whether the effect was for it */
  readonly other: (companyId: CompanyId, effect: FloorEffect) => boolean;
  /** How a number is reached from within a call; it takes a place on its trunk until {@link settleLegs}. */
  readonly reach: (companyId: CompanyId, callID: CallID, number: string) => Destination;
  /** The call's places on trunks are those of its legs again. */
  readonly settleLegs: (call: Call) => void;
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
  /** Calls that have been let in to a queue and are not stored as being there yet. */
  readonly #entering = new Map<CallID, { readonly companyId: CompanyId; readonly queue: string }>();

  constructor(deps: WaitingCallsDeps) {
    this.#deps = deps;
  }

  /** Q.850: why a caller may not even wait; undefined if he may. */
  turnedAway(companyId: CompanyId, queue: Queue, limit: 'channel-limit' | undefined): number | undefined {
    if (limit) return NO_CIRCUIT;
    return this.isFull(companyId, queue) ? USER_BUSY : undefined;
  }

  /** As many wait in a queue, or are just being let in, as may. */
  isFull(companyId: CompanyId, { id, maxWaiting }: Queue): boolean {
    const there = new Set<CallID>();
    for (const call of this.#deps.calls(companyId)) if (placeInQueue(call) === id) there.add(call.callID);
    for (const [callID, at] of this.#entering) {
      if (at.companyId === companyId && at.queue === id) there.add(callID);
    }
    return there.size >= maxWaiting;
  }

  /** Keeps a place in a queue for a call, until {@link entered}. */
  enter(companyId: CompanyId, callID: CallID, queue: string): void {
    this.#entering.set(callID, { companyId, queue });
  }

  /** The same for a call that begins. A customer whom a queue calls has his place when he answers. */
  begins(birth: CallBirth): void {
    const { companyId, callID, queue } = birth;
    const waits = birth.kind === 'arrived' ? birth.turnedAway === undefined : birth.firstLeg === 'agent';
    if (queue && waits) this.enter(companyId, callID, queue.id);
  }

  /** The call is stored with its place in the queue, or does not come. */
  entered(callID: CallID): void {
    this.#entering.delete(callID);
  }

  /** Does what the floor asks of a call that waits. A call that is gone, or has changed meanwhile, says so. */
  serve(companyId: CompanyId, effect: FloorEffect): void {
    if (this.#deps.other(companyId, effect)) return;
    const input = this.#queueInput(companyId, effect);
    const decline = (): void =>
      this.#deps.floor(companyId)?.push({
        kind: 'declined',
        callID: effect.callID,
        ...('assignment' in effect && { assignment: effect.assignment }),
      });
    const taken = this.#deps.live(companyId, effect.callID)?.push({
      input,
      at: this.#deps.now(),
      settle: (verdict, call) => {
        this.entered(effect.callID);
        if (verdict && call) this.#deps.settleLegs(call);
        if (verdict || !call) decline();
      },
    });
    if (taken) return;
    this.entered(effect.callID);
    decline();
  }

  #queueInput(companyId: CompanyId, effect: FloorEffect): QueueInput {
    const { directory, live, reach } = this.#deps;
    const { callID } = effect;
    switch (effect.do) {
      case 'assign': {
        const { queue, dn, assignment } = effect;
        const call = live(companyId, callID)?.call;
        const shown = call?.parties.find((p) => p.partyID === call.queue?.party)?.dn;
        return { kind: 'assign', queue, to: directory.resolve(companyId, dn, shown), assignment };
      }
      case 'to-queue': {
        const queue = directory.queue(companyId, effect.queue);
        if (!queue || this.isFull(companyId, queue)) return { kind: 'overflow-failed', queue: effect.from };
        this.enter(companyId, callID, queue.id);
        return { kind: 'to-queue', queue: entryOf(queue) };
      }
      case 'to-number': {
        const to = reach(companyId, callID, effect.number);
        if (to.unreachable !== undefined) return { kind: 'overflow-failed', queue: effect.from };
        return { kind: 'to-number', to, assignment: effect.assignment };
      }
    }
  }
}
