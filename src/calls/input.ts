import type { CallID, CompanyId } from '../cti/ids.ts';
import type { AttachedData } from '../cti/json.ts';
import type { CallType, MakeCallType } from '../cti/roles.ts';
import type { RecordingPlan, Supervision, TimerName } from './call.ts';
import type { Command } from './command.ts';
import type { Destination, Leg, NotStarted, Party, QueueEntry, Target } from './party.ts';

export type { Destination, QueueEntry, QueueTarget, Target } from './party.ts';

/** RequestMakeCall, resolved. `agent` is the party named thisDN, `target` the one named otherDN. */
export interface MakeCall {
  readonly kind: 'make';
  readonly callID: CallID;
  readonly companyId: CompanyId;
  readonly node: string;
  readonly callType: Extract<CallType, 'Outbound' | 'Internal'>;
  readonly makeCallType: MakeCallType;
  readonly firstLeg: 'agent' | 'customer';
  readonly agent: Destination;
  readonly target: Destination;
  /** The one who is rung first is to wait in this queue: the other of the two is the queue itself, and is never dialled. */
  readonly queue?: QueueEntry;
  /** The agent was chosen by a queue for this call: he is its queue's agent in it. */
  readonly chosenBy?: { readonly queue: QueueEntry; readonly assignment: number };
  readonly ANI?: string;
  /** Seconds. */
  readonly ringTimeout: number;
  readonly attachedData: AttachedData;
  readonly referenceID: number;
  /** The call is to be recorded. */
  readonly recording?: RecordingPlan;
  /** Both are dialled once, whatever dies meanwhile (once.ts). */
  readonly once?: true;
}

/** A channel that the dialplan handed to us. `target` is absent where no route leads anywhere. */
export interface CallArrived {
  readonly kind: 'arrived';
  readonly callID: CallID;
  readonly companyId: CompanyId;
  readonly node: string;
  readonly channel: string;
  /** Inbound: from a trunk. Outbound or Internal: dialled on an agent's own phone. */
  readonly callType: Extract<CallType, 'Inbound' | 'Outbound' | 'Internal'>;
  readonly callerDN: string;
  readonly dialledDN: string;
  readonly target?: Destination;
  /** The queue in which the caller is to wait, in place of a target. */
  readonly queue?: QueueEntry;
  /** Q.850: the caller is not let in, and told so by this cause (17: the queue is full, 34: a limit is reached). */
  readonly turnedAway?: number;
  /** Seconds. */
  readonly ringTimeout: number;
  /** The call is to be recorded. */
  readonly recording?: RecordingPlan;
}

/** What the floor of agents and queues asks of a call that waits; refused where it does not wait any more. */
export type QueueInput =
  | { readonly kind: 'assign'; readonly queue: string; readonly to: Destination; readonly assignment: number }
  | { readonly kind: 'to-queue'; readonly queue: QueueEntry }
  | { readonly kind: 'to-number'; readonly to: Destination; readonly assignment: number }
  /** The queue's overflow leads nowhere just now: what it names is full, or cannot be reached. */
  | { readonly kind: 'overflow-failed'; readonly queue: string };

/** A request on a live call. `thisDN` is the acting party. */
export type CallRequest =
  | { readonly kind: 'answer'; readonly thisDN: string; readonly referenceID: number }
  | { readonly kind: 'release'; readonly thisDN: string; readonly referenceID: number }
  | { readonly kind: 'clear'; readonly referenceID: number }
  /** `uuid` and `url` are for a call that has none yet. */
  | {
      readonly kind: 'start-recording';
      readonly thisDN?: string;
      readonly uuid: string;
      readonly url: string;
      readonly referenceID: number;
    }
  | {
      readonly kind: 'stop-recording' | 'pause-recording' | 'resume-recording';
      readonly thisDN?: string;
      readonly referenceID: number;
    }
  | { readonly kind: 'hold'; readonly thisDN: string; readonly referenceID: number }
  | { readonly kind: 'retrieve'; readonly thisDN: string; readonly referenceID: number }
  | { readonly kind: 'mute'; readonly thisDN: string; readonly referenceID: number }
  | { readonly kind: 'unmute'; readonly thisDN: string; readonly referenceID: number }
  | {
      readonly kind: 'send-dtmf';
      readonly thisDN: string;
      readonly dtmfDigits: string;
      readonly referenceID: number;
    }
  | {
      readonly kind: 'attach-data';
      readonly thisDN?: string;
      /** Merged into what is there; null deletes a key. */
      readonly attachedData: AttachedData;
      readonly referenceID: number;
    }
  | {
      readonly kind: 'consult';
      readonly thisDN: string;
      readonly target: Target;
      /** Merged into what is there; null deletes a key. */
      readonly attachedData: AttachedData;
      readonly referenceID: number;
    }
  | {
      readonly kind: 'transfer';
      readonly thisDN: string;
      readonly target: Target;
      /** How thisDN is reached again where the target does not come. */
      readonly back: Destination;
      readonly referenceID: number;
    }
  | { readonly kind: 'cancel-consult'; readonly thisDN: string; readonly referenceID: number }
  | { readonly kind: 'retrieve-consult'; readonly thisDN: string; readonly referenceID: number }
  | { readonly kind: 'transfer-consult'; readonly thisDN: string; readonly referenceID: number }
  | { readonly kind: 'conference-consult'; readonly thisDN: string; readonly referenceID: number }
  | AddParty
  | DeleteParty
  | Supervise
  | { readonly kind: 'stop-supervision'; readonly thisDN: string; readonly referenceID: number };

