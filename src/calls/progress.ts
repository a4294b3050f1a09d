import { answerIfWanted } from './answer.ts';
import type { Fact } from './input.ts';
import { isLeaving, isLive, isUp, type Party } from './party.ts';
import { statusAnswered, statusDialled, statusJoined } from './statuses.ts';
import { tellEstablished, tellOtherRinging, tellRinging } from './tell.ts';
import type { Turn } from './turn.ts';

/** The way of a call up to its conversation: phones ring, answer, and are joined. */

/** What a party's ringing and its answer lead to: one for each purpose (purposes.ts). */
export interface Purposeful {
  /** The phone rings for the first time, or answers without ever having rung; the party is not announced yet. */
  rings(turn: Turn, party: Party): void;
  /** The phone has answered; the party is announced. */
  answers(turn: Turn, party: Party): void;
}

/** A phone rings (180), or its network speaks to us (183): for the subscribers both mean that it rings. */
export function legRinging(turn: Turn, party: Party, fact: Fact, purpose: Purposeful): void {
  if (party.leg.state === 'up' || party.leg.state === 'answering' || party.leg.direction === 'inbound') return;
  const early = fact.kind === 'leg-early-media';
  const rung = turn.leg(party, {
    state: 'ringing',
    progressAt: party.leg.progressAt ?? turn.now,
    ...(early && { earlyMedia: true }),
  });
  if (!rung.announced && !isLeaving(rung)) purpose.rings(turn, rung);
  answerIfWanted(turn, turn.party(rung.partyID));
}

/** A phone answered. One that never rang is announced now: subscribers hear Ringing before Established. */
export function legAnswered(turn: Turn, answered: Party, purpose: Purposeful): void {
  if (answered.leg.state === 'up') return;
  const party = turn.leg(answered, { state: 'up', answeredAt: turn.now });
  if (isLeaving(party)) return;
  if (!party.announced) purpose.rings(turn, party);
  purpose.answers(turn, turn.party(party.partyID));
}

/** EventRinging for a party whose phone rings now. */
export function announceRinging(turn: Turn, party: Party): Party {
  const ringing = turn.move({ ...party, announced: true }, 'Ringing');
  tellRinging(turn, ringing);
  return ringing;
}

/** The first phone answered: the second is rung. Its own ringing was announced when it was dialled. */
export const first: Purposeful = {
  rings: () => undefined,
  answers(turn, party) {
    const [, second] = turn.call.parties;
    statusAnswered(turn, party);
    if (second?.leg.state === 'planned') {
      turn.dial(second);
      if (second.role === 'Customer') statusDialled(turn, second);
    } else if (party.leg.direction === 'inbound') establish(turn);
  },
};

/** The second rings while the first waits, and once both are up they talk. */
export const second: Purposeful = {
  rings(turn, party) {
    if (party.role === 'Agent') statusDialled(turn, party);
    announceRinging(turn, party);
    if (party.role === 'Customer') statusDialled(turn, party);
    for (const other of turn.call.parties) {
      if (other.partyID !== party.partyID && isLive(other) && other.announced) tellOtherRinging(turn, other);
    }
  },
  answers(turn, party) {
    const [caller] = turn.call.parties;
    statusAnswered(turn, party);
    if (caller?.leg.direction !== 'inbound' || isUp(caller)) {
      establish(turn);
    } else if (caller.leg.state === 'ringing' && !isLeaving(caller)) {
      turn.leg(caller, { state: 'answering' });
      turn.ask({ do: 'answer', channel: caller.leg.channel });
    }
  },
};

/** Both phones are up and in one bridge: the conversation begins. */
function establish(turn: Turn): void {
  const joining = turn.call.parties.filter((p) => isUp(p) && !isLeaving(p));
  if (joining.length < 2) return;
  const joined = joining.filter((p) => p.state !== 'Talk').map((p) => joinTalk(turn, p));
  for (const p of joined) {
    statusJoined(turn, p);
    tellEstablished(turn, p);
  }
}

/** The party is in the conversation from now on; EventEstablished is told by whoever asks for this. */
export function joinTalk(turn: Turn, party: Party): Party {
  if (turn.call.bridgedAt === undefined) turn.update({ bridgedAt: turn.now });
  const talking = turn.move(party, 'Talk');
  return turn.leg(talking, { bridgedAt: talking.leg.bridgedAt ?? turn.now });
}
