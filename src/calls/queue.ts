import { refuse } from '../cti/errors.ts';
import { partyIDOf } from '../cti/ids.ts';
import type { Destination, QueueEntry, QueueInput } from './input.ts';
import type { Departure } from './leave.ts';
import type { Refused } from './output.ts';
import { type Party, plannedParty } from './party.ts';
import { announceRinging, joinTalk, type Purposeful } from './progress.ts';
import { statusAnswered, statusDialled, statusJoined } from './statuses.ts';
import { tellEstablished, tellOtherRinging } from './tell.ts';
import type { Turn } from './turn.ts';
import { rungForQueue, waitingParty } from './waiting.ts';

/**
 * Waiting for an agent. The one who waits has answered (or been answered) and hears music, alone. Whom he gets is for
 * the floor (agents and queues) to say: it assigns an agent, whose phone is rung apart, so that the music goes on until
 * he answers; then both are put together. An agent who does not come leaves the call waiting as before.
 */

/** Puts a party of the call in a queue. Where the party is not up yet, the waiting begins when it is. */
export function enqueue(turn: Turn, party: Party, entry: QueueEntry): void {
  const { queue } = turn.call;
  turn.put({ ...turn.party(party.partyID), thisQueue: entry.id });
  turn.update({
    queue: {
      id: entry.id,
      ringTimeout: entry.ringTimeout,
      wrapUp: entry.wrapUp,
      party: party.partyID,
      since: queue?.since ?? turn.now,
      enteredAt: turn.now,
      assignment: queue?.assignment ?? 0,
      overflowed: false,
    },
  });
}

/** The one for whom a queue is asked: a caller, or a customer whom we have called. Answered, he begins to wait. */
export const waits: Purposeful = {
  rings: () => undefined,
  answers(turn) {
    const { queue } = turn.call;
    if (queue) turn.update({ queue: { ...queue, since: turn.now, enteredAt: turn.now } });
  },
};

/** An agent rung for a queue, or the number to which it overflows. */
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
    const { queue: _, ...served } = turn.call;
    turn.call = served;
    const joining = [turn.party(party.partyID), waiting];
    const joined = joining.map((p) => ({ before: p.state, now: joinTalk(turn, p) }));
    for (const { before, now } of joined) {
      if (before === 'Talk') continue;
      statusJoined(turn, now);
      tellEstablished(turn, now);
    }
  },
};

/** The floor's inputs: an assignment, another queue, a number outside. Refused where the call has changed meanwhile. */
export function onQueueInput(turn: Turn, input: QueueInput): Refused | undefined {
  const { queue } = turn.call;
  const waiting = waitingParty(turn.call);
  if (!queue || !waiting || rungForQueue(turn.call)) return gone;
  if (input.kind === 'to-queue') {
    enqueue(turn, waiting, input.queue);
    return undefined;
  }
  if (input.assignment <= queue.assignment || input.to.unreachable !== undefined) return gone;
  if (input.kind === 'assign') {
    if (input.queue !== queue.id) return gone;
    ring(turn, input.to, input.assignment, false);
  } else {
    ring(turn, input.to, input.assignment, true);
  }
  return undefined;
}

const gone: Refused = { refusal: refuse('NotFoundCallID', { reason: 'the call does not wait any more' }) };

function ring(turn: Turn, to: Destination, assignment: number, overflowed: boolean): void {
  const { queue, callID, parties } = turn.call;
  if (!queue) return;
  const n = parties.length + 1;
  const party: Party = {
    ...plannedParty(callID, n, to, {
      purpose: 'queue-agent',
      dnRole: turn.call.callType === 'Outbound' ? 'Origination' : 'Destination',
      role: to.kind === 'user' ? 'Agent' : 'ThirdPSTN',
      ringTimeout: queue.ringTimeout,
      referenceID: 0,
    }),
    thisQueue: queue.id,
    assignment,
    ...(!overflowed && { wrapUp: queue.wrapUp }),
  };
  turn.update({
    parties: [...parties, party],
    queue: { ...queue, assignment, rung: partyIDOf(callID, n), overflowed: queue.overflowed || overflowed },
  });
  turn.dial(party);
}

/** One who was rung for the queue and did not come: the other goes on waiting. */
export const queueAgentLeft: Departure = (turn, left) => {
  const { queue } = turn.call;
  if (!queue || queue.rung !== left.partyID) return false;
  const waiting = waitingParty(turn.call);
  const { rung: _, ...rest } = queue;
  turn.update({ queue: rest });
  if (!waiting) return false;
  turn.put({ ...turn.party(left.partyID), missed: true });
  return true;
};
