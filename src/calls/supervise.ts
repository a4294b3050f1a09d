import type { AgentStatus } from '../cti/agent-status.ts';
import { refuse } from '../cti/errors.ts';
import type { SupervisionFailure } from '../cti/roles.ts';
import type { Supervision } from './call.ts';
import type { Supervise } from './input.ts';
import { conversing, layout } from './layout.ts';
import { type Departure, type Farewell, hangUp, releaseUnstarted } from './leave.ts';
import type { Refused } from './output.ts';
import { isLeaving, isLive, type Party, plannedParty, type Relation } from './party.ts';
import { announceRinging, joinTalk, type Purposeful } from './progress.ts';
import { statusAnswered, statusDialled } from './statuses.ts';
import { brokenRule, isSupervisable, listens } from './supervise-rules.ts';
import { counterpartDN, tellEstablished } from './tell.ts';
import { tellPartyAdded, tellPartyChanged, tellPartyDeleted } from './tell-relations.ts';
import type { Turn } from './turn.ts';

/** A supervisor at an agent: he monitors, coaches (whisper), interrupts (barge-in) or takes the call away (intercept). */

type Mode = Supervision['mode'];

/** How a mode's statuses begin; taking a call away has none of its own. */
const STATUS: Readonly<Record<Mode, 'Monitor' | 'Whisper' | 'Bargein' | undefined>> = {
  monitor: 'Monitor',
  whisper: 'Whisper',
  bargein: 'Bargein',
  intercept: undefined,
};
/** Where the failure of a mode says its cause (seed 004); monitoring and coaching say none. */
const CAUSE_FIELD: Readonly<Partial<Record<Mode, string>>> = { bargein: 'bargein_cause', intercept: 'intercept_cause' };

/** Q.850 38: what a leg is hung up with that could not be put where it belongs. */
const OUT_OF_ORDER = 38;

/**
 * RequestMonitor, RequestWhisper, RequestBargein, RequestIntercept: rings the supervisor; where he supervises that agent
 * already, moves him to the other mode in place.
 *
 * @returns a refusal that names the first rule broken (supervise-rules.ts)
 */
export function supervise(turn: Turn, request: Supervise): Refused | undefined {
  const rule = brokenRule(turn.call, request);
  if (rule) return { refusal: refuse(rule.code) };
  const target = turn.call.parties.find((p) => p.dn === request.otherDN && isLive(p));
  if (!target) return { refusal: refuse('NotFoundOtherParty') };
  const { supervision } = turn.call;
  if (supervision) moveTo(turn, supervision, request);
  else ringSupervisor(turn, target, request);
  return undefined;
}

function ringSupervisor(turn: Turn, target: Party, { mode, to, referenceID }: Supervise): void {
  const { call } = turn;
  const party = plannedParty(call.callID, call.parties.length + 1, to, {
    purpose: 'supervisor',
    dnRole: 'Destination',
    role: roleIn(mode),
    ringTimeout: call.ringTimeout,
    referenceID,
    relation: relationIn(turn, mode, target),
  });
  turn.update({
    parties: [...call.parties, party],
    supervision: { supervisor: party.partyID, target: target.partyID, mode, snoop: 0 },
  });
  if (listens(mode)) nextSnoop(turn);
  if (to.unreachable === undefined) turn.dial(party);
  else supervisionDeparture(turn, releaseUnstarted(turn, party, to.unreachable, supervisionFarewell));
}

/** Seed 004: who only listens is a Supervisor, who is heard by the customer an Agent. */
const roleIn = (mode: Mode): 'Supervisor' | 'Agent' => (listens(mode) ? 'Supervisor' : 'Agent');

/** What the supervisor's events say of the agent and the customer (seed 004). */
function relationIn(turn: Turn, mode: Mode, target: Party): Relation {
  const customer = counterpartDN(turn.call, target);
  if (listens(mode)) return { otherDN: target.dn, otherDNRole: 'ObserveTo', thirdDN: customer };
  return { otherDN: customer, thirdDN: target.dn, thirdDNRole: mode === 'bargein' ? 'BargeinTo' : 'InterceptTo' };
}