/** RequestSingleStepConference. */
export interface AddParty {
  readonly kind: 'add-party';
  readonly thisDN: string;
  readonly to: Destination;
  readonly referenceID: number;
}

/** RequestDeleteFromConference. */
export interface DeleteParty {
  readonly kind: 'delete-party';
  readonly thisDN: string;
  readonly otherDN: string;
  readonly referenceID: number;
}

/** RequestMonitor, RequestWhisper, RequestBargein, RequestIntercept. */
export interface Supervise {
  readonly kind: 'supervise';
  readonly mode: Supervision['mode'];
  /** The supervisor's DN, and how he is reached. */
  readonly thisDN: string;
  readonly to: Destination;
  /** The agent. */
  readonly otherDN: string;
  /** What the supervisor does in another call of the company, where he is in one. */
  readonly elsewhere?: 'supervising' | 'in-call';
  readonly referenceID: number;
}

/** What the switch saw. `recovered`: made up afterwards from what a resynchronisation found. */
export type Fact = {
  readonly channel: string;
  readonly recovered?: boolean;
} /** The channel of a leg that is dialled once is there, in its place, and waits for its dial. */ & (
  | { readonly kind: 'leg-made' }
  | { readonly kind: 'leg-ringing' }
  | { readonly kind: 'leg-early-media' }
  | { readonly kind: 'leg-answered' }
  /** The phone itself put the other side on hold (re-INVITE sendonly), or took it back. */
  | { readonly kind: 'leg-held-by-phone' }
  | { readonly kind: 'leg-retrieved-by-phone' }
  /** The phone sent a digit. */
  | { readonly kind: 'leg-dtmf'; readonly digit: string }
  /** Asterisk writes the leg's recording. */
  | { readonly kind: 'recording-started' }
  /** Asterisk does not write it, or no longer; `nothingWritten`: there is no file. */
  | { readonly kind: 'recording-failed'; readonly nothingWritten?: boolean }
  /** The phone itself asks us to put the other side through (REFER). */
  | {
      readonly kind: 'leg-transfer-requested';
      /** The number that it names; absent where it names another call of its own (Replaces). */
      readonly dialled?: string;
      /** Its own channel in that other call, where the node knows it. */
      readonly replaces?: string;
      /** How that number is reached, and how the phone's own party is: from the directory, for the core cannot know. */
      readonly aim?: { readonly target: Target; readonly back: Destination };
    }
  | {
      readonly kind: 'leg-ended';
      readonly q850?: number;
      readonly sip?: number;
      readonly ringTimedOut?: boolean;
      readonly notStarted?: NotStarted;
      readonly nodeDied?: boolean;
    }
);

export interface TimerFired {
  readonly kind: 'timer';
  readonly name: TimerName;
}

/** An attended transfer on a phone takes the one opposite the agent out of this call, and into another. */
export interface GiveAway {
  readonly kind: 'give-away';
  /** The agent's channel in this call. */
  readonly by: string;
  /** DN of the one to whom it goes. */
  readonly to: string;
}

/** A party that another call has given away: its channel is up, and in none of this call's bridges. */
export interface Adopted extends Pick<Party, 'dn' | 'role' | 'muted'> {
  readonly leg: Leg;
  /** It hears music, which must end before it is joined with anybody. */
  readonly hearsMusic: boolean;
}

/** The other half of it: that party takes the agent's place in this call. */
export interface Adopt {
  readonly kind: 'adopt';
  /** The agent's channel in this call. */
  readonly by: string;
  readonly guest: Adopted;
}

/** Asterisk did not do what a request had led to. */
export interface NotDone {
  readonly kind: 'not-done';
  readonly request: CallRequest;
  readonly command: Command['do'];
}

/** What the call's node really has, after nobody listened for a while. Only what may concern this call is listed. */
export interface Found {
  readonly kind: 'found';
  /** Asterisk's channel state (Down, Ring, Ringing, Up, …) by channel. */
  readonly channels: Readonly<Record<string, string>>;
  /** Channels in each bridge. */
  readonly bridges: Readonly<Record<string, readonly string[]>>;
  /** Whether a channel's phone has put the other side on hold; those of which it is not known are not listed. */
  readonly onHold: Readonly<Record<string, boolean>>;
  /** Channels that are just being dialled: that they are not listed says nothing about them. */
  readonly underWay: readonly string[];
  /** Commands of this call are still being carried out: what they have not done yet is not missing. */
  readonly busy: boolean;
  /** Asterisk was started anew since the call was last heard of: every leg that is missing died with it. */
  readonly nodeDied: boolean;
}

/** Everything that can happen to a call that exists. */
export type CallInput = CallRequest | Fact | TimerFired | QueueInput | GiveAway | Adopt | NotDone | Found;

/** Everything that can begin a call. */
export type CallBirth = MakeCall | CallArrived;
