import type { AgentStatus } from '../cti/agent-status.ts';
import { type ErrorKey, refuse } from '../cti/errors.ts';
import type { CallState } from '../cti/roles.ts';
import { type Call, liveParty } from './call.ts';
import type { AddParty, DeleteParty } from './input.ts';
import { conversing, isObserver, talkers } from './layout.ts';
import { type Departure, type Farewell, hangUp, releaseUnstarted } from './leave.ts';
import { isAddedOutsider, isRungIn, MAX_PARTIES } from './newcomer.ts';
import type { Refused } from './output.ts';
import { isLeaving, isLive, isUp, type Party, plannedParty, type Relation } from './party.ts';
import { announceRinging, joinTalk, type Purposeful } from './progress.ts';
import { counterpartDN, tellEstablished } from './tell.ts';
import { tellPartyAdded, tellPartyDeleted } from './tell-relations.ts';
import type { Turn } from './turn.ts';

/** Conversations of three and more: a party is rung straight into the call, leaves it, or is taken out of it. */

/** Parties that a call may have at once, those that ring included: more make a conference that nobody can follow. */
export const CONFERENCE_LIMIT = 10;

/**
 * RequestSingleStepConference: rings somebody straight into the conversation of the acting party.
 *
 * @returns a refusal where the acting party is in no conversation that it could add to, the other is in the call
 *   already, or there is no room
 */
export function addParty(turn: Turn, host: Party, { to, referenceID }: AddParty): Refused | undefined {
  const why = whyNotAdd(turn.call, host, to.dn);
  if (why !== undefined) return { refusal: refuse(why, { state: host.state }) };
  const { call } = turn;
  const added = plannedParty(call.callID, call.parties.length + 1, to, {
    purpose: 'added',
    dnRole: 'Destination',
    role: to.kind === 'user' ? 'Agent' : 'ThirdPSTN',
    ringTimeout: call.ringTimeout,
    referenceID,
    invitedBy: host.partyID,
    relation: { otherDN: counterpartDN(call, host), thirdDN: host.dn, thirdDNRole: 'AddedBy' },
  });
  turn.update({ parties: [...call.parties, added] });
  turn.status(host, 'ConferenceDialed');
  if (to.unreachable === undefined) turn.dial(added);
  else conferenceDeparture(turn, releaseUnstarted(turn, added, to.unreachable, conferenceFarewell));
  return undefined;
}

function whyNotAdd(call: Call, host: Party, otherDN: string): ErrorKey | undefined {
  if (otherDN === host.dn) return 'TargetPartyIsSelf';
  const mayNot = whyNotActing(call, host);
  if (mayNot !== undefined) return mayNot;
  if (call.consult) return 'AgentIsInConsultScene';
  if (host.state === 'Held') return 'HeldInProcess';
  if (host.state !== 'Talk' || !isUp(host) || isLeaving(host)) return 'InvalidAgentState';
  if (conversing(call).length < 2) return 'InvalidAgentState';
  if (liveParty(call, otherDN)) return 'TargetPartyInCall';
  return hasRoom(call) ? undefined : 'NotEnoughMeetmeRoom';
}

/** Who may neither add nor delete others: an observer, a customer, and an outside party brought in by conference. */
function whyNotActing(call: Call, host: Party): ErrorKey | undefined {
  if (isObserver(call, host)) return 'PartyIsObserver';
  if (isAddedOutsider(host)) return 'CustomerAddByConference';
  return host.role === 'Customer' ? 'InvalidAgentState' : undefined;
}

/** Whether one more may come. */
export function hasRoom(call: Call): boolean {
  return call.parties.filter(isLive).length < CONFERENCE_LIMIT && call.parties.length < MAX_PARTIES;
}

/** Whose work the call is, on whatever phone: the events about others are theirs. */
export const isStaff = (party: Party): boolean => party.role !== 'Customer' && !isAddedOutsider(party);

/** Conference while more than two are heard. */
export const callStateOf = (call: Call): 'OK' | 'Conference' => (talkers(call).length > 2 ? 'Conference' : 'OK');

