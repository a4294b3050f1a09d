import { refuse } from '../cti/errors.ts';
import { mayNotAct } from './hold.ts';
import type { Refused } from './output.ts';
import type { Party } from './party.ts';
import { tellMuted, tellUnmuted } from './tell.ts';
import type { Turn } from './turn.ts';

/**
 * Mute: nobody hears the party, and it still hears. It is the party's own until it is undone: neither hold nor a move to
 * another bridge touches it. Digits that the muted party presses or sends still arrive.
 */

/** RequestMuteCall. @returns InvalidAgentState for one who is in no conversation, or muted already */
export function muteCall(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const refusal = mayNotMute(turn, party, party.muted === true, 'muted already');
  if (refusal) return refusal;
  tellMuted(turn, turn.put({ ...party, muted: true }), referenceID);
  return undefined;
}

/** RequestUnmuteCall. @returns InvalidAgentState for one who is in no conversation, or not muted */
export function unmuteCall(turn: Turn, party: Party, referenceID: number): Refused | undefined {
  const refusal = mayNotMute(turn, party, party.muted !== true, 'not muted');
  if (refusal) return refusal;
  const { muted: _, ...heard } = party;
  tellUnmuted(turn, turn.put(heard), referenceID);
  return undefined;
}

/** A request that would change nothing is refused: no event would answer it. */
function mayNotMute(turn: Turn, party: Party, isSoAlready: boolean, reason: string): Refused | undefined {
  const refusal = mayNotAct(turn.call, party);
  if (refusal) return refusal;
  if (party.state !== 'Talk' && party.state !== 'Held') {
    return { refusal: refuse('InvalidAgentState', { state: party.state }) };
  }
  return isSoAlready ? { refusal: refuse('InvalidAgentState', { reason }) } : undefined;
}
