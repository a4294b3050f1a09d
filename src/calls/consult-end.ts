import type { AgentStatus } from '../cti/agent-status.ts';
import type { Consult } from './call.ts';
import { atStage, customersOf, guestOf, transferredTo } from './consult.ts';
import { becauseOf, type Departure, type Farewell, hangUp } from './leave.ts';
import { stays } from './newcomer.ts';
import type { Party } from './party.ts';
import { tellConsultStage, tellPartyChanged } from './tell-relations.ts';
import type { Turn } from './turn.ts';

/** What it means for a consultation that somebody leaves. Nobody is left with silence: whoever can talk, talks. */

/** What the last event of its guest, or of its host, says. */
export const consultFarewell: Farewell = (turn, left) => {
  const { consult } = turn.call;
  if (consult?.guest === left.partyID) guestFarewell(turn, consult, left);
  else if (consult?.host === left.partyID) hostFarewell(turn, consult, left);
};

function guestFarewell(turn: Turn, consult: Consult, left: Party): void {
  const { stage } = consult;
  if (stage === 6) {
    // The host has handed over already and is about to be gone: this was the other half of a call of two.
    turn.put({ ...left, relation: handedOver(turn, consult) });
    turn.status(left, 'ConsultationGuestCompleted');
    return;
  }
  turn.put({ ...left, relation: atStage(left.relation, stage === 4 ? 5 : 3) });
  const ended = guestStatus(consult, left);
  if (ended) turn.status(left, ended);
}

/** Dropped by the host, or let go before the answer because the call is over; else how the guest's own phone ended it. */
function guestStatus({ stage, dropped }: Consult, { announced, leg }: Party): AgentStatus | undefined {
  if (dropped) return 'ConsultationGuestReleased';
  if (stage === 4) return 'ConsultationGuestCompleted';
  if (leg.hangup && !leg.hangup.own) return 'ConsultationGuestReleased';
  return announced ? 'ConsultationGuestMissed' : undefined;
}

function hostFarewell(turn: Turn, consult: Consult, left: Party): void {
  if (consult.stage < 4) {
    turn.status(left, 'ConsultationReleased');
    return;
  }
  const heir = heirOf(turn, consult);
  if (heir) turn.put({ ...left, relation: transferredTo(heir) });
  turn.status(left, 'ConsultationCompleted');
}

/** The guest, where it and the customer are both there to talk once the host has gone. */
function heirOf(turn: Turn, consult: Consult): Party | undefined {
  const guest = guestOf(turn, consult);
  const heir = consult.stage >= 4 && guest !== undefined && stays(guest);
  return heir && customersOf(turn.call, consult).length > 0 ? guest : undefined;
}

/** What a party's leaving means for a consultation. */
export const consultDeparture: Departure = (turn, left) => {
  const { consult } = turn.call;
  if (!consult) return false;
  if (consult.guest === left.partyID) return guestLeft(turn, consult, left);
  if (consult.host === left.partyID) return hostLeft(turn, consult, left);
  return customerLeft(turn, consult);
};

/** The host talks to the customer again; where one of them is leaving, the call is over. */
function guestLeft(turn: Turn, consult: Consult, guest: Party): boolean {
  turn.forget('consult');
  const host = turn.party(consult.host);
  if (!stays(host) || customersOf(turn.call, consult).length === 0) return false;
  turn.status(host, hostStatus(consult, guest));
  tellConsultStage(turn, host, guest.dn, consult.stage === 4 ? 5 : 3, guest.leg.hangup?.referenceID);
  return true;
}

function hostStatus(consult: Consult, guest: Party): AgentStatus {
  if (consult.dropped) return 'ConsultationReleased';
  if (consult.stage === 4) return 'ConsultationCompleted';
  return guest.leg.end?.ringTimedOut ? 'ConsultationMissed' : 'ConsultationFailed';
}

/** A host who goes after the answer leaves his place to the guest; one who goes before it ends the call. */
function hostLeft(turn: Turn, consult: Consult, host: Party): boolean {
  const guest = heirOf(turn, consult);
  if (!guest) {
    const asked = guestOf(turn, consult);
    if (asked) hangUp(turn, asked, becauseOf(host, host.leg.hangup?.referenceID));
    return false;
  }
  const relation = handedOver(turn, consult);
  const [customer] = customersOf(turn.call, consult);
  turn.forget('consult');
  turn.status(guest, 'ConsultationGuestCompleted');
  turn.status(guest, 'HostDisconnected');
  tellPartyChanged(turn, { ...guest, relation }, host.leg.hangup?.referenceID);
  if (customer) pair(turn, guest, customer);
  return true;
}

/** How the guest stands to the others once the host has left his place to it. */
function handedOver(turn: Turn, consult: Consult) {
  const [customer] = customersOf(turn.call, consult);
  return {
    ...(customer && { otherDN: customer.dn }),
    thirdDN: turn.party(consult.host).dn,
    thirdDNRole: 'TransferBy' as const,
    callState: 'OK' as const,
    data: { consultStage: 6 },
  };
}

/** The customer has gone: host and guest go on as a call of two, if they talk to each other; else the call is over. */
function customerLeft(turn: Turn, consult: Consult): boolean {
  const host = turn.party(consult.host);
  const guest = guestOf(turn, consult);
  if (customersOf(turn.call, consult).length > 0) return false;
  if (consult.stage !== 4 || !stays(host) || !guest || !stays(guest)) return false;
  turn.forget('consult');
  turn.status(host, 'ConsultationCompleted');
  tellPartyChanged(turn, { ...host, relation: { otherDN: guest.dn, callState: 'OK' } }, undefined);
  turn.status(guest, 'ConsultationGuestCompleted');
  tellPartyChanged(turn, { ...guest, relation: { otherDN: host.dn, callState: 'OK' } }, undefined);
  pair(turn, host, guest);
  return true;
}

/** From now on these two talk to each other, and their events name each other. */
export function pair(turn: Turn, one: Party, other: Party): void {
  turn.put({ ...turn.party(one.partyID), relation: { otherDN: other.dn } });
  turn.put({ ...turn.party(other.partyID), relation: { otherDN: one.dn } });
}
