import type { CallID, CompanyId, PartyID } from '../cti/ids.ts';
import type { AttachedData } from '../cti/json.ts';
import type { HangupCause } from '../cti/leg-ending.ts';
import type { CallType, ConsultStage, MakeCallType } from '../cti/roles.ts';
import type { Destination, Party, QueueEntry } from './party.ts';

/** Which kind of call flow this is; it decides what a fact about a leg leads to. */
export type Flow = 'agent-first' | 'customer-first' | 'inbound' | 'queued';

/**
 * What the switch has been told to do with the sound of this call: the layout that the last commands asked for.
 * Commands are the difference between this and the layout that the parties' states ask for (media.ts), so a restart
 * needs only to put what Asterisk really has in its place to know what is missing.
 */
export interface Media {
  /** Bridges that exist, by id. */
  readonly bridges: readonly string[];
  /** Which bridge each channel is in. */
  readonly place: Readonly<Record<string, string>>;
  /** Channels that hear music, outside every bridge. */
  readonly music: readonly string[];
  /** Channels that nobody hears. */
  readonly muted: readonly string[];
  /** Snoop channels, by id. */
  readonly snoops: Readonly<Record<string, Snoop>>;
}

/** A channel of Asterisk's that listens to a leg, and speaks to it alone if it whispers. */
export interface Snoop {
  /** The leg's channel. */
  readonly of: string;
  /** The channel of the one who listens. */
  readonly listener: string;
  /** Bridge in which he is. */
  readonly bridge: string;
  readonly whisper: boolean;
}

/**
 * A consultation: the host talks to the guest in a bridge of their own while everybody else waits with music; swapped,
 * the host talks to the others and the guest waits.
 */
export interface Consult {
  readonly host: PartyID;
  /** Absent while the host waits in a queue and none of its agents is rung. */
  readonly guest?: PartyID;
  readonly stage: ConsultStage;
  readonly swapped: boolean;
  /** The host has taken the guest back: by RequestCancelConsult or RequestRetrieveConsult. */
  readonly dropped?: true;
}

/** A conference that grew out of a consultation: who consulted, and who was consulted (stages 8 and 9). */
export interface Conference {
  readonly host: PartyID;
  readonly guest: PartyID;
}

/**
 * A call that is handed to somebody new without asking first: `by` leaves, then `to` is rung while the others wait for
 * it. Where `to` does not come, `back` is rung in turn, as a new party that is then `to`.
 */
export interface Transfer {
  readonly by: PartyID;
  /** Absent where a queue says who that is. */
  readonly to?: PartyID;
  /** The queue to which the others go once `by` has left; absent as soon as they wait there. */
  readonly queue?: QueueEntry;
  /** How the one who transferred is reached again; absent once that is being tried. */
  readonly back?: Destination;
}

/** A call that waits for an agent of a queue. */
export interface QueueWait extends QueueEntry {
  /** The one who waits. */
  readonly party: PartyID;
  /** Unix ms since when he has waited, in this queue or an earlier one. */
  readonly since: number;
  /** Unix ms when he came into this queue. */
  readonly enteredAt: number;
  /** Who is being rung for him. */
  readonly rung?: PartyID;
  /** Number of the last assignment that was taken; they grow. */
  readonly assignment: number;
  /** The queue's overflow has been tried. */
  readonly overflowed: boolean;
  /** Of the request that put him here: the events of whoever is rung for him carry it. */
  readonly referenceID?: number;
}

/** What a supervisor does to an agent's call. */
export interface Supervision {
  readonly supervisor: PartyID;
  /** The agent. */
  readonly target: PartyID;
  readonly mode: 'monitor' | 'whisper' | 'bargein' | 'intercept';
  /** Number of the snoop channel that serves it: a new one for each mode, because a snoop's directions are fixed. */
  readonly snoop: number;
  /** Channel of the one whom the agent was last alone with, for a supervisor who listens (supervise.ts). */
  readonly heard?: string;
}

/** From when a call is recorded by itself: from the conversation on, or from the far network's early media. */
export type RecordingBegins = 'talk' | 'early';