/** A snoop channel's directions are fixed at its making: each mode that listens has a new one. */
function nextSnoop(turn: Turn): void {
  const { supervision, snoopsMade = 0 } = turn.call;
  if (!supervision) return;
  turn.update({ snoopsMade: snoopsMade + 1, supervision: { ...supervision, snoop: snoopsMade + 1 } });
}

/**
 * Ends a turn: whoever listens to an agent who comes to talk to somebody else listens through a new snoop channel. As in
 * a recording (recording.ts), Debian's Asterisk 22.10.1 would leave out what the next one says until the sequence numbers
 * of his RTP have passed those of the one before. In a conference Asterisk mixes, and it does not matter.
 */
export function settleListening(turn: Turn): void {
  const { supervision, parties } = turn.call;
  if (!supervision || !listens(supervision.mode)) return;
  const { place } = layout(turn.call);
  const { channel } = turn.party(supervision.target).leg;
  const bridge = place.get(channel);
  const near = parties.map((p) => p.leg.channel).filter((c) => c !== channel && place.get(c) === bridge);
  const [heard, another] = bridge === undefined ? [] : near;
  if (heard === undefined || another !== undefined || heard === supervision.heard) return;
  turn.update({ supervision: { ...supervision, heard } });
  if (supervision.heard !== undefined) nextSnoop(turn);
}

/** The supervisor's phone. What he does begins when he answers. */
export const supervisor: Purposeful = {
  rings(turn, party) {
    if (turn.call.supervision?.mode === 'intercept') statusDialled(turn, party);
    announceRinging(turn, party);
  },
  answers(turn, party) {
    const { supervision } = turn.call;
    const target = supervision?.supervisor === party.partyID ? turn.party(supervision.target) : undefined;
    // To interrupt or to take over, he needs agent and customer together: not while one of them waits for a consultation.
    const apart = supervision !== undefined && !listens(supervision.mode) && turn.call.consult !== undefined;
    if (!supervision || !target || apart || !isSupervisable(turn.call, target)) {
      hangUp(turn, party, { by: 'system' });
      return;
    }
    const joined = joinTalk(turn, party);
    const { mode } = supervision;
    if (listens(mode)) setStatus(turn, mode, 'Started', target);
    setStatus(turn, mode, 'Started', joined);
    if (mode === 'intercept') statusAnswered(turn, joined);
    tellEstablished(turn, joined);
    if (mode === 'bargein') tellInterrupted(turn, joined, target, joined.referenceID ?? 0);
    if (mode === 'intercept') takeAway(turn, joined, target, joined.referenceID ?? 0);
  },
};

function setStatus(turn: Turn, mode: Mode, what: 'Started' | 'Ended' | 'Failed', party: Party): void {
  const begins = STATUS[mode];
  if (begins !== undefined) turn.status(party, `${begins}${what}` satisfies AgentStatus);
}

/** EventPartyAdded, from the point of view of the agent who is interrupted. */
function tellInterrupted(turn: Turn, by: Party, target: Party, referenceID: number): void {
  setStatus(turn, 'bargein', 'Started', target);
  const relation: Relation = { otherDN: by.dn, thirdDN: by.dn, thirdDNRole: 'BargeinBy', callState: 'Conference' };
  tellPartyAdded(turn, { ...target, relation }, referenceID);
}

/** The supervisor has the customer, and the agent is released. */
function takeAway(turn: Turn, by: Party, target: Party, referenceID: number): void {
  const taken = turn.put({
    ...target,
    relation: { otherDN: counterpartDN(turn.call, target), thirdDN: by.dn, thirdDNRole: 'InterceptBy' },
  });
  turn.forget('supervision');
  hangUp(turn, taken, { by: 'request', referenceID });
}

