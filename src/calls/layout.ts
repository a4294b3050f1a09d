import type { PartyID } from '../cti/ids.ts';
import type { Call, Consult, Snoop } from './call.ts';
import { isLeaving, isLive, isUp, type Party } from './party.ts';
import { rungForQueue, waitingParty } from './waiting.ts';

/** Who is to be heard by whom. Derived from the call alone: no verb places anybody, it changes what this is read from. */
export interface Layout {
  /** Bridge of each channel that is in one. */
  readonly place: ReadonlyMap<string, string>;
  /** Channels that hear music, outside every bridge. */
  readonly music: ReadonlySet<string>;
  /** Channels that nobody hears. */
  readonly muted: ReadonlySet<string>;
  readonly snoops: ReadonlyMap<string, Snoop>;
  /** Channels on their way out: left where they are. */
  readonly keep: ReadonlySet<string>;
}

/** The bridge in which the parties of a call talk while they are two. */
export const mainBridge = (call: Call): string => `${call.callID}-b1`;
/**
 * The bridge in which they talk once three of them have been together, to the end of the call: it mixes even where only
 * two are left. In a bridge that changes between mixing and passing on as the third comes and goes, Asterisk can leave
 * one who stays deaf ([decision 0012](../../docs/decisions/0012-a-conference-has-its-own-bridge.md)).
 */
export const conferenceBridge = (call: Call): string => `${call.callID}-b4`;
/** The bridge in which a consulting agent talks to whom he consults. */
export const consultBridge = (call: Call): string => `${call.callID}-b2`;
/** The bridge in which a supervisor hears an agent through a snoop channel. */
export const observeBridge = (call: Call): string => `${call.callID}-b3`;

/** Where one party belongs. `music`: alone, with music on hold. `nowhere`: alone, with silence. */
export type Spot = 'main' | 'consult' | 'observe' | 'music' | 'nowhere';

/** The layout that the parties' states and relations ask for. */
export function layout(call: Call): Layout {
  const place = new Map<string, string>();
  const there = call.parties.filter((p) => isLive(p) && p.leg.state !== 'planned');
  const staying = there.filter((p) => !isLeaving(p));
  const spots = new Map(staying.map((p) => [p.leg.channel, spotOf(call, p)]));
  const at = (spot: Spot): string[] => [...spots].filter(([, s]) => s === spot).map(([channel]) => channel);
  const bridges = {
    main: isConference(call, at('main').length) ? conferenceBridge(call) : mainBridge(call),
    consult: consultBridge(call),
    observe: observeBridge(call),
  };
  for (const [channel, spot] of spots) {
    if (spot !== 'music' && spot !== 'nowhere') place.set(channel, bridges[spot]);
  }
  return {
    place,
    music: new Set(at('music')),
    muted: new Set(staying.filter((p) => p.muted && isUp(p)).map((p) => p.leg.channel)),
    keep: new Set(there.filter(isLeaving).map((p) => p.leg.channel)),
    snoops: snoopsOf(call, bridges.observe),
  };
}

/** Three or more together, whether they talk or one is still being rung; and whoever is left of them. */
const isConference = (call: Call, together: number): boolean =>
  together > 2 || call.media.bridges.includes(conferenceBridge(call));

/**
 * Where a party belongs.
 *
 * The first party joins the bridge only when somebody else is being rung: until then there is nobody to hear, and a
 * call whose first leg fails has then cost no bridge. Whoever is rung joins before the phone rings, so that early media
 * and ringback are heard; a supervisor joins when he has answered.
 *
 * Whoever is left with none but those who hold hears music; in a conference the others go on talking, and the one who
 * holds is taken out, for its own phone may play something to them.
 */
export function spotOf(call: Call, party: Party): Spot {
  const { supervision } = call;
  const consult = activeConsult(call);
  // Who waits in a queue has music until an agent of it has answered; until then the agent is rung apart.
  if (waitingParty(call)?.partyID === party.partyID) return 'music';
  if (rungForQueue(call)?.partyID === party.partyID) return 'nowhere';
  if (supervision?.supervisor === party.partyID) {
    if (!isUp(party)) return 'nowhere';
    if (supervision.mode === 'monitor' || supervision.mode === 'whisper') return 'observe';
  }
  const room = roomOf(consult, party);
  if (room === 'waiting') return waiting(party);
  const others = companions(call, party);
  if (isUp(party) && others.length > 0 && others.every((p) => isOnHold(call, p))) return 'music';
  if (others.length > 1 && isOnHold(call, party)) return 'nowhere';
  if (room === 'consult') return 'consult';
  return anyoneElseRung(call) ? 'main' : 'nowhere';
}

