import type { Call, Media } from './call.ts';
import type { Fact, Found } from './input.ts';
import { goOnDialling, isUnsent } from './once.ts';
import { isLeaving, isLive, type Party } from './party.ts';
import { askRecordingAgain } from './recording.ts';
import type { Turn } from './turn.ts';

/** How a fact that was made up afterwards is dealt with: as any other. */
export type TakeFact = (turn: Turn, fact: Fact) => void;

/**
 * Goes on with a call after nobody listened for a while: a restart, a cut connection, a take-over. What the node really
 * has is compared with what is stored, and the differences are dealt with as facts: legs that answered, rang or ended
 * meanwhile, and phones that were put on hold or taken back. Then what was begun and may not have reached Asterisk is
 * asked for again: hang-ups, and, by taking the node's own bridges for the layout that was last commanded, everything
 * that makes up the sound. Digits, and a phone that was to answer, are not repeated: nobody knows whether they arrived.
 */
export function resume(turn: Turn, found: Found, take: TakeFact): void {
  for (const fact of differences(turn.call, found)) {
    // A channel that was created and never dialled is still there: its leg is over, and it must not stay.
    const left = fact.kind === 'leg-ended' && found.channels[fact.channel] !== undefined;
    if (left) turn.ask({ do: 'hang-up', channel: fact.channel, q850: NORMAL });
    take(turn, fact);
  }
  if (turn.call.deleted || found.busy) return;
  goOnDialling(turn, found);
  for (const party of turn.call.parties) {
    if (isLive(party) && isLeaving(party) && found.channels[party.leg.channel] !== undefined) {
      turn.ask({ do: 'hang-up', channel: party.leg.channel, q850: party.leg.treatment?.q850 ?? NORMAL });
    } else if (party.leg.state === 'answering') {
      turn.ask({ do: 'answer', channel: party.leg.channel });
    } else if (waitsWithoutSound(turn.call, party)) {
      turn.ask({ do: 'ring', channel: party.leg.channel });
    }
  }
  settleSnoops(turn, found);
  turn.update({ media: mediaOf(turn.call, found) });
  turn.soundUnknown = true;
  askRecordingAgain(turn);
}

/** Q.850 16, normal clearing. */
const NORMAL = 16;

/** A caller whom nobody has answered yet, and who is sent neither early media nor the tone that nobody comes. */
const waitsWithoutSound = (call: Call, { leg }: Party): boolean =>
  leg.direction === 'inbound' &&
  leg.state === 'ringing' &&
  leg.treatment === undefined &&
  !call.parties.some((p) => p.leg.earlyMedia && isLive(p));

/** Listening channels of a mode that is over are let go; one that was made and not joined with its listener is joined. */
function settleSnoops(turn: Turn, { channels, bridges }: Found): void {
  const { snoops } = turn.call.media;
  for (const channel of Object.keys(channels)) {
    const snoop = snoops[channel];
    if (!snoop) {
      if (isSnoop(channel)) turn.ask({ do: 'hang-up', channel, q850: NORMAL });
    } else if (!bridges[snoop.bridge]?.includes(channel)) {
      turn.ask({ do: 'place', channels: [channel], bridge: snoop.bridge });
    }
  }
}

/** True for the id of a listening channel (layout.ts). */
export const isSnoop = (channel: string): boolean => /-s\d+$/.test(channel);

/** What happened to a call's legs while nobody listened. */
function differences(call: Call, found: Found): Fact[] {
  const facts: Fact[] = [];
  for (const party of call.parties) {
    const { leg } = party;
    if (leg.state === 'planned' || leg.state === 'ended') continue;
    const { channel } = leg;
    const state = found.channels[channel];
    if (state === undefined) {
      if (isUnsent(party) && !found.nodeDied) continue;
      // A leg that is just being dialled need not be listed yet; its own dialling tells what becomes of it.
      const died = found.nodeDied && { nodeDied: true };
      if (!found.underWay.includes(channel)) facts.push({ kind: 'leg-ended', channel, ...died });
    } else if (state === 'Up') {
      if (leg.state !== 'up') facts.push({ kind: 'leg-answered', channel });
      const held = found.onHold[channel];
      if (held === true && !leg.heldByPhone) facts.push({ kind: 'leg-held-by-phone', channel });
      if (held === false && leg.heldByPhone) facts.push({ kind: 'leg-retrieved-by-phone', channel });
    } else if (state === 'Ringing' && leg.state === 'dialled') {
      facts.push({ kind: 'leg-ringing', channel });
    } else if (state === 'Down' && leg.state === 'dialled' && !leg.once && !found.underWay.includes(channel)) {
      // Created, and never dialled: whoever was to do it is gone, and nobody's phone rings for it.
      facts.push({ kind: 'leg-ended', channel, notStarted: 'unavailable' });
    }
  }
  return facts;
}

/**
 * The layout as Asterisk really has it. Music and mutes cannot be read there: they are taken for missing, and asked for
 * again, which changes nothing where they are there.
 */
function mediaOf(call: Call, found: Found): Media {
  const place: Record<string, string> = {};
  const bridges: string[] = [];
  for (const [bridge, channels] of Object.entries(found.bridges)) {
    if (!bridge.startsWith(call.callID)) continue;
    bridges.push(bridge);
    for (const channel of channels) if (found.channels[channel] !== undefined) place[channel] = bridge;
  }
  const snoops = Object.fromEntries(Object.entries(call.media.snoops).filter(([s]) => found.channels[s] !== undefined));
  return { bridges, place, music: [], muted: [], snoops };
}
