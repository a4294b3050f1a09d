import { refuse } from '../cti/errors.ts';
import { type Call, liveParty } from './call.ts';
import { isObserver, talkers } from './layout.ts';
import type { Refused } from './output.ts';
import { isLeaving, isLive, isUp, type Party, type Purpose, type Target } from './party.ts';

/** Who may bring somebody new into a call of two, and who may be brought. */

/** Parties that one call may have had, those who have left among them: a call is one value in the store. */
export const MAX_PARTIES = 100;

/** True if the party has answered and is not on its way out. */
export const stays = (party: Party): boolean => isUp(party) && !isLeaving(party);

/** Those whom a party talks to. */
export const opposite = (call: Call, party: Party): readonly Party[] =>
  talkers(call).filter((p) => p.partyID !== party.partyID);

/** Why an outside number is in a call that it was not brought into: it began it, was called by it, or waited for an agent. */
const OWN: ReadonlySet<Purpose> = new Set(['first', 'second', 'queued']);

/** An outside number that was brought into a call which had its parties already. */
export const isAddedOutsider = (party: Party): boolean => party.leg.kind === 'customer' && !OWN.has(party.purpose);

/** Added to a conversation (conference.ts), and not in it yet. */
export const isRungIn = (party: Party): boolean => party.purpose === 'added' && party.leg.bridgedAt === undefined;

/** Whether a third is being rung into the conversation. */
export const isAnyoneRungIn = (call: Call): boolean =>
  call.parties.some((p) => isRungIn(p) && isLive(p) && !isLeaving(p));

const refused = (...args: Parameters<typeof refuse>): Refused => ({ refusal: refuse(...args) });

/**
 * Why a party may not hand its call on or ask somebody about it; undefined if it may.
 *
 * @param conference the code that refuses a party of a conference, also while the third is still being rung: he would come
 *   into a call that its other two have left, or wait in
 */
export function mayNotBring(
  call: Call,
  party: Party,
  conference: 'AgentIsInConferenceScene' | 'ConferenceToTransfer',
): Refused | undefined {
  if (party.role === 'Customer') return refused('InvalidAgentState', { reason: 'thisDN is the customer' });
  if (isAddedOutsider(party)) return refused('CustomerAddByConference');
  if (isObserver(call, party)) return refused('PartyIsObserver');
  if (call.consult) return refused('AgentIsInConsultScene');
  if (party.state === 'Held') return refused('HeldInProcess');
  if (party.state !== 'Talk' || !stays(party)) return refused('InvalidAgentState', { state: party.state });
  const others = opposite(call, party);
  if (others.length > 1 || isAnyoneRungIn(call)) return refused(conference);
  if (others.length === 0 || call.transfer) {
    return refused('InvalidAgentState', { reason: 'there is nobody opposite to talk to' });
  }
  return undefined;
}

/** Why somebody may not be rung into the call, or waited for; undefined if he may. */
export function mayNotCome(call: Call, party: Party, target: Target): Refused | undefined {
  if (target.dn === party.dn) return refused('TargetPartyIsSelf');
  if (liveParty(call, target.dn)) return refused('TargetPartyInCall');
  if (call.parties.length >= MAX_PARTIES) return refused('NotEnoughMeetmeRoom', { parties: call.parties.length });
  if (target.kind === 'queue') return target.full && refused('RequestTooFast', { reason: 'queue-full' });
  if (target.unreachable === 'invalid-number') {
    const reason = 'is neither a phone or a queue of the company nor a number that may be dialled';
    return refused('InvalidParams', { issues: [{ path: 'otherDN', reason }] });
  }
  if (target.unreachable === 'channel-limit') return refused('RequestTooFast', { reason: 'channel-limit' });
  if (target.unreachable !== undefined) return refused('NotFoundChannel', { reason: target.unreachable });
  return undefined;
}
