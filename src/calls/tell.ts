import type { Call } from './call.ts';
import { endOf } from './ending.ts';
import type { Party } from './party.ts';
import type { Turn } from './turn.ts';

/** The event builders: one place that knows which fields of seed 004 each event carries. */

/** Whole seconds; never negative, for the clock may be set back, and a call may go on under another machine's clock. */
const seconds = (ms: number): number => Math.max(0, Math.round(ms / 1000));

/** Fields of every event of a call. */
function ofCall(turn: Turn, referenceID: number) {
  const { call } = turn;
  return {
    referenceID,
    companyId: call.companyId,
    callID: call.callID,
    callType: call.callType,
    ...(call.ANI !== undefined && { ANI: call.ANI }),
    ...(call.DNIS !== undefined && { DNIS: call.DNIS }),
    attachedData: { ...call.attachedData },
    creationTime: turn.now,
  };
}

/** The DN of whom a party talks, or is to talk, to. */
export function counterpartDN(call: Call, party: Party): string {
  const others = call.parties.filter((p) => p.partyID !== party.partyID);
  const live = others.find((p) => p.leg.state !== 'ended');
  if (!live && call.queue?.party === party.partyID) return call.queue.id;
  return (live ?? others[0])?.dn ?? (party.dn === call.thisDN ? call.otherDN : call.thisDN);
}

/**
 * Fields of an event that speaks for one party, its relation to others among them.
 *
 * @param referenceID of the request that caused the event; by default the one that brought the party in
 */
export function ofParty(turn: Turn, party: Party, referenceID = party.referenceID ?? turn.call.referenceID) {
  const { data, ...relation } = party.relation ?? {};
  const base = ofCall(turn, referenceID);
  return {
    ...base,
    attachedData: { ...base.attachedData, ...data },
    partyID: party.partyID,
    partyRole: party.role,
    thisDN: party.dn,
    otherDN: counterpartDN(turn.call, party),
    ...relation,
  };
}

/**
 * The same for events that have no third number (seed 004: hold, mute, digits, the other's ringing): of the relation they
 * say who is opposite, and its data.
 */
function ofTwo(turn: Turn, party: Party, referenceID?: number) {
  const { relation: { otherDN, data } = {}, ...alone } = party;
  const relation = { ...(otherDN !== undefined && { otherDN }), ...(data && { data }) };
  return ofParty(turn, { ...alone, relation }, referenceID);
}

/** What the two DNs of a call's first events are to it. A relation says it better where there is one. */
function dnRoles(call: Call, party: Party) {
  if (party.relation) return {};
  const other = call.parties.find((p) => p.partyID !== party.partyID);
  return {
    thisDNRole: party.dnRole,
    otherDNRole:
      other?.dnRole ?? (party.dnRole === 'Origination' ? ('Destination' as const) : ('Origination' as const)),
  };
}

const makeCallType = (call: Call) => call.makeCallType !== undefined && { makeCallType: call.makeCallType };

export function tellCreated(turn: Turn): void {
  turn.tell({ messageID: 'EventCallCreated', ...ofCall(turn, turn.call.referenceID), thisDN: turn.call.thisDN });
}

export function tellDialing(turn: Turn, party: Party): void {
  turn.tell({
    messageID: 'EventDialing',
    ...ofParty(turn, party),
    ...dnRoles(turn.call, party),
    ...makeCallType(turn.call),
  });
}

export function tellRinging(turn: Turn, party: Party): void {
  turn.tell({
    messageID: 'EventRinging',
    ...ofParty(turn, party),
    ...dnRoles(turn.call, party),
    thisQueue: party.thisQueue ?? '',
  });
}

/** Tells `party` that the one it waits for rings. */
export function tellOtherRinging(turn: Turn, party: Party): void {
  turn.tell({
    messageID: 'EventOtherRinging',
    ...ofTwo(turn, party),
  });
}

export function tellEstablished(turn: Turn, party: Party): void {
  turn.tell({
    messageID: 'EventEstablished',
    ...ofParty(turn, party, party.leg.answerReferenceID),
    thisQueue: party.thisQueue ?? '',
    ...makeCallType(turn.call),
  });
}

/** Whom a hold is about: the host of a consultation holds his guest, everybody else the one opposite. */
const heldDN = (call: Call, party: Party) => {
  const { consult } = call;
  const guest = consult?.host === party.partyID && call.parties.find((p) => p.partyID === consult.guest);
  return guest && { otherDN: guest.dn };
};