/**
 * RequestDeleteFromConference: the acting party leaves (stage 8), takes another out (stage 9), or gives up one that it
 * rings in.
 *
 * @returns a refusal where there is no conference, or the one named is not in it
 */
export function deleteParty(turn: Turn, host: Party, { otherDN, referenceID }: DeleteParty): Refused | undefined {
  const other = liveParty(turn.call, otherDN);
  if (!other) return { refusal: refuse('NotFoundOtherParty') };
  const why = whyNotDelete(turn.call, host, other);
  if (why === 'InvalidCallType') return { refusal: refuse(why, { reason: 'not a conference' }) };
  if (why !== undefined) return { refusal: refuse(why, { state: host.state }) };
  if (isLeaving(other)) return undefined;
  const leaving = turn.put({ ...other, deletion: { by: host.dn, stage: host === other ? 8 : 9 } });
  hangUp(turn, leaving, { by: 'request', referenceID });
  return undefined;
}

function whyNotDelete(call: Call, host: Party, other: Party): ErrorKey | undefined {
  const self = host.partyID === other.partyID;
  const { supervision } = call;
  if (isObserver(call, host) || isObserver(call, other)) return 'PartyIsObserver';
  if (supervision?.supervisor === host.partyID || supervision?.supervisor === other.partyID) {
    return supervision.mode === 'intercept' ? 'AgentIsInInterceptScene' : 'AgentIsInBargedInScene';
  }
  if (!self) {
    const mayNot = whyNotActing(call, host);
    if (mayNot !== undefined) return mayNot;
  }
  if (isRungIn(other)) return undefined;
  if (call.consult) return 'AgentIsInConsultScene';
  const among = new Set(conversing(call).map((p) => p.partyID));
  // Who is on the way out already is not asked twice, and leaves the others as many as they are.
  if (isLeaving(other)) return undefined;
  if (among.size < 3 || !among.has(other.partyID)) return 'InvalidCallType';
  return among.has(host.partyID) ? undefined : 'InvalidAgentState';
}

/** One who is added rings while the others talk, and is in the conversation by answering. */
export const added: Purposeful = {
  rings(turn, party) {
    statusOfHost(turn, party, 'ConferenceDialed');
    turn.status(party, 'ConferenceGuestDialed');
    announceRinging(turn, party);
  },
  answers(turn, party) {
    const joined = joinTalk(turn, party);
    const callState = callStateOf(turn.call);
    const there = turn.put({ ...joined, relation: { ...joined.relation, callState } });
    turn.status(there, 'ConferenceGuestConnected');
    tellEstablished(turn, there);
    tellAdded(turn, there, callState);
  },
};

/** EventPartyAdded to every agent who is there already, the one who added first. */
function tellAdded(turn: Turn, joined: Party, callState: CallState): void {
  const host = turn.call.parties.find((p) => p.partyID === joined.invitedBy);
  const told = staying(turn.call, joined).sort((a, b) => Number(b === host) - Number(a === host));
  const relation: Relation = {
    otherDN: joined.dn,
    thirdDN: host?.dn ?? joined.dn,
    thirdDNRole: 'AddedBy',
    callState,
  };
  for (const p of told) {
    if (p === host) turn.status(p, 'ConferenceConnected');
    tellPartyAdded(turn, { ...p, relation }, joined.referenceID);
  }
}

/** Agents who are in the conversation beside this party, and stay. */
const staying = (call: Call, but: Party): Party[] =>
  talkers(call).filter((p) => p.partyID !== but.partyID && isStaff(p));

/** The status of an agent who leaves a conference, or never came into it: it is told with his EventReleased. */
export const conferenceFarewell: Farewell = (turn, ended) => {
  const { call } = turn;
  if (isRungIn(ended)) {
    statusOfHost(turn, ended, statusOfFailure(ended));
    if (isTakenBack(ended)) turn.status(ended, 'ConferenceGuestReleased');
    else if (ended.announced) turn.status(ended, 'ConferenceGuestMissed');
    return;
  }
  if (isGuest(call, ended)) {
    const dropped = ended.deletion !== undefined && ended.deletion.by !== ended.dn;
    turn.status(ended, dropped ? 'ConferenceGuestReleased' : 'ConferenceGuestCompleted');
  } else if (call.parties.some((p) => isHostOf(call, ended, p) && p.leg.bridgedAt !== undefined)) {
    turn.status(ended, 'ConferenceCompleted');
  }
};

