import type { HangupCause } from '../cti/leg-ending.ts';
import type { Call } from './call.ts';
import { endOf } from './ending.ts';
import type { Fact } from './input.ts';
import { conversing } from './layout.ts';
import { isLeaving, isLive, isUp, type LegHangup, type NotStarted, type Party, type Treatment } from './party.ts';
import { statusEnded } from './statuses.ts';
import { tellDeleted, tellReleased } from './tell.ts';
import type { Turn } from './turn.ts';
import { rungForQueue } from './waiting.ts';

/** The way out of a call: legs are hung up, end, and with the last of them the call. */

/** Q.850 16, normal clearing. */
const NORMAL = 16;
/** Q.850 19, no answer. */
const NO_ANSWER = 19;
/** How long a caller hears the tone that tells him why nobody comes. */
const TREATMENT_MS = 3_000;

/** Q.850 causes that an unanswered caller is told with a busy tone; all others with congestion. */
const BUSY_TONE: ReadonlySet<number> = new Set([17, 19]);

/** Asks for a leg's end. Its EventReleased follows when Asterisk says that it has ended; a leg never dialled ends now. */
export function hangUp(turn: Turn, party: Party, hangup: LegHangup, q850 = NORMAL): void {
  if (!isLive(party) || isLeaving(party)) return;
  if (party.leg.state === 'planned') {
    turn.leg(party, { state: 'ended', hangup, end: { at: turn.now, by: hangup.by } });
    return;
  }
  turn.leg(party, { hangup });
  turn.ask({ do: 'hang-up', channel: party.leg.channel, q850 });
}

/**
 * What a party's leaving makes of its relation and its agent's status, said before its EventReleased, which carries
 * both. The leg has ended, `left.leg.end` says how; one rule for each kind of relation (departures.ts).
 */
export type Farewell = (turn: Turn, left: Party) => void;

/**
 * ChannelDestroyed, or a leg that never came to be: the one and only end of a leg. Tells EventReleased; what it means
 * for the others is for {@link departed} to say.
 */
export function legEnded(
  turn: Turn,
  party: Party,
  fact: Extract<Fact, { kind: 'leg-ended' }>,
  farewells: readonly Farewell[],
): Party {
  const { leg } = party;
  // Where we hung up, Asterisk makes a SIP status up from our cause: it is not the far end's word and is left out.
  const sip = leg.hangup ? undefined : fact.sip;
  const ended = turn.leg(party, {
    state: 'ended',
    end: {
      at: turn.now,
      by: leg.hangup?.by ?? 'far-end',
      ...(fact.q850 !== undefined && { q850: fact.q850 }),
      ...(sip !== undefined && { sip }),
      ...(fact.ringTimedOut && !leg.hangup && { ringTimedOut: true }),
      ...(fact.notStarted !== undefined && !leg.hangup && { notStarted: fact.notStarted }),
      ...(fact.nodeDied && { nodeDied: true }),
    },
  });
  for (const farewell of farewells) farewell(turn, turn.party(ended.partyID));
  return release(turn, turn.party(ended.partyID));
}

/**
 * What a party's leaving means for the others, where it means something of its own; true if it was dealt with.
 * One rule for each kind of relation (departures.ts).
 */
export type Departure = (turn: Turn, left: Party) => boolean;

/** After a party has left: the first rule that knows what to do, else a call of two is over. */
export function departed(turn: Turn, left: Party, rules: readonly Departure[]): void {
  if (!rules.some((rule) => rule(turn, left))) endOfTwo(turn, left);
  endIfOver(turn, left);
}

/** Ends a party that must not be dialled, and with it the call. */
export function endWithoutStart(turn: Turn, party: Party, notStarted: NotStarted): void {
  const ended = turn.leg(party, { state: 'ended', end: { at: turn.now, by: 'system', notStarted } });
  statusEnded(turn, ended);
  departed(turn, release(turn, ended), []);
}

/** EventReleased for a party that must not be dialled, in a call that goes on without it. */
export function releaseUnstarted(turn: Turn, party: Party, notStarted: NotStarted, farewell: Farewell): Party {
  const ended = turn.leg(party, { state: 'ended', end: { at: turn.now, by: 'system', notStarted } });
  farewell(turn, ended);
  return release(turn, turn.party(ended.partyID));
}

/** The seed's hangupCause is the call's: who or what ended it first. */
function noteCause(turn: Turn, ended: Party): void {
  if (turn.call.hangupCause === undefined) turn.update({ hangupCause: endOf(ended).hangupCause });
}

/** EventReleased, once: for every party that was announced, and for one whose phone refused before it rang. */
function release(turn: Turn, ended: Party): Party {
  if (ended.released) return ended;
  const idle = turn.move({ ...ended, announced: true, released: true }, 'Idle');
  tellReleased(turn, idle);
  return idle;
}

/** A call of two is over when one leaves; a conversation of more goes on. */
function endOfTwo(turn: Turn, left: Party): void {
  if (conversing(turn.call).length >= 2) return;
  noteCause(turn, left);
  const hangup = becauseOf(left, left.leg.hangup?.referenceID);
  for (const other of turn.call.parties) {
    if (!isLive(other)) continue;
    if (isUnansweredCaller(other)) refuseCaller(turn, other, treatmentFor(left, hangup));
    else hangUp(turn, other, hangup);
  }
}

/** Our hang-up of the others, because `left` leaves; with the request that made it leave, if one did. */
export const becauseOf = (left: Party, referenceID: number | undefined): LegHangup => ({
  by: left.role === 'Customer' ? 'other-customer' : 'other-user',
  ...(referenceID !== undefined && { referenceID }),
});