export function tellHeld(turn: Turn, party: Party, referenceID: number): void {
  turn.tell({ messageID: 'EventHeld', ...ofTwo(turn, party, referenceID), ...heldDN(turn.call, party) });
}

export function tellRetrieved(turn: Turn, party: Party, referenceID: number): void {
  turn.tell({ messageID: 'EventRetrieved', ...ofTwo(turn, party, referenceID), ...heldDN(turn.call, party) });
}

export function tellMuted(turn: Turn, party: Party, referenceID: number): void {
  turn.tell({ messageID: 'EventMuted', ...ofTwo(turn, party, referenceID) });
}

export function tellUnmuted(turn: Turn, party: Party, referenceID: number): void {
  turn.tell({ messageID: 'EventUnmuted', ...ofTwo(turn, party, referenceID) });
}

export function tellDtmfSent(turn: Turn, party: Party, dtmfDigits: string, referenceID: number): void {
  turn.tell({ messageID: 'EventDtmfSent', ...ofTwo(turn, party, referenceID), dtmfDigits });
}

export function tellAttachedDataChanged(turn: Turn, thisDN: string, referenceID: number): void {
  turn.tell({ messageID: 'EventAttachedDataChanged', ...ofCall(turn, referenceID), thisDN });
}

/** Whether there is a recording of what the network of a party's phone said before it answered. */
const earlyMediaRecorded = ({ recording }: Call, { leg }: Party): boolean =>
  recording?.early === true && recording.written === true && recording.channel === leg.channel;

/** EventReleased with the timings, causes and the status of connection-status.md. The party's leg must have ended. */
export function tellReleased(turn: Turn, party: Party): void {
  const { call } = turn;
  const { leg } = party;
  const ending = endOf(party);
  // A phone that is not even tried has no cause to end but the request that was to ring it.
  const untried = leg.end?.notStarted !== undefined && leg.end.by === 'system';
  const cause = untried ? undefined : (leg.hangup?.referenceID ?? 0);
  turn.tell({
    messageID: 'EventReleased',
    ...ofParty(turn, party, cause),
    thisQueue: party.thisQueue ?? '',
    ...makeCallType(call),
    wrapUpDuration: leg.bridgedAt === undefined ? 0 : (party.wrapUp ?? 0),
    billsec: leg.answeredAt === undefined ? 0 : seconds(ending.at - leg.answeredAt),
    answersec: leg.answeredAt === undefined ? 0 : seconds(leg.answeredAt - (leg.startedAt ?? call.startedAt)),
    startUepoch: leg.startedAt ?? call.startedAt,
    ...(leg.progressAt !== undefined && { progressUepoch: leg.progressAt }),
    ...(leg.answeredAt !== undefined && { answerUepoch: leg.answeredAt }),
    ...(leg.bridgedAt !== undefined && { bridgeUepoch: leg.bridgedAt }),
    ...(leg.lastHoldAt !== undefined && { lastHoldUepoch: leg.lastHoldAt }),
    endUepoch: ending.at,
    hangupCause: call.hangupCause ?? ending.hangupCause,
    earlyDetectCause: ending.earlyDetectCause,
    hangupDisposition: ending.hangupDisposition,
    recordedEarlymedia: earlyMediaRecorded(call, party),
    connectionStatus: ending.connectionStatus,
    ...(ending.sip !== undefined && { sipCode: ending.sip }),
    q850: ending.q850,
  });
}

/** EventCallDeleted. Its status is that of the one whom the call was to reach, or of whoever ended it before that. */
export function tellDeleted(turn: Turn, decisive: Party): void {
  const { call } = turn;
  const ending = endOf(decisive);
  turn.tell({
    messageID: 'EventCallDeleted',
    ...ofCall(turn, call.endReferenceID ?? 0),
    thisDN: call.thisDN,
    otherDN: call.otherDN,
    startUepoch: call.startedAt,
    ...(call.bridgedAt !== undefined && { bridgeUepoch: call.bridgedAt }),
    endUepoch: turn.now,
    ...(call.recording?.written && { recordUUID: call.recording.uuid, recordUrl: call.recording.url }),
    connectionStatus: ending.connectionStatus,
    ...(ending.sip !== undefined && { sipCode: ending.sip }),
    q850: ending.q850,
  });
}