/**
 * The consultation while both stay in it: as soon as one is on the way out, everybody else is back in the call. A host
 * who waits in a queue is in it whoever is, or is not, rung for him.
 */
export function activeConsult(call: Call): Consult | undefined {
  const { consult, queue } = call;
  if (!consult) return undefined;
  const stays = (id: PartyID | undefined): boolean =>
    call.parties.some((p) => p.partyID === id && isLive(p) && !isLeaving(p));
  return stays(consult.host) && (queue !== undefined || stays(consult.guest)) ? consult : undefined;
}

/** Who talks to whom while somebody is consulted: host and guest apart from the others, or host and others. */
function roomOf(consult: Consult | undefined, party: Party): 'main' | 'consult' | 'waiting' {
  if (consult?.host === party.partyID) return consult.swapped ? 'main' : 'consult';
  if (consult?.guest === party.partyID) return consult.swapped ? 'waiting' : 'consult';
  return consult && !consult.swapped ? 'waiting' : 'main';
}

/** Those whom a party talks to, or would if nobody were on hold. */
export function companions(call: Call, party: Party): readonly Party[] {
  const consult = activeConsult(call);
  const room = roomOf(consult, party);
  if (room === 'waiting') return [];
  return talkers(call).filter((p) => p.partyID !== party.partyID && roomOf(consult, p) === room);
}

/** True if the party is the host of a consultation and talks to the others while his guest waits. */
export function isSwapped(call: Call, party: Party): boolean {
  const consult = activeConsult(call);
  return consult?.swapped === true && consult.host === party.partyID;
}

/** Whether those whom the party talks to hear nothing of it. One who has swapped holds his guest, and not them. */
const isOnHold = (call: Call, party: Party): boolean =>
  party.state === 'Held' && (!isSwapped(call, party) || party.leg.heldByPhone === true);

/** Music for one who has answered; one whose phone still rings stays with the call. */
const waiting = (party: Party): Spot => (isUp(party) ? 'music' : 'main');

/** Parties that are in the conversation: talking or holding, on a leg that stays, and not just listening. */
export function talkers(call: Call): readonly Party[] {
  return call.parties.filter(
    (p) => (p.state === 'Talk' || p.state === 'Held') && isUp(p) && !isLeaving(p) && !isObserver(call, p),
  );
}

/** Those of {@link talkers} whose conversation it is: a supervisor who interrupts is heard, and yet keeps no call alive. */
export function conversing(call: Call): readonly Party[] {
  return talkers(call).filter((p) => p.partyID !== call.supervision?.supervisor);
}

/** A supervisor who is not heard by the customer. */
export const isObserver = (call: Call, party: Party): boolean =>
  call.supervision?.supervisor === party.partyID &&
  (call.supervision.mode === 'monitor' || call.supervision.mode === 'whisper');

/** True once somebody beside the first party has been dialled and may still come, or did. */
const anyoneElseRung = (call: Call): boolean =>
  call.media.bridges.length > 0 || call.parties.some((p, i) => i > 0 && isLive(p) && p.leg.state !== 'planned');

function snoopsOf(call: Call, bridge: string): Map<string, Snoop> {
  const snoops = new Map<string, Snoop>();
  const { supervision } = call;
  if (!supervision) return snoops;
  const supervisor = call.parties.find((p) => p.partyID === supervision.supervisor);
  const target = call.parties.find((p) => p.partyID === supervision.target);
  const listens = supervision.mode === 'monitor' || supervision.mode === 'whisper';
  if (!supervisor || !target || !listens || !isUp(supervisor) || isLeaving(supervisor) || !isUp(target)) return snoops;
  const id = `${call.callID}-s${supervision.snoop}`;
  snoops.set(id, {
    of: target.leg.channel,
    listener: supervisor.leg.channel,
    bridge,
    whisper: supervision.mode === 'whisper',
  });
  return snoops;
}
