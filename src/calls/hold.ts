import { refuse } from '../cti/errors.ts';
import type { Call } from './call.ts';
import type { Fact } from './input.ts';
import { activeConsult, companions, isObserver, isSwapped } from './layout.ts';
import type { Refused } from './output.ts';
import { isLeaving, isUp, type Party } from './party.ts';
import { tellHeld, tellRetrieved } from './tell.ts';
import type { Turn } from './turn.ts';
import { waitingParty } from './waiting.ts';

/**
 * Hold: whoever talks to the holder alone hears music, and nothing of the holder; in a conference the others go on
 * talking without it. The sound follows from the parties' states (layout.ts).
 *
 * A hold is made by request or on the phone itself, and either undoes the other. The host of a consultation that was
 * answered holds and retrieves by request in a sense of its own: hold swaps to the customer while the guest waits,
 * retrieve is back to the guest.
 */

/** Where a request of hold is refused for what the party is, whatever its state. */
export function mayNotAct(call: Call, party: Party): Refused | undefined {
  if (isObserver(call, party)) return { refusal: refuse('PartyIsObserver') };
  if (isLeaving(party)) return { refusal: refuse('InvalidAgentState', { reason: 'the party is leaving' }) };
  return undefined;
}

/** RequestHoldCall. @returns HeldInProcess for one who holds already, InvalidAgentState for one who does not talk */
export function holdCall(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const refusal = mayNotAct(turn.call, party);
  if (refusal) return refusal;
  if (party.state === 'Held') return { refusal: refuse('HeldInProcess') };
  if (party.state !== 'Talk') return { refusal: refuse('InvalidAgentState', { state: party.state }) };
  if (waitingParty(turn.call)?.partyID === party.partyID) {
    return { refusal: refuse('InvalidAgentState', { reason: 'the party waits in a queue' }) };
  }
  const consult = activeConsult(turn.call);
  if (consult?.host === party.partyID) {
    if (consult.stage !== 4 || consult.guest === undefined) {
      return { refusal: refuse('InvalidAgentState', { reason: 'the consulted party has not answered' }) };
    }
    turn.update({ consult: { ...consult, swapped: true } });
    putOnHold(turn, party, [turn.party(consult.guest)], referenceID);
    return undefined;
  }
  hold(turn, party, referenceID);
  return undefined;
}

/** RequestRetrieveCall. @returns InvalidAgentState for one who has put nobody on hold */
export function retrieveCall(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const refusal = mayNotAct(turn.call, party);
  if (refusal) return refusal;
  if (party.state !== 'Held') {
    return { refusal: refuse('InvalidAgentState', { state: party.state, reason: 'not on hold' }) };
  }
  // A phone that is on hold itself would neither be heard nor hear: it is told to go on.
  if (party.leg.heldByPhone && party.leg.kind === 'user') {
    turn.ask({ do: 'answer-phone', channel: party.leg.channel });
  }
  retrieve(turn, noLongerHeldByPhone(turn, party), referenceID);
  return undefined;
}

/** The phone itself put the other side on hold, or took it back: the same as the request, and nothing where it is so. */
export function phoneHold(turn: Turn, party: Party, fact: Fact): void {
  if (fact.kind === 'leg-held-by-phone') {
    if (!party.leg.heldByPhone) turn.leg(party, { heldByPhone: true });
    return;
  }
  const taken = noLongerHeldByPhone(turn, party);
  if (taken.state === 'Held' && !isLeaving(taken) && !isSwapped(turn.call, taken)) retrieve(turn, taken, 0);
}

/**
 * What lasts beyond the input that brought it about: a phone that was put on hold before its party talked holds as soon
 * as it does, and whoever had swapped retrieves when there is no consultation any more to swap in.
 *
 * @param before the call as it was before this turn
 * @param referenceID of the request that this turn carries out
 */
export function settleHolds(turn: Turn, before: Call, referenceID: number): void {
  const host = before.consult?.swapped ? before.consult.host : undefined;
  if (host !== undefined && !activeConsult(turn.call)) endSwap(turn, turn.party(host), referenceID);
  for (const { partyID } of turn.call.parties) {
    const party = turn.party(partyID);
    const talks = party.state === 'Talk' && isUp(party) && !isLeaving(party);
    // Who waits in a queue holds when there is somebody to hold.
    if (party.leg.heldByPhone && talks && waitingParty(turn.call)?.partyID !== partyID) hold(turn, party, referenceID);
  }
}

function endSwap(turn: Turn, host: Party, referenceID: number): void {
  const { consult } = turn.call;
  if (consult?.swapped) turn.update({ consult: { ...consult, swapped: false } });
  if (host.state === 'Held' && isUp(host) && !isLeaving(host) && !host.leg.heldByPhone)
    retrieve(turn, host, referenceID);
}

function hold(turn: Turn, party: Party, referenceID: number): void {
  const [only, ...more] = companions(turn.call, party);
  putOnHold(turn, party, only && more.length === 0 ? [only] : [], referenceID);
}

/** EventHeld; `waiting` are those who hear music from now on. */
function putOnHold(turn: Turn, party: Party, waiting: readonly Party[], referenceID: number): void {
  const lastHoldAt = turn.now;
  const held = turn.leg(turn.move(party, 'Held'), { lastHoldAt });
  for (const other of waiting) turn.leg(other, { lastHoldAt });
  tellHeld(turn, held, referenceID);
}

function retrieve(turn: Turn, party: Party, referenceID: number): void {
  const { consult } = turn.call;
  const talking = turn.move(party, 'Talk');
  if (consult?.swapped && consult.host === party.partyID) turn.update({ consult: { ...consult, swapped: false } });
  tellRetrieved(turn, talking, referenceID);
}

function noLongerHeldByPhone(turn: Turn, party: Party): Party {
  if (!party.leg.heldByPhone) return party;
  const { heldByPhone: _, ...leg } = party.leg;
  return turn.put({ ...party, leg });
}
