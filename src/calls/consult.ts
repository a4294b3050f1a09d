import { refuse } from '../cti/errors.ts';
import { attachedDataFault } from '../cti/json.ts';
import type { ConsultStage } from '../cti/roles.ts';
import { mergeAttachedData } from './attached-data.ts';
import type { Call, Consult } from './call.ts';
import type { CallRequest } from './input.ts';
import { conversing } from './layout.ts';
import { hangUp } from './leave.ts';
import { mayNotBring, mayNotCome, opposite, stays } from './newcomer.ts';
import type { Refused } from './output.ts';
import { isLeaving, type Party, plannedParty, type Relation } from './party.ts';
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
  const guest = plannedParty(call.callID, call.parties.length + 1, target, {
    purpose: 'consult',
    dnRole: 'Destination',
    role: target.kind === 'user' ? 'Agent' : 'ThirdPSTN',
    ringTimeout: call.ringTimeout,
    relation: {
      otherDN: host.dn,
      otherDNRole: 'ConsultBy',
      thirdDN: opposite(call, host)[0]?.dn ?? call.otherDN,
      callState: 'Consult',
      data: { consultStage: '1', consulting: 'true' },
    },
    referenceID,
  });
  turn.update({
    attachedData,
    parties: [...call.parties, guest],
    consult: { host: host.partyID, guest: guest.partyID, stage: 1, swapped: false },
  });
  turn.status(host, 'ConsultationDialed');
  tellConsultStage(turn, host, guest, 1, referenceID);
  turn.dial(guest);
  return undefined;
}

/** The guest rings, and answers. The host is told each time. */
export const consult: Purposeful = {
  rings(turn, party) {
    const guest = comeTo(turn, party, 2);
    turn.status(guest, 'ConsultationGuestDialed');
    announceRinging(turn, guest);
    tellHost(turn, guest, 2);
  },
  answers(turn, party) {
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
  if (host) tellConsultStage(turn, host, guest, stage, guest.referenceID);
}

/** RequestCancelConsult, before the guest has answered. Stage 3 is told when its phone has stopped ringing. */
export function cancelConsult(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const of = consultOf(turn, party, (stage) => stage < 4);
  if ('refusal' in of) return of;
  hangUp(turn, of.guest, { by: 'request', referenceID });
  return undefined;
}

/** RequestRetrieveConsult: the guest is dropped and the host talks to the others again, at once. */
export function retrieveConsult(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const of = consultOf(turn, party, (stage) => stage === 4);
  if ('refusal' in of) return of;
  hangUp(turn, of.guest, { by: 'request', referenceID });
  return undefined;
}

/** RequestTransferConsult: the host leaves, the guest and the others talk at once. It is told when the host has left. */
export function transferConsult(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const of = consultOf(turn, party, (stage) => stage === 4);
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
  const of = consultOf(turn, party, (stage) => stage === 4);
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

/** The consultation that this party is host of, where it is at a stage that the request is for. */
function consultOf(
  turn: Turn,
  party: Party,
  fits: (stage: ConsultStage) => boolean,
): { consult: Consult; guest: Party } | Refused {
  const refused = (reason: string): Refused => ({ refusal: refuse('InvalidAgentState', { reason }) });
  const { consult } = turn.call;
  if (consult?.host !== party.partyID) return refused('thisDN has no consultation');
  const guest = turn.party(consult.guest);
  if (isLeaving(party) || isLeaving(guest)) return refused('the consultation is ending');
  if (!fits(consult.stage)) return refused(consult.stage < 4 ? 'not answered yet' : 'answered already');
  if (consult.stage === 4 && customersOf(turn.call, consult).length === 0) return refused('the customer is leaving');
  return { consult, guest };
}

/** Those who wait while host and guest consult. */
export const customersOf = (call: Call, consult: Consult): readonly Party[] =>
  conversing(call).filter((p) => p.partyID !== consult.host && p.partyID !== consult.guest);
