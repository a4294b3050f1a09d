import type { Call, Media, Snoop } from './call.ts';
import type { Command, Dial } from './command.ts';
import { conferenceBridge, type Layout, layout } from './layout.ts';
import { isLeaving, isLive, isUp, type Party } from './party.ts';

/** What {@link settleMedia} needs of a turn. */
export interface MediaTurn {
  readonly call: Call;
  readonly dials: readonly string[];
  readonly commands: Command[];
  /**
   * Whether music plays and who is muted cannot be told: what is not wanted is ended as well, in case it is there. Who is
   * in which bridge is known.
   */
  readonly soundUnknown: boolean;
  update(change: Partial<Call>): void;
}

/**
 * Ends a turn: turns the difference between what the switch was last told and what the call now asks for into
 * commands, and remembers the new layout. First what is made and joined, then dials, then what the capabilities asked
 * for, then what is no longer needed.
 */
export function settleMedia(turn: MediaTurn): void {
  const { call } = turn;
  const was = call.media;
  const wanted = layout(call);
  const live = new Set(call.parties.filter(isLive).map((p) => p.leg.channel));
  const up = call.parties.filter(isUp).map((p) => p.leg.channel);
  const [music, muted] = turn.soundUnknown ? [up, up] : [was.music, was.muted];
  const before = [
    ...newBridges(call, wanted),
    ...silences(music, wanted, live),
    ...placements(was, wanted, live, turn.dials),
    ...dials(call, wanted, turn.dials),
    ...mutes(was.muted, muted, wanted, live),
    ...snoops(was, wanted),
  ];
  const bridges = keptBridges(call, wanted);
  const after: Command[] = was.bridges
    .filter((b) => !bridges.includes(b))
    .map((bridge) => ({ do: 'destroy-bridge', bridge }));
  turn.commands.unshift(...before);
  turn.commands.push(...after);
  const media: Media = {
    bridges,
    place: Object.fromEntries(wanted.place),
    music: [...wanted.music],
    muted: [...wanted.muted],
    snoops: Object.fromEntries(wanted.snoops),
  };
  if (!sameMedia(was, media)) turn.update({ media });
}

function newBridges(call: Call, wanted: Layout): Command[] {
  const bridges = new Set(wanted.place.values());
  for (const snoop of wanted.snoops.values()) bridges.add(snoop.bridge);
  return [...bridges]
    .filter((b) => !call.media.bridges.includes(b))
    .map((bridge) => ({
      do: 'create-bridge',
      bridge,
      ...(bridge === conferenceBridge(call) && { mixesAlways: true }),
    }));
}

/** Music that ends must end before its channel joins a bridge: it would be lost or go on in there. */
function silences(music: readonly string[], wanted: Layout, live: ReadonlySet<string>): Command[] {
  return music
    .filter((channel) => live.has(channel) && !wanted.music.has(channel) && !wanted.keep.has(channel))
    .map((channel) => ({ do: 'stop-music', channel }));
}

function placements(was: Media, wanted: Layout, live: ReadonlySet<string>, dialled: readonly string[]): Command[] {
  const commands: Command[] = [];
  for (const [bridge, channels] of byBridge(Object.entries(was.place))) {
    const leave = channels.filter((c) => live.has(c) && !wanted.place.has(c) && !wanted.keep.has(c));
    if (leave.length > 0) commands.push({ do: 'unplace', channels: leave, bridge });
  }
  for (const [bridge, channels] of byBridge(wanted.place)) {
    const join = channels.filter((c) => was.place[c] !== bridge && !dialled.includes(c));
    if (join.length > 0) commands.push({ do: 'place', channels: join, bridge });
  }
  for (const channel of wanted.music) {
    if (!was.music.includes(channel)) commands.push({ do: 'start-music', channel });
  }
  return commands;
}

function dials(call: Call, wanted: Layout, channels: readonly string[]): Command[] {
  return channels.flatMap((channel) => {
    const party = call.parties.find((p) => p.leg.channel === channel);
    if (!party || isLeaving(party) || !isLive(party)) return [];
    return [dialCommand(party, wanted.place.get(channel))];
  });
}

/**
 * @param muted channels that are muted
 * @param mayBe channels that are, or may be
 */
function mutes(
  muted: readonly string[],
  mayBe: readonly string[],
  wanted: Layout,
  live: ReadonlySet<string>,
): Command[] {
  return [
    ...[...wanted.muted].filter((c) => !muted.includes(c)).map((channel): Command => ({ do: 'mute', channel })),
    ...mayBe
      .filter((c) => live.has(c) && !wanted.muted.has(c) && !wanted.keep.has(c))
      .map((channel): Command => ({ do: 'unmute', channel })),
  ];
}

/** Q.850 16, normal clearing. */
const NORMAL = 16;

function snoops(was: Media, wanted: Layout): Command[] {
  const commands: Command[] = [];
  for (const [snoop, s] of wanted.snoops) if (!was.snoops[snoop]) commands.push({ do: 'snoop', snoop, ...s });
  for (const channel of Object.keys(was.snoops)) {
    if (!wanted.snoops.has(channel)) commands.push({ do: 'hang-up', channel, q850: NORMAL });
  }
  return commands;
}

/** Bridges that are wanted, and those that must stay until the last leg in them has ended. */
function keptBridges(call: Call, wanted: Layout): string[] {
  const kept = new Set(wanted.place.values());
  for (const snoop of wanted.snoops.values()) kept.add(snoop.bridge);
  if (call.parties.some((p) => isLive(p) && p.leg.state !== 'planned')) {
    for (const b of call.media.bridges) kept.add(b);
  }
  return [...kept];
}

function byBridge(places: Iterable<readonly [channel: string, bridge: string]>): Map<string, string[]> {
  const bridges = new Map<string, string[]>();
  for (const [channel, bridge] of places) bridges.set(bridge, [...(bridges.get(bridge) ?? []), channel]);
  return bridges;
}

function dialCommand(party: Party, bridge: string | undefined): Dial {
  const { leg } = party;
  if (leg.endpoint === undefined) throw new Error(`party ${party.partyID} has nothing to dial`);
  return {
    do: 'dial',
    channel: leg.channel,
    endpoint: leg.endpoint,
    ringTimeout: leg.ringTimeout ?? 30,
    ...(leg.trunk !== undefined && { trunk: leg.trunk }),
    ...(leg.callerId !== undefined && { callerId: leg.callerId }),
    ...(bridge !== undefined && { bridge }),
    ...(leg.once && { hold: true as const }),
  };
}

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

function sameMedia(a: Media, b: Media): boolean {
  const places = Object.keys(a.place);
  const same = (x: Snoop | undefined, y: Snoop | undefined) => x?.of === y?.of && x?.whisper === y?.whisper;
  return (
    sameList(a.bridges, b.bridges) &&
    sameList(a.music, b.music) &&
    sameList(a.muted, b.muted) &&
    places.length === Object.keys(b.place).length &&
    places.every((c) => a.place[c] === b.place[c]) &&
    sameList(Object.keys(a.snoops), Object.keys(b.snoops)) &&
    Object.keys(a.snoops).every((s) => same(a.snoops[s], b.snoops[s]))
  );
}
