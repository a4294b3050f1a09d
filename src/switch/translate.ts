import type { AriEvent, Channel } from '../ari/index.ts';
import type { Fact } from '../calls/input.ts';
import { isPartyID } from '../cti/ids.ts';
import type { Arrival } from '../ports.ts';

/**
 * From Asterisk's events to the calls' terms. Q.850 and SIP are understood here and nowhere further in.
 */

/** First argument of Stasis(app,…) on the legs that we dial; an arrival says where it comes from instead. */
export const OUR_LEG = 'leg';

/** What became of a leg by one event, or undefined where the calls need not know. */
export function factOf(event: AriEvent, hangups: RingTimeouts): Fact | undefined {
  switch (event.type) {
    case 'ChannelStateChange':
      if (event.channel.state === 'Ringing') return { kind: 'leg-ringing', channel: event.channel.id };
      return event.channel.state === 'Up' ? { kind: 'leg-answered', channel: event.channel.id } : undefined;
    case 'ChannelHold':
      return { kind: 'leg-held-by-phone', channel: event.channel.id };
    case 'ChannelUnhold':
      return { kind: 'leg-retrieved-by-phone', channel: event.channel.id };
    case 'ChannelDtmfReceived':
      return { kind: 'leg-dtmf', channel: event.channel.id, digit: event.digit };
    case 'ChannelTransfer':
      return transferOf(event);
    case 'Dial':
      return event.dialstatus === 'PROGRESS' ? { kind: 'leg-early-media', channel: event.peer.id } : undefined;
    case 'ChannelHangupRequest':
      // Only what we have dialled can ring out.
      if (isPartyID(event.channel.id)) hangups.note(event.channel.id, event.soft === true, event.cause);
      return undefined;
    case 'ChannelDestroyed': {
      const ringTimedOut = hangups.take(event.channel.id) && event.cause === NO_ANSWER;
      return {
        kind: 'leg-ended',
        channel: event.channel.id,
        q850: event.cause,
        // Where Asterisk hung up by itself, it makes the SIP status up from the cause.
        ...(event.tech_cause !== undefined && !ringTimedOut && { sip: event.tech_cause }),
        ...(ringTimedOut && { ringTimedOut: true }),
      };
    }
    default:
      return undefined;
  }
}

/**
 * A REFER of a phone, which `PJSIP_TRANSFER_HANDLING()=ari-only` leaves to us. The event comes again, with a `state`,
 * for each answer of ours to it.
 */
function transferOf(event: Extract<AriEvent, { type: 'ChannelTransfer' }>): Fact | undefined {
  if (event.state !== undefined) return undefined;
  const { requested_destination, destination_channel } = event.refer_to;
  const { destination, protocol_id } = requested_destination;
  const blind = destination !== undefined && destination !== '' && protocol_id === undefined;
  const { id } = event.referred_by.source_channel;
  return {
    kind: 'leg-transfer-requested',
    channel: id,
    ...(blind && { dialled: destination }),
    ...(protocol_id !== undefined && destination_channel && { replaces: destination_channel.id }),
  };
}

/**
 * AST_SOFTHANGUP_EXPLICIT: Asterisk's own side asked for the end. ARI's dial timeout uses this one, not
 * AST_SOFTHANGUP_TIMEOUT (seen on 22.10.1), and so does a DELETE of ours; the calls know which of the two it was.
 */
const SOFTHANGUP_EXPLICIT = 32;
/** Q.850 19: the cause that the dial timeout leaves. */
const NO_ANSWER = 19;

/**
 * Remembers which channels Asterisk itself has hung up, from ChannelHangupRequest until ChannelDestroyed: the cause of
 * the end alone (19, with a SIP status of 480 made up from it) does not tell our timer from the far end's 480, whose
 * request is not soft.
 */
export class RingTimeouts {
  readonly #channels = new Set<string>();

  note(channel: string, soft: boolean, cause: number | undefined): void {
    if (soft && cause === SOFTHANGUP_EXPLICIT) this.#channels.add(channel);
  }

  take(channel: string): boolean {
    return this.#channels.delete(channel);
  }

  /** Forgets all channels but those that still exist: the end of the others was missed. */
  retain(existing: ReadonlySet<string>): void {
    for (const channel of this.#channels) if (!existing.has(channel)) this.#channels.delete(channel);
  }

  get size(): number {
    return this.#channels.size;
  }
}

/** A channel that the dialplan handed to us: `Stasis(app,inbound,<dialled>)` or `Stasis(app,dialled,<dialled>)`. */
export function arrivalOf(channel: Channel, args: readonly string[]): Arrival | undefined {
  const [from, dialled] = args;
  if ((from !== 'inbound' && from !== 'dialled') || dialled === undefined) return undefined;
  return {
    channel: channel.id,
    origin: from === 'inbound' ? 'trunk' : 'phone',
    dialled,
    caller: channel.caller.number === '' ? 'anonymous' : channel.caller.number,
    endpoint: endpointOf(channel.name),
  };
}

/** `PJSIP/carrier-a-0000001f` → `carrier-a`. */
function endpointOf(channelName: string): string {
  const slash = channelName.indexOf('/');
  const dash = channelName.lastIndexOf('-');
  return channelName.slice(slash + 1, dash > slash ? dash : undefined);
}