/** Where a recording goes: given by whoever asks for it, because the core makes neither randomness nor addresses. */
export interface RecordingTarget {
  /** 32 lower-case hex digits. */
  readonly uuid: string;
  /** Where it can be fetched once the call has ended. */
  readonly url: string;
}

/** A call that is to be recorded without anybody asking for it while it goes on. */
export interface RecordingPlan extends RecordingTarget {
  readonly begins: RecordingBegins;
}

/** The recording of a call; a call has one at most, and one that was stopped goes on in the same file. */
export interface Recording extends RecordingTarget {
  /**
   * - `waiting`: it begins by itself, as `begins` says
   * - `on`
   * - `paused`: silence is written instead of what is said
   * - `stopped`: by request, because its leg ended, or because Asterisk could not go on
   */
  readonly state: 'waiting' | 'on' | 'paused' | 'stopped';
  readonly begins?: RecordingBegins;
  /** Channel of the leg that carries it; absent until it has begun. */
  readonly channel?: string;
  /** Channel of the one whom the recorded leg was last alone with; absent until there was one. */
  readonly heard?: string;
  /** The recording must be renewed before it can go on: see {@link heard} and recording.ts. */
  readonly stale?: boolean;
  /** Asterisk has said that it writes: there is something to fetch. */
  readonly written?: boolean;
  /** Early media of that leg was recorded. */
  readonly early?: boolean;
}

/** A moment at which the call must be looked at again; stored with the call, so that it survives a restart. */
export interface Timer {
  readonly name: TimerName;
  /** Unix ms. */
  readonly at: number;
}

/**
 * `treatment`: the tone that tells a caller why nobody comes has been heard long enough. `dial`: a leg that had been dialled
 * would have ended by now (once.ts).
 */
export type TimerName = 'treatment' | 'dial';

/** A live call: everything that is known of it, as plain JSON. It is one value in Redis. */
export interface Call {
  readonly callID: CallID;
  readonly companyId: CompanyId;
  /** Asterisk node that carries it. */
  readonly node: string;
  readonly flow: Flow;
  readonly callType: CallType;
  readonly makeCallType?: MakeCallType;
  /** The DN that created the call, and the one it was created to reach. */
  readonly thisDN: string;
  readonly otherDN: string;
  readonly ANI?: string;
  readonly DNIS?: string;
  readonly attachedData: AttachedData;
  /** Of the request that made the call; 0 if none did. */
  readonly referenceID: number;
  /** Seconds; for the legs that this call will still dial. */
  readonly ringTimeout: number;
  readonly parties: readonly Party[];
  readonly media: Media;
  readonly timers: readonly Timer[];
  readonly consult?: Consult;
  readonly conference?: Conference;
  readonly transfer?: Transfer;
  /** Present while a party waits for an agent. */
  readonly queue?: QueueWait;
  readonly supervision?: Supervision;
  /** Absent where the call is not recorded and nobody has asked for it. */
  readonly recording?: Recording;
  /** Snoop channels that this call has had: the number of the next is one more, because ids are never used twice. */
  readonly snoopsMade?: number;
  /** Unix ms. */
  readonly startedAt: number;
  readonly bridgedAt?: number;
  readonly endedAt?: number;
  /** The seed's `hangupCause`: who or what ended the call; the first to do so stays. */
  readonly hangupCause?: HangupCause;
  /** Of the request that ended the call, if one did. */
  readonly endReferenceID?: number;
  /** EventCallDeleted has been sent; nothing may follow. */
  readonly deleted: boolean;
}

/** The party on a channel, or undefined if none of this call's is. */
export function partyByChannel(call: Call, channel: string): Party | undefined {
  return call.parties.find((p) => p.leg.channel === channel);
}

/**
 * The live party with this DN, or undefined. A phone of the company's own comes before a number outside: a caller may show
 * any number, that of the very agent whom he calls among them.
 */
export function liveParty(call: Call, dn: string): Party | undefined {
  const named = call.parties.filter((p) => p.dn === dn && p.leg.state !== 'ended');
  return named.find((p) => p.leg.kind === 'user') ?? named[0];
}

/** The call with one party replaced by its newer self. */
export function withParty(call: Call, party: Party): Call {
  return { ...call, parties: call.parties.map((p) => (p.partyID === party.partyID ? party : p)) };
}