/** An inbound caller who has not been answered: he can still be told why nobody comes. */
const isUnansweredCaller = (party: Party): boolean =>
  party.leg.direction === 'inbound' && !isUp(party) && party.leg.state !== 'answering';

/** Causes that say nothing of their own: none, normal clearing, normal unspecified, interworking. */
const SAYS_NOTHING: ReadonlySet<number> = new Set([0, 16, 31, 127]);

/** What a caller is told where the one he was to reach was not even tried. */
const NOT_STARTED_CAUSE: Readonly<Record<NotStarted, number>> = {
  'invalid-number': 28,
  'channel-limit': 34,
  'no-node': 34,
  unavailable: 20,
};

/**
 * What a caller is told, from how the one he was to reach ended. Where a request took the agent's ringing phone away,
 * the caller was let go by that agent; where the phone refused or was not reached, we let him go, for that cause.
 */
export function treatmentFor(left: Party, hangup: LegHangup): Treatment {
  if (left.leg.hangup) return { q850: NO_ANSWER, hangup };
  const { notStarted } = left.leg.end ?? {};
  const q850 = notStarted === undefined ? endOf(left).q850 : NOT_STARTED_CAUSE[notStarted];
  return { q850: SAYS_NOTHING.has(q850) ? NO_ANSWER : q850, hangup: { by: 'system' } };
}

/**
 * Tells an unanswered caller by a tone that nobody comes, and why by the cause that he is refused with in the end:
 * Asterisk translates it into the SIP answer (17 486, 19 480, 1 404, 34 503).
 */
export function refuseCaller(turn: Turn, caller: Party, treatment: Treatment): void {
  if (isLeaving(caller) || caller.leg.treatment !== undefined) return;
  turn.leg(caller, { treatment });
  const tone = BUSY_TONE.has(treatment.q850) ? 'busy' : 'congestion';
  turn.ask({ do: 'play-tone', channel: caller.leg.channel, tone });
  turn.setTimer('treatment', turn.now + TREATMENT_MS);
}

/** The tone has been heard long enough. */
export function treatmentOver(turn: Turn): void {
  turn.clearTimer('treatment');
  for (const p of turn.call.parties) {
    if (p.leg.treatment) hangUp(turn, p, p.leg.treatment.hangup, p.leg.treatment.q850);
  }
}

/**
 * RequestReleaseCall: the party leaves; a call of two ends for both at once, a conversation of more goes on. Only a caller who still waits is let go
 * when the agent's phone has really stopped ringing, by way of the tone. A supervisor leaves a call that is not his, however few are left in it.
 */
export function releaseParty(turn: Turn, party: Party, referenceID: number): void {
  if (isLeaving(party)) return;
  const goesOn = conversing(turn.call).filter((p) => p.partyID !== party.partyID).length >= 2;
  // An agent who does not want a queue's call leaves its caller waiting for another.
  const refusesQueue = rungForQueue(turn.call)?.partyID === party.partyID;
  const supervises = turn.call.supervision?.supervisor === party.partyID;
  if (goesOn || refusesQueue || supervises || (isNewcomer(party) && !isUp(party))) {
    hangUp(turn, party, { by: 'request', referenceID, own: true });
    return;
  }
  endedBy(turn, referenceID, party.role === 'Customer' ? 'BY_CUSTOMER' : 'BY_AGENT');
  hangUp(turn, party, { by: 'request', referenceID });
  for (const other of turn.call.parties) {
    if (!isUnansweredCaller(other)) hangUp(turn, other, becauseOf(party, referenceID));
  }
}

/** Somebody rung into a conversation that others have begun: his not coming is no end of it. */
const isNewcomer = (party: Party): boolean => party.purpose !== 'first' && party.purpose !== 'second';

/** RequestClearCall: everybody leaves. */
export function clear(turn: Turn, referenceID: number): void {
  const staying = turn.call.parties.filter((p) => isLive(p) && !isLeaving(p));
  if (staying.length === 0) return;
  endedBy(turn, referenceID, 'BY_SYSTEM');
  for (const p of staying) hangUp(turn, p, { by: 'request', referenceID });
}

/** Notes the request that ends the call, or hastens its end. What was noted first stays. */
function endedBy(turn: Turn, referenceID: number, hangupCause: HangupCause): void {
  const { call } = turn;
  turn.update({
    endReferenceID: call.endReferenceID ?? referenceID,
    hangupCause: call.hangupCause ?? hangupCause,
  });
}

/** EventCallDeleted, once the last leg has ended. Its status is that of the one whom the call was to reach. */
function endIfOver(turn: Turn, last: Party): void {
  const { call } = turn;
  if (call.deleted || call.parties.some(isLive)) return;
  turn.update({ deleted: true, endedAt: turn.now, timers: [] });
  tellDeleted(turn, decisive(turn.call, last));
}

/**
 * Whose end is the call's: the destination's, if it was ever tried; else that of whoever ended the call.
 *
 * @param last the party that was the last to leave
 */
export function decisive({ parties }: Call, last: Party): Party {
  // Who waited in a queue decides for himself where no agent came to talk to him, whoever was rung meanwhile.
  const queued = parties.find((p) => p.purpose === 'queued');
  const destination = parties.find(
    (p) => p.dnRole === 'Destination' && p.released && (!queued || p.leg.bridgedAt !== undefined),
  );
  if (!destination && queued) return queued;
  return destination ?? last;
}
