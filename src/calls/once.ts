import type { Found } from './input.ts';
import { isLeaving, type Party } from './party.ts';
import type { Turn } from './turn.ts';

/**
 * Legs that are dialled once, whatever dies meanwhile: no number is rung twice, and none is forgotten.
 *
 * After a restart a leg's channel may be gone, and Asterisk says no more of it: was it ever dialled? So the dial goes out in
 * three steps. The channel is made (`dial` with `hold`), which Asterisk keeps as long as it is not dialled; it is stored that
 * the dial goes out; then it does (`send-dial`). Whoever takes over reads from what he finds what is to be done:
 *
 * | stored | the channel | so |
 * |---|---|---|
 * | not sent | is not there | nothing has gone out: it is made anew |
 * | not sent | is there | it waits: its dial is sent |
 * | sent | is not there | it has been dialled, and has ended |
 * | sent | is there, Down | it has been dialled and does not ring yet, or its dial was lost: see {@link sendOverdue} |
 */

/** A leg that is not dialled yet as far as is known, and whose channel is not there: it has not ended. */
export const isUnsent = ({ leg }: Party): boolean =>
  leg.once === true && leg.state === 'dialled' && leg.sent === undefined && leg.hangup === undefined;

/** The channel of a leg was made: it is dialled from here on. */
export function legMade(turn: Turn, party: Party): void {
  if (isUnsent(party)) send(turn, party);
}

/** How long beyond the ring timeout a dialled channel may stand, ms. */
const MARGIN_MS = 3_000;

/** Goes on with legs whose dialling was cut off. */
export function goOnDialling(turn: Turn, { channels, underWay }: Found): void {
  for (const party of turn.call.parties) {
    const { once, state, channel, sent, ringTimeout = 0 } = party.leg;
    if (!once || state !== 'dialled' || isLeaving(party)) continue;
    const there = channels[channel] !== undefined;
    if (sent === undefined && there) send(turn, party);
    else if (sent === undefined) turn.dial(party);
    else if (sent === 'yes' && there && !underWay.includes(channel)) {
      turn.leg(party, { sent: 'perhaps' });
      turn.setTimer('dial', turn.now + ringTimeout * 1_000 + MARGIN_MS);
    }
  }
}

/**
 * Asterisk would have ended by now what it had dialled. A channel that still stands there never was: it is dialled at last.
 * Before this it must not be: a second dial sends no second INVITE, but ends the first (seen on 22.10.1).
 */
export function sendOverdue(turn: Turn): void {
  turn.clearTimer('dial');
  for (const party of turn.call.parties) {
    const { state, sent } = party.leg;
    if (sent === 'perhaps' && state === 'dialled' && !isLeaving(party)) send(turn, party);
  }
}

function send(turn: Turn, party: Party): void {
  turn.leg(party, { sent: 'yes' });
  turn.ask({ do: 'send-dial', channel: party.leg.channel, ringTimeout: party.leg.ringTimeout ?? 30 });
}
