import { refuse } from '../cti/errors.ts';
import { partyIDOf } from '../cti/ids.ts';
import type { Call } from './call.ts';
import { asGuest } from './consult.ts';
import { enqueue, leaveQueue } from './enter-queue.ts';
import type { Destination, QueueInput } from './input.ts';
import type { Departure } from './leave.ts';
import type { Refused } from './output.ts';
import { type Party, type PartyRoleInCall, plannedParty } from './party.ts';
import { announceRinging, joinTalk, type Purposeful } from './progress.ts';
import { statusAnswered, statusDialled, statusJoined } from './statuses.ts';
import { tellEstablished, tellOtherRinging } from './tell.ts';
import { asReturned, asTarget } from './transfer.ts';
import type { Turn } from './turn.ts';
import { rungForQueue, waitingParty } from './waiting.ts';

/**
 * Waiting for an agent. The one who waits has answered (or been answered) and hears music, alone. Whom he gets is for
 * the floor (agents and queues) to say: it assigns an agent, whose phone is rung apart, so that the music goes on until
 * he answers; then both are put together. An agent who does not come leaves the call waiting as before.
 *
 * A caller waits, or a customer whom we have called, or an agent who has called the queue; one who was handed to it
 * (transfer.ts); and the host of a consultation, for the queue's agent to be his guest (consult.ts).
 */

/** The one for whom a queue is asked: a caller, or one whom we have called. Answered, he begins to wait. */
export const waits: Purposeful = {
  rings: () => undefined,
  answers(turn, party) {
    statusAnswered(turn, party);
    const { queue } = turn.call;
    if (queue) turn.update({ queue: { ...queue, since: turn.now, enteredAt: turn.now } });
  },
};

/** An agent rung for one who has not talked yet, or the number to which the queue overflows. */
export const queueAgent: Purposeful = {
  rings(turn, party) {
    statusDialled(turn, party);
    announceRinging(turn, party);
    const waiting = waitingParty(turn.call);
    if (waiting) tellOtherRinging(turn, waiting);
  },
  answers(turn, party) {
    const waiting = waitingParty(turn.call);
    if (!waiting) return;
    statusAnswered(turn, party);
    leaveQueue(turn);
    const joined = [turn.party(party.partyID), waiting].map((p) => joinTalk(turn, p));
    for (const p of joined) {
      statusJoined(turn, p);
      tellEstablished(turn, p);
    }
  },
};

/** The floor's inputs: an assignment, another queue, a number outside. Refused where the call has changed meanwhile. */
export function onQueueInput(turn: Turn, input: QueueInput): Refused | undefined {
  const { queue } = turn.call;
  const waiting = waitingParty(turn.call);
  if (!queue || !waiting || rungForQueue(turn.call)) return gone;
  switch (input.kind) {
    case 'to-queue':
      enqueue(turn, waiting, input.queue);
      return undefined;
    case 'overflow-failed':
      return input.queue === queue.id && goBack(turn, waiting) ? undefined : gone;
    case 'assign':
    case 'to-number': {
      const { assignment, to } = input;
      if (assignment <= queue.assignment || to.unreachable !== undefined) return gone;
      if (input.kind === 'assign' && input.queue !== queue.id) return gone;
      const overflows = input.kind === 'to-number';
      ring(turn, to, roleFor(turn.call, waiting), {
        assignment,
        overflows,
        ...(!overflows && { wrapUp: queue.wrapUp }),
      });
      return undefined;
    }
  }
}

const gone: Refused = { refusal: refuse('NotFoundCallID', { reason: 'the call does not wait any more' }) };

type RoleInQueue = Pick<PartyRoleInCall, 'purpose' | 'dnRole' | 'relation'>;

/** What somebody who is rung for the one who waits is to the call. */
function roleFor(call: Call, waiting: Party): RoleInQueue {
  if (call.consult) return asGuest(call, waiting);
  if (call.transfer) return asTarget(call, call.transfer, waiting);
  return { purpose: 'queue-agent', dnRole: call.callType === 'Outbound' ? 'Origination' : 'Destination' };
}

interface Rung {
  /** Of an agent whom the floor has chosen. */
  readonly assignment?: number;
  /** Seconds of after-call work. */
  readonly wrapUp?: number;
  /** Whoever is rung is so in the queue's place. */
  readonly overflows: boolean;
}

/** Rings somebody for the one who waits, apart from him: he goes on hearing music. */
function ring(turn: Turn, to: Destination, role: RoleInQueue, { overflows, ...rung }: Rung): void {
  const { queue, callID, parties, consult } = turn.call;
  if (!queue) return;
  const n = parties.length + 1;
  const partyID = partyIDOf(callID, n);
  const party: Party = {
    ...plannedParty(callID, n, to, {
      ...role,
      role: to.kind === 'user' ? 'Agent' : 'ThirdPSTN',
      ringTimeout: queue.ringTimeout,
      referenceID: queue.referenceID ?? 0,
    }),
    ...(rung.assignment !== undefined && { thisQueue: queue.id }),
    ...rung,
  };
  turn.update({
    parties: [...parties, party],
    queue: {
      ...queue,
      assignment: rung.assignment ?? queue.assignment,
      rung: partyID,
      overflowed: queue.overflowed || overflows,
    },
    ...(consult && { consult: { ...consult, guest: partyID } }),
  });
  turn.dial(party);
}

/**
 * The queue cannot serve one who was handed to it: the agent who did so is rung for him, once, while he goes on waiting.
 *
 * @returns false where there is nobody to go back to
 */
function goBack(turn: Turn, waiting: Party): boolean {
  const { queue, transfer } = turn.call;
  const { back, ...onward } = transfer ?? {};
  if (!queue || !transfer || !back || back.unreachable !== undefined) return false;
  turn.update({ transfer: { ...onward, by: transfer.by } });
  ring(turn, back, asReturned(queue.id, waiting), { overflows: true });
  return true;
}

/** One who was rung for the queue and did not come: the other goes on waiting. */
export const queueAgentLeft: Departure = (turn, left) => {
  const { queue, consult } = turn.call;
  if (!queue || queue.rung !== left.partyID) return false;
  const waiting = waitingParty(turn.call);
  const { rung: _, ...rest } = queue;
  turn.update({ queue: rest });
  if (!waiting) return false;
  turn.put({ ...turn.party(left.partyID), missed: true });
  if (consult) turn.update({ consult: { host: consult.host, stage: 1, swapped: false } });
  // No agent's after-call work means no agent of the queue: it was the number that it overflows to.
  else if (left.wrapUp === undefined) goBack(turn, waiting);
  return true;
};
