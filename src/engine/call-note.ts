import type { Call } from '../calls/call.ts';
import type { Party } from '../calls/party.ts';
import { rungForQueue, waitingParty } from '../calls/waiting.ts';
import type { CallNote, PartyNote } from '../queues/note.ts';

/** What the agents and queues must know of a call. */
export function noteOf(call: Call): CallNote {
  const { queue } = call;
  const waiting = queue &&
    waitingParty(call) && {
      queue: queue.id,
      since: queue.since,
      enteredAt: queue.enteredAt,
      rung: rungForQueue(call) !== undefined,
      assignment: queue.assignment,
      overflowed: queue.overflowed,
    };
  const parties = call.parties
    .filter((p) => p.leg.kind === 'user' && p.leg.state !== 'planned')
    .map((p) => partyNote(call, p));
  return { callID: call.callID, parties, ...(waiting && { waiting }) };
}

function partyNote(call: Call, party: Party): PartyNote {
  const talked = party.leg.bridgedAt !== undefined;
  return {
    partyID: party.partyID,
    dn: party.dn,
    // Whoever is given to another call is not free before that call has told of him.
    present: party.leg.state !== 'ended' || (party.leg.given !== undefined && !call.deleted),
    ...(party.assignment !== undefined && { assignment: party.assignment }),
    wrapUp: talked ? (party.wrapUp ?? 0) : 0,
    answered: talked,
    missed: party.missed === true || letGoBy(party),
  };
}

/** An agent whom a queue chose for a call that it makes: his phone rang in vain, or could not be rung. */
const letGoBy = ({ assignment, purpose, leg }: Party): boolean =>
  assignment !== undefined &&
  purpose === 'first' &&
  leg.state === 'ended' &&
  leg.answeredAt === undefined &&
  leg.startedAt !== undefined &&
  leg.hangup === undefined;
