import type { DialerFlowConfig } from '../config.ts';
import type { FlowStatus } from '../cti/flow-status.ts';
import type { CallID } from '../cti/ids.ts';
import type { DialerCall, Leg, Placing } from './dialer-call.ts';
import { type Deleted, legsOfPlacing, type Outcome, outcomeOf } from './outcome.ts';

/** What happens to a call of the dialler. */
export type DialerInput =
  /** An instance takes it out of the queue, under a callID chosen beforehand, for an agent or for a queue. */
  | ({ readonly kind: 'claimed'; readonly callID: CallID } & CalledBy)
  /** Ringmaster has accepted the call. */
  | { readonly kind: 'placed'; readonly callID: CallID }
  /** Ringmaster has not: `later` there may be room or a node, `never` it refuses this call for good. */
  | { readonly kind: 'not-placed'; readonly callID: CallID; readonly why: 'later' | 'never' }
  /** EventEstablished of the customer: agent and customer talk. */
  | { readonly kind: 'answered'; readonly eventID: number; readonly callID: CallID }
  /** EventReleased of one of its two parties. */
  | { readonly kind: 'leg-ended'; readonly eventID: number; readonly leg: Leg }
  /** EventCallDeleted. `stopped`: the flow has been stopped meanwhile. */
  | {
      readonly kind: 'deleted';
      readonly eventID: number;
      readonly callID: CallID;
      readonly end: Deleted;
      readonly stopped: boolean;
    }
  /** What is stored of the call, where the log may have lost events of it: they are all taken into account by this. */
  | {
      readonly kind: 'found';
      readonly callID: CallID;
      readonly legs: readonly Leg[];
      readonly answered: boolean;
      /** Present where it has ended. */
      readonly end?: Deleted;
      readonly stopped: boolean;
    }
  /** Nothing is known of the call any more: the log and the store have lost it. */
  | { readonly kind: 'lost'; readonly callID: CallID }
  /**
   * Some of its numbers must not be called any more: a list has changed since it was accepted.
   * `faults`: why, in the order of its numbers; undefined for one that may be called.
   */
  | { readonly kind: 'barred'; readonly faults: readonly (FlowStatus | undefined)[] }
  /** The account or the flow does not let it be placed. */
  | {
      readonly kind: 'refused';
      readonly status: 'ACCOUNT_VALIDITY_EXPIRED' | 'INSUFFICIENT_BALANCE' | 'FAILURE';
    }
  /** The flow has been stopped while it waited. */
  | { readonly kind: 'stop' };

/** After this input the call that was placed is over. */
export const isOver = (input: DialerInput): boolean =>
  input.kind === 'deleted' || input.kind === 'lost' || (input.kind === 'found' && input.end !== undefined);

/** Who calls the customer: an agent of the flow, or its queue. */
export type CalledBy = Pick<Placing, 'agent' | 'queue'>;

export type Plans = Pick<DialerFlowConfig, 'firstLeg' | 'shortCall' | 'agentAttempts' | 'customerAttempts'>;

/** Times in a row that a call may fail on our side before it is given up. */
export const MAX_FAULTS = 8;
const MAX_LEGS = 200;
const MAX_HISTORY = 200;
/** Before what found no room is tried again, ms. */
const LATER_MS = 500;

/**
 * The next state of a call of the dialler by one input. Pure. An input that does not concern the call as it is now (an
 * older callID, an event that has been taken into account) leaves it as it is: the same object.
 *
 * @param plans of its flow
 * @param now Unix ms
 */
