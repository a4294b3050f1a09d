import { refuse } from '../cti/errors.ts';
import { mayNotAct } from './hold.ts';
import type { CallRequest } from './input.ts';
import { companions } from './layout.ts';
import type { Refused } from './output.ts';
import type { Party } from './party.ts';
import { tellDtmfSent } from './tell.ts';
import type { Turn } from './turn.ts';

/** Digits that are kept of each party; of more, the last. */
export const DIGITS_KEPT = 256;

/**
 * RequestSendDtmf: the digits go to the phones of those whom the party talks to, whether it is muted or not.
 *
 * @returns HeldInProcess where the party holds or is held, InvalidAgentState where it does not talk
 */
export function sendDtmf(
  turn: Turn,
  party: Party,
  request: Extract<CallRequest, { kind: 'send-dtmf' }>,
): Refused | undefined {
  const { dtmfDigits, referenceID } = request;
  const refusal = mayNotAct(turn.call, party);
  if (refusal) return refusal;
  if (party.state === 'Held') return { refusal: refuse('HeldInProcess') };
  if (party.state !== 'Talk') return { refusal: refuse('InvalidAgentState', { state: party.state }) };
  const others = companions(turn.call, party);
  if (others.length === 0) return { refusal: refuse('InvalidAgentState', { reason: 'there is nobody opposite' }) };
  const hearing = others.filter((p) => p.state !== 'Held');
  if (hearing.length === 0) return { refusal: refuse('HeldInProcess') };
  for (const { leg } of hearing) turn.ask({ do: 'send-dtmf', channel: leg.channel, digits: dtmfDigits });
  tellDtmfSent(turn, party, dtmfDigits, referenceID);
  return undefined;
}

const DIGIT = /^[0-9A-D*#]$/;

/** A digit that was pressed on the party's phone: kept with the party, told to nobody. */
export function digitPressed(turn: Turn, party: Party, digit: string): void {
  const pressed = digit.toUpperCase();
  if (DIGIT.test(pressed)) turn.put({ ...party, digits: `${party.digits ?? ''}${pressed}`.slice(-DIGITS_KEPT) });
}
