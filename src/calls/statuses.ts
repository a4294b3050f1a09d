import type { Call } from './call.ts';
import { isLive, type Leg, type Party, type Purpose } from './party.ts';
import type { Turn } from './turn.ts';

/**
 * The agent statuses of a plain call (agent-status.md): of the agent's own leg, and of the customer's leg of an agent's
 * own call. Consultations, conferences and supervision set theirs where they do their work.
 */

/** Parties whose statuses are those of a plain call. */
const PLAIN: ReadonlySet<Purpose> = new Set([
  'first',
  'second',
  'queued',
  'queue-agent',
  'transfer',
  'transfer-return',
  'adopted',
]);

/** One who was consulted is the agent of a plain call as soon as he is guest of nobody any more. */
function isPlain({ consult, conference, supervision }: Call, { partyID, purpose }: Party): boolean {
  // Who takes a call away is its agent, by his request or by having done so; all other supervision has its own statuses.
  if (purpose === 'supervisor') return supervision?.supervisor !== partyID || supervision.mode === 'intercept';
  if (purpose === 'consult') return consult?.guest !== partyID && conference?.guest !== partyID;
  return PLAIN.has(purpose);
}

/** The agent who calls this customer: only an outgoing call is an agent's own. */
function ownerOf(call: Call, customer: Party): Party | undefined {
  if (call.callType !== 'Outbound' || customer.role !== 'Customer' || call.queue !== undefined) return undefined;
  return call.parties.find((p) => p.role === 'Agent' && (p.purpose === 'first' || p.purpose === 'second'));
}

/** A phone is being dialled, or rings: of whichever comes first there is an event, that event carries the status. */
export function statusDialled(turn: Turn, party: Party): void {
  if (party.role === 'Agent') turn.status(party, 'Dialed');
  const owner = ownerOf(turn.call, party);
  if (owner) turn.status(owner, 'UserCallDialed');
}

/** The same, carried by the very next event, which speaks for the customer. */
export function statusCustomerDialled(turn: Turn, customer: Party): void {
  const owner = ownerOf(turn.call, customer);
  if (owner) turn.statusOnNext(owner, 'UserCallDialed', isLive(owner));
}

/** The agent's phone has answered. */
export function statusAnswered(turn: Turn, party: Party): void {
  if (party.role === 'Agent') turn.status(party, 'Connected');
}

/** Two are bridged; asked for each of them, right before its event. */
export function statusJoined(turn: Turn, party: Party): void {
  if (party.role !== 'Agent') return;
  const own = turn.call.parties.some((p) => ownerOf(turn.call, p)?.partyID === party.partyID);
  turn.status(party, own ? 'UserCallConnected' : 'Connected');
}

/** Its phone was dialled, as far as is known. */
const wasTried = ({ startedAt, progressAt, end }: Leg): boolean =>
  progressAt !== undefined || (startedAt !== undefined && end?.notStarted === undefined);

/** A leg has ended; right before EventReleased. */
export function statusEnded(turn: Turn, ended: Party): void {
  if (!isPlain(turn.call, ended)) return;
  const { leg } = ended;
  if (ended.role === 'Agent') {
    if (leg.answeredAt !== undefined) turn.status(ended, 'Completed');
    else if (leg.direction === 'outbound' && wasTried(leg)) turn.status(ended, 'Missed');
  }
  const owner = ownerOf(turn.call, ended);
  if (owner) {
    turn.statusOnNext(owner, leg.bridgedAt === undefined ? 'UserCallFailed' : 'UserCallCompleted', isLive(owner));
  }
}