export function stepDialerCall(call: DialerCall, input: DialerInput, plans: Plans, now: number): DialerCall {
  if (call.phase === 'ended') return call;
  switch (input.kind) {
    case 'claimed':
      if (call.phase !== 'waiting') return call;
      return {
        ...withStatus(call, 'IN_PROGRESS', now),
        phase: 'placing',
        placing: {
          callID: input.callID,
          ...(input.agent !== undefined && { agent: input.agent }),
          ...(input.queue !== undefined && { queue: input.queue }),
          claimedAt: now,
          before: call.status,
        },
      };
    case 'placed':
      return isCurrent(call, input.callID) && call.phase === 'placing' ? { ...call, phase: 'live' } : call;
    case 'not-placed':
      if (!isCurrent(call, input.callID) || call.phase !== 'placing') return call;
      if (input.why === 'never') return ended(call, 'FAILURE', now);
      return unclaimed(call, call.placing?.before ?? call.status, now);
    case 'answered': {
      const { placing } = call;
      if (!placing || !isCurrent(call, input.callID) || input.eventID <= call.lastEventID || placing.answered)
        return call;
      return { ...call, phase: 'live', lastEventID: input.eventID, placing: { ...placing, answered: true } };
    }
    case 'leg-ended':
      if (!isCurrent(call, input.leg.callID) || input.eventID <= call.lastEventID) return call;
      return { ...call, phase: 'live', lastEventID: input.eventID, legs: withLegs(call, [input.leg]) };
    case 'deleted': {
      if (!isCurrent(call, input.callID) || input.eventID <= call.lastEventID) return call;
      const outcome = outcomeOf(legsOfPlacing(call), input.end, plans.firstLeg, plans.shortCall * 1000);
      return after({ ...call, lastEventID: input.eventID }, outcome, plans, input.stopped, now);
    }
    case 'found':
      return isCurrent(call, input.callID) ? found(call, input, plans, now) : call;
    case 'lost':
      // Somebody may have been called: another attempt could be one too many, and none is made.
      return isCurrent(call, input.callID) ? ended(call, 'FAILURE', now) : call;
    case 'refused':
      return call.phase === 'waiting' ? ended(call, input.status, now) : call;
    case 'barred':
      return call.phase === 'waiting' ? withoutBarred(call, input.faults, plans, now) : call;
    case 'stop':
      return call.phase === 'waiting' ? ended(call, 'PARTIAL_COMPLETE', now) : call;
  }
}

const isCurrent = (call: DialerCall, callID: CallID): boolean => call.placing?.callID === callID;

/** Each leg once, whether an event has told of it or the call as it is stored. */
function withLegs({ legs }: DialerCall, more: readonly Leg[]): readonly Leg[] {
  const known = new Set(legs.map((l) => l.partyID));
  return [...legs, ...more.filter((l) => !known.has(l.partyID))].slice(-MAX_LEGS);
}

function found(call: DialerCall, of: Extract<DialerInput, { kind: 'found' }>, plans: Plans, now: number): DialerCall {
  const legs = withLegs(call, of.legs);
  if (of.end) {
    const next = { ...call, legs };
    return after(
      next,
      outcomeOf(legsOfPlacing(next), of.end, plans.firstLeg, plans.shortCall * 1000),
      plans,
      of.stopped,
      now,
    );
  }
  const { placing } = call;
  const answers = of.answered && placing && !placing.answered;
  if (!answers && legs.length === call.legs.length && call.phase === 'live') return call;
  return { ...call, phase: 'live', legs, ...(answers && { placing: { ...placing, answered: true } }) };
}

/** What follows from the end of a call that was placed. */
function after(call: DialerCall, outcome: Outcome, plans: Plans, stopped: boolean, now: number): DialerCall {
  switch (outcome) {
    case 'completed':
      return ended(call, 'COMPLETED', now);
    case 'agent-left':
      return ended(call, 'PARTIAL_COMPLETE', now);
    case 'short':
      return ended(call, 'SHORT_HANGUP', now);
    case 'agent-missed':
      return agentMissed({ ...call, faults: 0 }, plans, stopped, now);
    case 'customer-missed':
      return customerMissed({ ...call, faults: 0 }, plans, stopped, now);
    case 'ours': {
      const next = { ...call, faults: call.faults + 1 };
      if (stopped) return ended(next, 'PARTIAL_COMPLETE', now);
      if (next.faults > MAX_FAULTS) return ended(next, 'FAILURE', now);
      return waiting(next, 'REATTEMPT_SCHEDULED', now + Math.min(60_000, 500 * 2 ** next.faults), now);
    }
  }
}