/** Another mode for a supervisor who is there already, or whose phone still rings. */
function moveTo(turn: Turn, was: Supervision, { mode, referenceID }: Supervise): void {
  if (was.mode === mode) return;
  const before = turn.party(was.supervisor);
  const target = turn.party(was.target);
  const there = before.state === 'Talk';
  if (there && was.mode === 'bargein') {
    setStatus(turn, 'bargein', 'Ended', target);
    setStatus(turn, 'bargein', 'Ended', before);
    tellLeft(turn, before, target, referenceID);
  }
  turn.update({ supervision: { ...was, mode } });
  if (listens(mode)) nextSnoop(turn);
  const callState = there &&
    !listens(mode) && { callState: mode === 'bargein' ? ('Conference' as const) : ('OK' as const) };
  const moved = turn.put({
    ...before,
    role: roleIn(mode),
    // What comes of it from here on comes of this request.
    referenceID,
    relation: { ...relationIn(turn, mode, target), ...callState },
  });
  if (!there) return;
  if (mode !== 'bargein') setStatus(turn, mode, 'Started', target);
  setStatus(turn, mode, 'Started', moved);
  if (mode === 'intercept') statusAnswered(turn, moved);
  tellPartyChanged(turn, moved, referenceID);
  if (mode === 'bargein') tellInterrupted(turn, moved, target, referenceID);
  if (mode === 'intercept') takeAway(turn, moved, target, referenceID);
}

/** EventPartyDeleted, from the point of view of the supervisor who stops interrupting, as seed 004 has it. */
function tellLeft(turn: Turn, by: Party, target: Party, referenceID: number): void {
  const relation: Relation = { otherDN: target.dn, thirdDN: by.dn, thirdDNRole: 'DeletedBy', callState: 'OK' };
  tellPartyDeleted(turn, { ...by, relation }, referenceID);
}

/**
 * RequestStopSupervision: the supervisor leaves, or is not rung any more.
 *
 * @returns a refusal (303000) where the party supervises nobody in this call
 */
export function stopSupervision(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  if (turn.call.supervision?.supervisor !== party.partyID) {
    return { refusal: refuse('UnknownSupervisorError', { reason: 'thisDN supervises nobody in this call' }) };
  }
  hangUp(turn, party, { by: 'request', referenceID });
  return undefined;
}

/** What is told with the end of a supervisor's leg, or of the supervised agent's. */
export const supervisionFarewell: Farewell = (turn, ended) => {
  const { supervision } = turn.call;
  if (!supervision) return;
  const { mode } = supervision;
  if (supervision.target === ended.partyID) {
    const started = turn.party(supervision.supervisor).state === 'Talk';
    setStatus(turn, mode, started ? 'Ended' : 'Failed', ended);
    return;
  }
  if (supervision.supervisor !== ended.partyID) return;
  const target = turn.party(supervision.target);
  const cause = causeOfFailure(ended);
  const outcome = cause === undefined ? 'Ended' : 'Failed';
  if (isLive(target)) setStatus(turn, mode, outcome, target);
  const told = cause === undefined ? ended : withCause(turn, ended, mode, cause);
  setStatus(turn, mode, outcome, told);
  if (mode === 'bargein' && told.state === 'Talk' && isLive(target) && !isLeaving(target)) {
    tellLeft(turn, told, target, told.leg.hangup?.referenceID ?? 0);
  }
};

function withCause(turn: Turn, ended: Party, mode: Mode, cause: SupervisionFailure): Party {
  const field = CAUSE_FIELD[mode];
  if (field === undefined) return ended;
  return turn.put({ ...ended, relation: { ...ended.relation, data: { [field]: cause } } });
}

/** Seed 004: 1 where it failed before the supervisor answered, 2 where it failed after that; undefined where it did not. */
function causeOfFailure(ended: Party): SupervisionFailure | undefined {
  if (ended.leg.answeredAt === undefined) return 1;
  const { end } = ended.leg;
  const unplaced = end?.by === 'far-end' && end.q850 === OUT_OF_ORDER;
  return ended.state !== 'Talk' || unplaced ? 2 : undefined;
}

/**
 * The supervisor's leaving ends the supervision and nothing else. The agent's ends it too: the supervisor is released.
 * An agent whose call was taken away leaves it to the supervisor.
 */
export const supervisionDeparture: Departure = (turn, left) => {
  if (left.relation?.thirdDNRole === 'InterceptBy') return conversing(turn.call).length >= 2;
  const { supervision } = turn.call;
  if (!supervision) return false;
  if (supervision.supervisor === left.partyID) {
    turn.forget('supervision');
    return true;
  }
  if (supervision.target === left.partyID) {
    hangUp(turn, turn.party(supervision.supervisor), { by: 'other-user' });
  }
  return false;
};