/** It is not to come any more: it was given up, or the call is over. */
const isTakenBack = ({ deletion, leg }: Party): boolean =>
  deletion !== undefined || (leg.hangup !== undefined && !leg.hangup.own);

/** The phone rang, and nobody came to it. */
const rangOut = (party: Party): boolean => party.leg.progressAt !== undefined && party.leg.end?.ringTimedOut === true;

const isGuest = (call: Call, party: Party): boolean =>
  (party.purpose === 'added' && party.leg.bridgedAt !== undefined) || call.conference?.guest === party.partyID;

const isHostOf = (call: Call, host: Party, guest: Party): boolean =>
  guest.invitedBy === host.partyID ||
  (call.conference?.host === host.partyID && call.conference.guest === guest.partyID);

/**
 * A party of a conference has left, or one that was rung in did not come. The call goes on while two are left, with or
 * without a customer; the agents who stay are told who left, and by whose doing.
 */
export const conferenceDeparture: Departure = (turn, left) => {
  if (conversing(turn.call).length < 2) return false;
  if (left.leg.bridgedAt === undefined || turn.call.consult || left.relation?.callState === 'Transferred') return true;
  const { call } = turn;
  const callState = callStateOf(call);
  const stage = stageOf(call, left);
  const relation: Relation = {
    otherDN: left.dn,
    thirdDN: left.deletion?.by ?? left.dn,
    thirdDNRole: 'DeletedBy',
    callState,
    ...(stage !== undefined && { data: { consultStage: stage } }),
  };
  for (const p of staying(call, left)) {
    const stays = turn.put({ ...p, ...settled(call, p, left, callState) });
    if (isHostOf(call, stays, left)) {
      const dropped = left.deletion !== undefined && left.deletion.by !== left.dn;
      turn.status(stays, dropped ? 'ConferenceReleased' : 'ConferenceCompleted');
    } else if (isHostOf(call, left, stays)) {
      turn.status(stays, 'HostDisconnected');
    }
    tellPartyDeleted(turn, { ...stays, relation }, left.leg.hangup?.referenceID);
  }
  endConference(turn, left);
  return true;
};

/**
 * The status of the one who rings somebody in. No event speaks for him; that of an outside number, which has no status of
 * its own, carries it.
 */
function statusOfHost(turn: Turn, added: Party, status: AgentStatus): void {
  const host = turn.call.parties.find((p) => p.partyID === added.invitedBy);
  if (!host || !isLive(host)) return;
  if (isAddedOutsider(added)) turn.statusOnNext(host, status, true);
  else turn.status(host, status);
}

const statusOfFailure = (left: Party): AgentStatus => {
  if (isTakenBack(left)) return 'ConferenceReleased';
  return rangOut(left) ? 'ConferenceMissed' : 'ConferenceFailed';
};

/** Seed 004: 8 where the one who consulted leaves a conference, 9 where the one consulted does. */
function stageOf(call: Call, left: Party): 8 | 9 | undefined {
  if (left.deletion) return left.deletion.stage;
  if (call.conference?.host === left.partyID) return 8;
  return call.conference?.guest === left.partyID ? 9 : undefined;
}

/** What a party that stays says of itself from now on: not that it is in a conference, nor that it talks to one gone. */
function settled(call: Call, party: Party, left: Party, callState: CallState): Pick<Party, 'relation'> {
  const { relation } = party;
  if (!relation) return {};
  return {
    relation: {
      ...relation,
      ...(relation.callState === 'Conference' && { callState }),
      ...(relation.otherDN === left.dn && { otherDN: counterpartDN(call, party) }),
    },
  };
}

function endConference(turn: Turn, left: Party): void {
  const { conference } = turn.call;
  if (conference?.host === left.partyID || conference?.guest === left.partyID) turn.forget('conference');
}