function agentMissed(call: DialerCall, plans: Plans, stopped: boolean, now: number): DialerCall {
  const next = { ...call, agentAttempts: call.agentAttempts + 1 };
  const wait = intervalAfter(next.agentAttempts, plans.agentAttempts);
  if (wait === undefined) return ended(next, 'AGENT_FAILURE', now);
  if (stopped) return ended(next, 'PARTIAL_COMPLETE', now);
  return waiting(next, 'AGENT_REATTEMPT_SCHEDULED', now + wait, now);
}

/** The numbers are tried in order until one connects: that is one attempt. */
function customerMissed(call: DialerCall, plans: Plans, stopped: boolean, now: number): DialerCall {
  if (call.index + 1 < call.numbers.length) {
    const next = { ...call, index: call.index + 1 };
    if (stopped) return ended(next, 'PARTIAL_COMPLETE', now);
    return { ...waiting(next, 'IN_PROGRESS', now, now), urgent: true };
  }
  const next = { ...call, index: 0, customerAttempts: call.customerAttempts + 1 };
  const wait = intervalAfter(next.customerAttempts, plans.customerAttempts);
  if (wait === undefined) return ended(next, 'CUSTOMER_FAILURE', now);
  if (stopped) return ended(next, 'PARTIAL_COMPLETE', now);
  return waiting(next, 'CUSTOMER_REATTEMPT_SCHEDULED', now + wait, now);
}

/**
 * Numbers that must not be called are left out, as when a call is accepted; where none remains the call ends with the
 * first one's fault. Where it was the turn of the last one, the attempt is over.
 */
function withoutBarred(
  call: DialerCall,
  faults: readonly (FlowStatus | undefined)[],
  plans: Plans,
  now: number,
): DialerCall {
  if (faults.every((f) => f === undefined)) return call;
  const numbers = call.numbers.filter((_n, i) => faults[i] === undefined);
  if (numbers.length === 0) return ended(call, faults[0] ?? 'FAILURE', now);
  const index = call.numbers.slice(0, call.index).filter((_n, i) => faults[i] === undefined).length;
  if (index < numbers.length) return { ...call, numbers, index };
  return customerMissed({ ...call, numbers, index: numbers.length - 1 }, plans, false, now);
}

/** Milliseconds to the next attempt; undefined where the plan is exhausted. */
function intervalAfter(
  failed: number,
  plan: { readonly attempts: number; readonly intervals: readonly number[] },
): number | undefined {
  if (failed >= plan.attempts) return undefined;
  return (plan.intervals[failed - 1] ?? plan.intervals.at(-1) ?? 0) * 1000;
}

function waiting(call: DialerCall, status: FlowStatus, dueAt: number, now: number): DialerCall {
  const { placing: _done, ...rest } = withStatus(call, status, now);
  return { ...rest, phase: 'waiting', dueAt, urgent: false };
}

function ended(call: DialerCall, status: FlowStatus, now: number): DialerCall {
  const { placing: _done, ...rest } = withStatus(call, status, now);
  return { ...rest, phase: 'ended', endedAt: now };
}

/** Back into the queue: a claim that came to nothing leaves no trace in its status and its history. */
function unclaimed(call: DialerCall, before: FlowStatus, now: number): DialerCall {
  const { placing: _done, ...rest } = call;
  const history = before === call.status ? call.history : call.history.slice(0, -1);
  return { ...rest, status: before, history, phase: 'waiting', dueAt: now + LATER_MS };
}

function withStatus(call: DialerCall, status: FlowStatus, now: number): DialerCall {
  if (call.status === status) return { ...call, changedAt: now };
  const history = [...call.history, { status, at: now }].slice(-MAX_HISTORY);
  return { ...call, status, history, changedAt: now };
}
