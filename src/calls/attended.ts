import { refuse } from '../cti/errors.ts';
import { partyIDOf } from '../cti/ids.ts';
import { type Call, liveParty, partyByChannel } from './call.ts';
import { pair } from './consult-end.ts';
import type { Adopt, Adopted } from './input.ts';
import { type Departure, hangUp } from './leave.ts';
import { MAX_PARTIES, stays } from './newcomer.ts';
import type { Refused } from './output.ts';
import { isLive, type Party } from './party.ts';
import { tellPartyChanged } from './tell-relations.ts';
import type { Turn } from './turn.ts';
import { rungForQueue, waitingParty } from './waiting.ts';

/**
 * Attended transfer on the phone: an agent has two calls of two, and hands the one whom he talks to in the first to the
 * one whom he talks to in the second. The second gives its party away (give-away.ts), the first adopts it: a leg moves
 * from call to call while its channel stays as it is.
 */

/**
 * The one to whom an agent talks in a call that is nothing but a call of two; undefined in every other call. The agent
 * himself may hold it, as he must hold one of his two; the other may not.
 */
export function onlyOther(call: Call, agent: Party): Party | undefined {
  const { consult, conference, transfer, supervision } = call;
  if (call.deleted || consult || conference || transfer || supervision) return undefined;
  if (waitingParty(call) || rungForQueue(call)) return undefined;
  if (agent.role === 'Customer' || !stays(agent) || (agent.state !== 'Talk' && agent.state !== 'Held'))
    return undefined;
  const [other, ...more] = call.parties.filter((p) => isLive(p) && p.partyID !== agent.partyID);
  if (!other || more.length > 0 || !stays(other) || other.state !== 'Talk' || other.leg.heldByPhone) return undefined;
  return other;
}

/**
 * Whom an agent's call may give away; undefined if nobody. A queue's agent is not given: his after-call work is that
 * of the call for which he was rung.
 */
export function mayGive(call: Call, agent: Party): Party | undefined {
  const other = onlyOther(call, agent);
  return other?.assignment === undefined ? other : undefined;
}

/** Whom an agent's call has for this guest to talk to; undefined where it may not adopt. */
export function mayAdopt(call: Call, agent: Party, guestDN: string): Party | undefined {
  if (liveParty(call, guestDN) || call.parties.length >= MAX_PARTIES) return undefined;
  return onlyOther(call, agent);
}

/**
 * The agent's party leaves its place to a party of another call: the two talk at once, the phone is told that its
 * transfer has worked, and its leg is hung up.
 *
 * @returns a refusal (InvalidAgentState) where the call is not, or no longer, a call of two
 */
export function adopt(turn: Turn, { by, guest }: Adopt): Refused | undefined {
  const { call } = turn;
  const agent = partyByChannel(call, by);
  const other = agent && mayAdopt(call, agent, guest.dn);
  if (!agent || !other) return { refusal: refuse('InvalidAgentState', { reason: 'not a call of two any more' }) };
  const party = adoptedParty(turn, guest, other);
  const { media } = call;
  turn.update({
    parties: [...call.parties, party],
    // Music that its former call has let it hear ends here, before it is joined with the other.
    ...(guest.hearsMusic && { media: { ...media, music: [...media.music, guest.leg.channel] } }),
  });
  const leaving = turn.put({
    ...agent,
    handedTo: party.partyID,
    relation: { otherDN: other.dn, thirdDN: party.dn, thirdDNRole: 'TransferTo', callState: 'Transferred' },
  });
  turn.ask({ do: 'answer-transfer', channel: by, taken: true });
  hangUp(turn, leaving, { by: 'request' });
  return undefined;
}

/** Where the customer is there already, somebody else from outside is no second one. */
function adoptedParty(turn: Turn, guest: Adopted, other: Party): Party {
  const { call, now } = turn;
  const { hearsMusic: _, leg, role, ...rest } = guest;
  return {
    ...rest,
    partyID: partyIDOf(call.callID, call.parties.length + 1),
    role: role === 'Customer' && other.role === 'Customer' ? 'ThirdPSTN' : role,
    dnRole: 'Destination',
    state: 'Talk',
    purpose: 'adopted',
    relation: { otherDN: other.dn },
    announced: true,
    released: false,
    leg: { ...leg, bridgedAt: now },
  };
}

/** The agent has gone: it is told to whom the adopted party talks now. */
export const attendedDeparture: Departure = (turn, left) => {
  if (left.handedTo === undefined) return false;
  const guest = turn.party(left.handedTo);
  const other = turn.call.parties.find((p) => p.partyID !== guest.partyID && stays(p));
  if (!stays(guest) || !other) return false;
  turn.status(guest, 'Connected');
  const relation = { otherDN: other.dn, thirdDN: left.dn, thirdDNRole: 'TransferBy', callState: 'OK' } as const;
  tellPartyChanged(turn, { ...guest, relation }, undefined);
  pair(turn, guest, other);
  return true;
};
