import { refuse } from '../cti/errors.ts';
import { attachedDataFault } from '../cti/json.ts';
import type { ConsultStage } from '../cti/roles.ts';
import { mergeAttachedData } from './attached-data.ts';
import type { Call, Consult } from './call.ts';
import { enqueue, leaveQueue } from './enter-queue.ts';
import type { CallRequest } from './input.ts';
import { conversing } from './layout.ts';
import { hangUp } from './leave.ts';
import { mayNotBring, mayNotCome, opposite, stays } from './newcomer.ts';
import type { Refused } from './output.ts';
import { type Destination, isLeaving, type Party, type PartyRoleInCall, plannedParty, type Relation } from './party.ts';
import { announceRinging, joinTalk, type Purposeful } from './progress.ts';
import { tellEstablished } from './tell.ts';
import { tellConsultStage, tellPartyAdded, tellPartyChanged } from './tell-relations.ts';
import type { Turn } from './turn.ts';

/**
 * Consultation: the host asks the guest in a bridge of their own while everybody else hears music. This file begins it
 * and carries it to a transfer or a conference; how it ends when somebody leaves is in consult-end.ts.
 *
 *     1 begun ──► 2 rings ──► 4 answered ──► 5 retrieved | 6 transferred | 7 conference
 *        └───────────┴──► 3 cancelled, or nobody came
 *
 * Where a queue is asked, the host waits in it with music, and its agents are rung one after another, each of them the
 * guest in his turn: the consultation is back at 1 when one does not come.
 */

/** RequestInitiateConsult: the others wait with music, the host hears the guest's phone ring. */
export function initiateConsult(
  turn: Turn,
  host: Party,
  request: Extract<CallRequest, { kind: 'consult' }>,
): Refused | undefined {
  const { call } = turn;
  const { target, referenceID } = request;
  const refusal = mayNotBring(call, host, 'AgentIsInConferenceScene') ?? mayNotCome(call, host, target);
  if (refusal) return refusal;
  const attachedData = mergeAttachedData(call.attachedData, request.attachedData);
  const reason = attachedDataFault(attachedData);
  if (reason !== undefined) return { refusal: refuse('InvalidParams', { issues: [{ path: 'attachedData', reason }] }) };
  turn.update({ attachedData, consult: { host: host.partyID, stage: 1, swapped: false } });
  turn.status(host, 'ConsultationDialed');
  tellConsultStage(turn, host, target.dn, 1, referenceID);
  if (target.kind === 'queue') enqueue(turn, host, target.queue, referenceID);
  else ringGuest(turn, host, target, referenceID);
  return undefined;
}

function ringGuest(turn: Turn, host: Party, target: Destination, referenceID: number): void {
  const { callID, parties, ringTimeout } = turn.call;
  const guest = plannedParty(callID, parties.length + 1, target, {
    ...asGuest(turn.call, host),
    role: target.kind === 'user' ? 'Agent' : 'ThirdPSTN',
    ringTimeout,
    referenceID,
  });
  turn.update({
    parties: [...parties, guest],
    consult: { host: host.partyID, guest: guest.partyID, stage: 1, swapped: false },
  });
  turn.dial(guest);
}

/** What somebody who is asked is to the call, whether the host named him or a queue has. */
export const asGuest = (call: Call, host: Party): Pick<PartyRoleInCall, 'purpose' | 'dnRole' | 'relation'> => ({
  purpose: 'consult',
  dnRole: 'Destination',
  relation: {
    otherDN: host.dn,
    otherDNRole: 'ConsultBy',
    thirdDN: opposite(call, host)[0]?.dn ?? call.otherDN,
    callState: 'Consult',
    data: { consultStage: '1', consulting: 'true' },
  },
});

/** The guest rings, and answers. The host is told each time. */
export const consult: Purposeful = {
  rings(turn, party) {
    const guest = comeTo(turn, party, 2);
    turn.status(guest, 'ConsultationGuestDialed');
    announceRinging(turn, guest);
    tellHost(turn, guest, 2);
  },
  answers(turn, party) {
    if (turn.call.queue?.rung === party.partyID) leaveQueue(turn);
    const guest = comeTo(turn, party, 4);
    const talking = joinTalk(turn, guest);
    turn.status(talking, 'ConsultationGuestConnected');
    tellEstablished(turn, talking);
    const host = hostOf(turn, talking);
    if (host) turn.status(host, 'ConsultationConnected');
    tellHost(turn, talking, 4);
  },
};

/** The consultation is at this stage now; the guest's events say so in the seed's way, as text. */
function comeTo(turn: Turn, guest: Party, stage: ConsultStage): Party {
  const { consult } = turn.call;
  if (consult?.guest === guest.partyID) turn.update({ consult: { ...consult, stage } });
  return turn.put({ ...guest, relation: atStage(guest.relation, String(stage)) });
}

/** The guest's relation at another stage. */
export const atStage = (relation: Relation | undefined, consultStage: string | number): Relation => ({
  ...relation,
  data: { ...relation?.data, consultStage },
});

function hostOf(turn: Turn, guest: Party): Party | undefined {
  const { consult } = turn.call;
  if (consult?.guest !== guest.partyID) return undefined;
  const host = turn.party(consult.host);
  return stays(host) ? host : undefined;
}

