import type { Party, QueueEntry } from './party.ts';
import type { Turn } from './turn.ts';

/** How the waiting in a queue begins and ends; what happens meanwhile is in queue.ts. */

/**
 * Puts a party of the call in a queue. Where the party is not up yet, the waiting begins when it is. Assignments count
 * on over all queues that the call has been in: each number is given once in the life of a call.
 *
 * @param referenceID of the request that puts it there; by default that of the queue in which it waits already
 */
export function enqueue(turn: Turn, party: Party, entry: QueueEntry, referenceID?: number): void {
  const { call } = turn;
  const { queue } = call;
  const cause = referenceID ?? queue?.referenceID;
  const given = call.parties.map((p) => p.assignment ?? 0);
  // Who consults a queue waits there for himself: the queue from which his own call came stays what it was.
  if (!call.consult) turn.put({ ...turn.party(party.partyID), ...asWaiting(party, entry.id) });
  turn.update({
    queue: {
      id: entry.id,
      ringTimeout: entry.ringTimeout,
      wrapUp: entry.wrapUp,
      party: party.partyID,
      since: queue?.since ?? turn.now,
      enteredAt: turn.now,
      assignment: Math.max(queue?.assignment ?? 0, ...given),
      overflowed: false,
      ...(cause !== undefined && { referenceID: cause }),
    },
  });
}

/** One who has talked before waits for the queue from now on, and for nobody else. */
const asWaiting = (party: Party, id: string): Partial<Party> => ({
  thisQueue: id,
  ...(party.relation && { relation: { otherDN: id } }),
});

/** The waiting is over: somebody has come, or nobody is wanted any more. */
export function leaveQueue(turn: Turn): void {
  const { queue: _, ...call } = turn.call;
  turn.call = call;
}
