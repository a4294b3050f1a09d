import type { Call } from './call.ts';
import { isLeaving, isLive, isUp, type Party } from './party.ts';

/** Who waits in a queue, and who is rung for it: read from the call by all that must treat them differently. */

/** The one who waits, as long as he does: his leg is up, stays, and talks to nobody. */
export function waitingParty(call: Call): Party | undefined {
  const party = call.queue && call.parties.find((p) => p.partyID === call.queue?.party);
  return party && isUp(party) && !isLeaving(party) ? party : undefined;
}

/** The one who is being rung for the queue, if somebody is. */
export function rungForQueue(call: Call): Party | undefined {
  const rung = call.queue && call.parties.find((p) => p.partyID === call.queue?.rung);
  return rung && isLive(rung) ? rung : undefined;
}

/**
 * The queue in which a call has a place: somebody waits there, or will when the one who hands him on has gone. Customers
 * whom we call have none before they have answered, and then are always let in.
 */
export function placeInQueue(call: Call): string | undefined {
  const { queue, transfer } = call;
  if (transfer?.queue) return transfer.queue.id;
  const called = call.callType === 'Outbound' && waitingParty(call) === undefined;
  return called ? undefined : queue?.id;
}