function tellHost(turn: Turn, guest: Party, stage: ConsultStage): void {
  const host = hostOf(turn, guest);
  if (host) tellConsultStage(turn, host, guest.dn, stage, guest.referenceID);
}

/**
 * RequestCancelConsult, before the guest has answered. Stage 3 is told when its phone has stopped ringing; at once where
 * the host waits in a queue and nobody's phone rings.
 */
export function cancelConsult(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const of = consultOf(turn, party, (stage) => stage < 4);
  if ('refusal' in of) return of;
  const { guest } = of;
  const { queue } = turn.call;
  leaveQueue(turn);
  if (guest) {
    drop(turn, of.consult, guest, referenceID);
  } else if (queue) {
    turn.forget('consult');
    turn.status(party, 'ConsultationReleased');
    tellConsultStage(turn, party, queue.id, 3, referenceID);
  }
  return undefined;
}

/** RequestRetrieveConsult: the guest is dropped and the host talks to the others again, at once. */
export function retrieveConsult(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const of = answeredConsultOf(turn, party);
  if ('refusal' in of) return of;
  drop(turn, of.consult, of.guest, referenceID);
  return undefined;
}

function drop(turn: Turn, consult: Consult, guest: Party, referenceID: number): void {
  turn.update({ consult: { ...consult, dropped: true } });
  hangUp(turn, guest, { by: 'request', referenceID });
}

/** RequestTransferConsult: the host leaves, the guest and the others talk at once. It is told when the host has left. */
export function transferConsult(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const of = answeredConsultOf(turn, party);
  if ('refusal' in of) return of;
  turn.update({ consult: { ...of.consult, stage: 6 } });
  hangUp(turn, turn.put({ ...party, relation: transferredTo(of.guest) }), { by: 'request', referenceID });
  return undefined;
}

/** What EventReleased says of a host who leaves his place to the guest. */
export const transferredTo = (guest: Party): Relation => ({
  thisDNRole: 'ConsultBy',
  otherDN: guest.dn,
  callState: 'Transferred',
  data: { consultStage: 6 },
});

/** RequestConferenceConsult: all three talk. From then on they are the parties of a conference like any other. */
export function conferenceConsult(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const of = answeredConsultOf(turn, party);
  if ('refusal' in of) return of;
  const { guest } = of;
  const others = opposite(turn.call, party).filter((p) => p.partyID !== guest.partyID);
  turn.forget('consult');
  turn.update({ conference: { host: party.partyID, guest: guest.partyID } });
  const added: Relation = {
    thirdDN: party.dn,
    thirdDNRole: 'AddedBy',
    callState: 'Conference',
    data: { consultStage: 7 },
  };
  turn.status(party, 'ConsultationCompleted');
  turn.status(party, 'ConferenceConnected');
  tellPartyAdded(turn, { ...party, relation: { otherDN: guest.dn, ...added } }, referenceID);
  const otherDN = others[0]?.dn ?? party.dn;
  turn.status(guest, 'ConsultationGuestCompleted');
  turn.status(guest, 'ConferenceGuestConnected');
  tellPartyChanged(turn, { ...guest, relation: { otherDN, ...added } }, referenceID);
  // What has been told is over with the telling: what lasts is whom each of them talks to.
  turn.put({ ...guest, relation: { otherDN } });
  return undefined;
}

const refused = (reason: string): Refused => ({ refusal: refuse('InvalidAgentState', { reason }) });

/** The consultation that this party is host of, where it is at a stage that the request is for. */
function consultOf(
  turn: Turn,
  party: Party,
  fits: (stage: ConsultStage) => boolean,
): { consult: Consult; guest: Party | undefined } | Refused {
  const { consult } = turn.call;
  if (consult?.host !== party.partyID) return refused('thisDN has no consultation');
  const guest = guestOf(turn, consult);
  // One who leaves while the host waits in a queue is nobody but one who did not come.
  const ends = guest !== undefined && isLeaving(guest) && !turn.call.queue;
  if (isLeaving(party) || ends) return refused('the consultation is ending');
  if (!fits(consult.stage)) return refused(consult.stage < 4 ? 'not answered yet' : 'answered already');
  return { consult, guest };
}

/** The consultation whose guest has answered, and what it is for is still there. */
function answeredConsultOf(turn: Turn, party: Party): { consult: Consult; guest: Party } | Refused {
  const of = consultOf(turn, party, (stage) => stage === 4);
  if ('refusal' in of) return of;
  const { consult, guest } = of;
  if (!guest) return refused('not answered yet');
  if (customersOf(turn.call, consult).length === 0) return refused('the customer is leaving');
  return { consult, guest };
}

/** The one who is asked; undefined while the host waits in a queue and nobody is rung. */
export const guestOf = (turn: Turn, { guest }: Consult): Party | undefined =>
  guest === undefined ? undefined : turn.party(guest);

/** Those who wait while host and guest consult. */
export const customersOf = (call: Call, consult: Consult): readonly Party[] =>
  conversing(call).filter((p) => p.partyID !== consult.host && p.partyID !== consult.guest);
