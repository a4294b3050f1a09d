import { beginAfterCall } from '../agents/after-call.ts';
import { type Acquired, type Agent, isBusy, isLoggedIn, OWN_REASONS, rested } from '../agents/agent.ts';
import { notReady } from '../agents/verbs.ts';
import type { CallID } from '../cti/ids.ts';
import type { FloorTurn } from './floor-turn.ts';
import type { CallNote, PartyNote } from './note.ts';

/** What a call's note means for the floor. A note that says what is known changes nothing. */
export function takeNote(turn: FloorTurn, note: CallNote): void {
  noteWaiting(turn, note);
  for (const agent of turn.agents.values()) {
    if (isLoggedIn(agent) || agent.acquired) noteAgent(turn, note, agent);
  }
}

function noteWaiting(turn: FloorTurn, { callID, waiting, parties }: CallNote): void {
  const known = turn.waiting.get(callID);
  if (!waiting) {
    turn.waitsNoMore(callID);
    return;
  }
  const assignment = Math.max(waiting.assignment, known?.assignment ?? 0);
  const gone = parties.some((p) => p.assignment === known?.assigned?.assignment && !p.present);
  const assigned = gone || known?.queue !== waiting.queue ? undefined : known.assigned;
  // Asked to go elsewhere: done with as soon as the call is in another queue, is ringing elsewhere or has come back.
  const moved = known?.queue !== waiting.queue || waiting.rung || waiting.overflowed;
  const sentOn = !moved && known.sentOn === true;
  const next = { ...waiting, callID, assignment, ...(assigned && { assigned }), ...(sentOn && { sentOn }) };
  if (JSON.stringify(next) !== JSON.stringify(known)) turn.wait(next);
}

function noteAgent(turn: FloorTurn, note: CallNote, agent: Agent): void {
  const { callID, parties } = note;
  const { acquired } = agent;
  const mine = parties.filter((p) => p.dn === agent.dn);
  const present = mine.some((p) => p.present);
  const calls = withCall(agent.calls, callID, present && isLoggedIn(agent));
  const assigned = acquired?.callID === callID ? parties.find((p) => p.assignment === acquired.assignment) : undefined;
  const over = assigned !== undefined && !assigned.present;
  if (calls === agent.calls && !over) return;
  const next: Agent = { ...agent, calls };
  if (acquired && over) turn.put(served(turn, next, acquired, assigned));
  // A call of no queue that is over: idle from now on, if nothing else goes on.
  else turn.put(isBusy(next) ? next : rested({ ...next, idleSince: turn.now }, turn.now));
}

/** The assignment is over: it was talked, missed, or taken away from him. */
function served(turn: FloorTurn, agent: Agent, { callID }: Acquired, party: PartyNote): Agent {
  const { acquired: _, ...rest } = agent;
  if (!isLoggedIn(agent)) return rest;
  // One who has said NotReady while his phone rang stays so for his own reason.
  if (party.missed && agent.state === 'Ready') return notReady(turn, rest, OWN_REASONS.MissedCall, 0, { callID });
  // One who was let go before he could answer keeps his place among the idle.
  if (!party.answered) return rested(rest, turn.now);
  const idle = { ...rest, idleSince: turn.now };
  return party.wrapUp > 0
    ? beginAfterCall(turn, idle, { callID, partyID: party.partyID }, party.wrapUp)
    : rested(idle, turn.now);
}

/** The call did not take the assignment: its agent is free again, at his old place, and it may be given to another. */
export function declined(turn: FloorTurn, callID: CallID, assignment: number | undefined): void {
  const waiting = turn.waiting.get(callID);
  if (waiting && (assignment === undefined || waiting.assignment === assignment)) {
    const { assigned: _, sentOn: __, ...rest } = waiting;
    turn.wait({ ...rest, overflowed: waiting.overflowed || waiting.sentOn === true });
  }
  if (assignment === undefined) return;
  for (const agent of turn.agents.values()) {
    const { acquired, ...rest } = agent;
    if (acquired?.callID === callID && acquired.assignment === assignment) turn.put(rested(rest, turn.now));
  }
}

/** At a start: what the calls say counts, and agents are freed from calls of which nothing is known. */
export function recover(turn: FloorTurn, live: readonly CallNote[], over: readonly CallNote[]): void {
  const known = new Map([...over, ...live].map((note) => [note.callID, note]));
  for (const note of known.values()) takeNote(turn, note);
  for (const agent of turn.agents.values()) {
    const calls = agent.calls.filter((callID) => live.some((n) => n.callID === callID));
    const lost = agent.acquired !== undefined && !isKnown(known.get(agent.acquired.callID), agent.acquired);
    if (calls.length === agent.calls.length && !lost) continue;
    const { acquired, ...rest } = agent;
    turn.put(rested({ ...rest, calls, ...(acquired && !lost && { acquired }) }, turn.now));
  }
}

/** The call has the assignment's party. One that never reached its call is given up: the call is simply assigned anew. */
const isKnown = (note: CallNote | undefined, { assignment }: Acquired): boolean =>
  note?.parties.some((p) => p.assignment === assignment && p.present) ?? false;

function withCall(calls: readonly CallID[], callID: CallID, present: boolean): readonly CallID[] {
  if (calls.includes(callID) === present) return calls;
  return present ? [...calls, callID] : calls.filter((c) => c !== callID);
}
