import { type CallID, type PartyID, partyIDOf } from '../cti/ids.ts';
import type { AttachedData } from '../cti/json.ts';
import type { LegEnding } from '../cti/leg-ending.ts';
import type { CallState, ConsultStage, DnRole, PartyRole, PartyState } from '../cti/roles.ts';

/**
 * What can be dialled, resolved from a DN by the directory (configuration): the core never builds a dial string.
 * `unreachable` says that it must not be tried, and why.
 */
export interface Destination {
  readonly dn: string;
  readonly kind: 'customer' | 'user';
  /** Asterisk dial string, such as `PJSIP/1001`. */
  readonly endpoint: string;
  readonly trunk?: string;
  /** Number shown to the one who is rung. */
  readonly callerId?: string;
  readonly unreachable?: NotStarted;
}

/** A queue, as a call must know it. */
export interface QueueEntry {
  readonly id: string;
  /** Seconds that each agent's phone rings. */
  readonly ringTimeout: number;
  /** Seconds of after-call work. */
  readonly wrapUp: number;
}

/** A queue in a phone's place: which of its agents is rung is for the floor of agents and queues to say. */
export interface QueueTarget {
  readonly dn: string;
  readonly kind: 'queue';
  readonly queue: QueueEntry;
  /** As many wait there as may. */
  readonly full?: true;
}

/** Who may be asked, or be handed a call. */
export type Target = Destination | QueueTarget;

/**
 * The legal moves between the five states of a party (seed 004, "Traffic Related").
 *
 *     Idle ──► Dialing ──► Talk ◄──► Held
 *       └────► Ringing ──►  │         │
 *     every state ──────────┴─────────┴──► Idle (released)
 *
 * - `Idle`: not yet announced, or released.
 * - `Dialing`: its phone is being rung as the first of the call.
 * - `Ringing`: its phone is being rung by a call that somebody else is in.
 * - `Talk`: bridged.
 * - `Held`: it has put the others on hold.
 *
 * Everything that changes a party's state goes through {@link move}.
 */
export const LEGAL_MOVES: Readonly<Record<PartyState, readonly PartyState[]>> = {
  Idle: ['Dialing', 'Ringing'],
  Dialing: ['Talk', 'Idle'],
  Ringing: ['Talk', 'Idle'],
  Talk: ['Held', 'Idle'],
  Held: ['Talk', 'Idle'],
};

/**
 * Where a leg is in its own life.
 *
 * - `planned`: will be dialled when its turn comes.
 * - `dialled`: the switch has been told to dial it.
 * - `ringing`: its phone rings (180, or 183 with early media); an inbound caller waits in this state.
 * - `answering`: an inbound leg that we have told to answer.
 * - `up`: answered.
 * - `ended`: ChannelDestroyed, or never started.
 */
export type LegState = 'planned' | 'dialled' | 'ringing' | 'answering' | 'up' | 'ended';

/** Who ended a leg, as far as we know: its own far end, another party by leaving, a request, or ourselves. */
export type EndedBy = LegEnding['endedBy'];

/** Why a leg was not even started (connection-status.md, rows 1 to 4). */
export type NotStarted = NonNullable<LegEnding['notStarted']>;

/** Our own hang-up of a leg: kept from the moment that it is intended until ChannelDestroyed confirms it. */
export interface LegHangup {
  readonly by: Exclude<EndedBy, 'far-end'>;
  /** The request that caused it, for the event's referenceID. */
  readonly referenceID?: number;
  /** It was the party's own (RequestReleaseCall): the same as hanging up on its phone. */
  readonly own?: true;
}

/** How an unanswered caller will be refused once he has heard the tone. */
export interface Treatment {
  /** Asterisk translates it into the SIP answer. */
  readonly q850: number;
  /** Whose doing it is that nobody comes. */
  readonly hangup: LegHangup;
}

/** How a leg ended: what the connection-status table is asked with. */
export interface LegEnd {
  /** Unix ms. */
  readonly at: number;
  readonly by: EndedBy;
  readonly sip?: number;
  readonly q850?: number;
  /** Our own ring timer (Asterisk's dial timeout) ended it. */
  readonly ringTimedOut?: boolean;
  readonly notStarted?: NotStarted;
  readonly nodeDied?: boolean;
}

/**
 * Our end of one Asterisk channel. A leg is ours, a channel is Asterisk's: the id is chosen by us for the legs that we
 * dial and is Asterisk's own for those that arrive.
 */
export interface Leg {
  readonly channel: string;
  /** `customer`: reached over a trunk or an inbound caller; `user`: a phone of the company's own. */
  readonly kind: 'customer' | 'user';
  readonly direction: 'outbound' | 'inbound';
  readonly state: LegState;
  /** Asterisk dial string; absent on an inbound leg. */
  readonly endpoint?: string;
  readonly trunk?: string;
  readonly callerId?: string;
  /** Seconds. */
  readonly ringTimeout?: number;
  /** It is dialled once, whatever dies meanwhile (once.ts). */
  readonly once?: true;
  /** Of such a leg: its dial goes out, or has gone; `perhaps`: whoever was to send it is gone, and it may not have. */
  readonly sent?: 'yes' | 'perhaps';
  /** Unix ms of each step, as the seed's `…Uepoch` fields want them. */
  readonly startedAt?: number;
  readonly progressAt?: number;
  readonly answeredAt?: number;
  readonly bridgedAt?: number;
  readonly lastHoldAt?: number;
  readonly earlyMedia?: boolean;
  /** Its phone is to answer by itself, and does not ring yet. */
  readonly answerWhenItRings?: boolean;
  /** Of the request that has its phone answer, if it gave one. */
  readonly answerReferenceID?: number;
  /** The phone itself is on hold (re-INVITE sendonly): it sends no voice and is sent none. */
  readonly heldByPhone?: boolean;
  /** Set while an unanswered caller hears the tone that says why nobody comes. */
  readonly treatment?: Treatment;
  readonly hangup?: LegHangup;
  /** The leg has ended for this call alone: its channel goes on in another one (give-away.ts). */
  readonly given?: { readonly hearsMusic: boolean };
  readonly end?: LegEnd;
}

/**
 * Why a party was brought into the call: it decides what its ringing and its answer lead to (purposes.ts).
 *
 * - `first`: rung first, or the caller.
 * - `second`: the one whom the call was made to reach.
 * - `consult`: asked by an agent while the others wait.
 * - `transfer`: handed the call without being asked; `transfer-return`: rung again because nobody took it.
 * - `added`: rung straight into a conversation (conference.ts).
 * - `supervisor`: listens, coaches, interrupts or takes over (supervise.ts).
 * - `queued`: the one who waits, or will wait, in a queue; `queue-agent`: rung for it (queue.ts).
 * - `adopted`: came from another call, by an attended transfer on a phone (attended.ts).
 */
export type Purpose =
  | 'first'
  | 'second'
  | 'consult'
  | 'transfer'
  | 'transfer-return'
  | 'added'
  | 'supervisor'
  | 'queued'
  | 'queue-agent'
  | 'adopted';

/**
 * What the events about a party say of its relation to others, beyond who it talks to (seed 004). Set when the relation
 * begins and changed as it changes; absent fields are left to the event's own rule.
 */
export interface Relation {
  readonly thisDNRole?: DnRole;
  readonly otherDN?: string;
  readonly otherDNRole?: DnRole;
  readonly thirdDN?: string;
  readonly thirdDNRole?: DnRole;
  readonly callState?: CallState;
  /** Added to the attached data of the party's own events, such as `consultStage`. */
  readonly data?: AttachedData;
}

/** Who takes a party out of a conference, and the stage that this is (seed 004: 8 left, 9 was dropped). */
export interface Deletion {
  /** DN of whoever asked for it; the party's own where it leaves. */
  readonly by: string;
  readonly stage: Extract<ConsultStage, 8 | 9>;
}

/** One participant of a call. Parties stay listed after their release, until the call ends. */
export interface Party {
  readonly partyID: PartyID;
  readonly dn: string;
  readonly role: PartyRole;
  readonly dnRole: DnRole;
  readonly state: PartyState;
  readonly purpose: Purpose;
  readonly relation?: Relation;
  /** Of the request that brought this party in, where it was not the one that made the call. */
  readonly referenceID?: number;
  /** Who added it to the conference. */
  readonly invitedBy?: PartyID;
  /** Who takes its place in the call once it has left. */
  readonly handedTo?: PartyID;
  /** Set once a request takes it out of the conference. */
  readonly deletion?: Deletion;
  /** The queue that it waits in, or was rung for. */
  readonly thisQueue?: string;
  /** Of a queue's agent: seconds of after-call work, if he talks. */
  readonly wrapUp?: number;
  /** Number of the floor's assignment that brought the party in. */
  readonly assignment?: number;
  /** A queue's agent who did not come. */
  readonly missed?: boolean;
  /** Nobody hears it. */
  readonly muted?: boolean;
  /** Digits pressed on its phone, the last of them (dtmf.ts). Never in a log. */
  readonly digits?: string;
  /** An event has told the subscribers of this party. */
  readonly announced: boolean;
  /** EventReleased has been sent. Nothing follows for this party. */
  readonly released: boolean;
  readonly leg: Leg;
}

/** Moves a party's state. An illegal move is a defect of ours and is thrown, never sent to a client. */
export function move(party: Party, to: PartyState): Party {
  if (party.state === to) return party;
  if (!LEGAL_MOVES[party.state].includes(to)) {
    throw new Error(`party ${party.partyID}: illegal move ${party.state} -> ${to}`);
  }
  return { ...party, state: to };
}

/** True while the leg can still carry sound or become able to. */
export const isLive = (party: Party): boolean => party.leg.state !== 'ended';

/** True if the party's phone has answered and has not ended. */
export const isUp = (party: Party): boolean => party.leg.state === 'up';

/** True if we have asked Asterisk to end the leg and wait for its confirmation. */
export const isLeaving = (party: Party): boolean => party.leg.hangup !== undefined && party.leg.state !== 'ended';

/** What a new party is to the call. */
export interface PartyRoleInCall {
  readonly purpose: Purpose;
  readonly dnRole: DnRole;
  readonly role: PartyRole;
  /** Seconds. */
  readonly ringTimeout: number;
  readonly relation?: Relation;
  readonly referenceID?: number;
  readonly invitedBy?: PartyID;
}

/**
 * A party that will be dialled. Its channel's id is its partyID: chosen by us before the command, so that a repeated
 * command is harmless and a lost reply costs nothing.
 *
 * @param n its number in the call, from 1; never used twice
 */
export function plannedParty(callID: CallID, n: number, to: Destination, as: PartyRoleInCall): Party {
  const partyID = partyIDOf(callID, n);
  const { ringTimeout, ...rest } = as;
  return {
    partyID,
    dn: to.dn,
    ...rest,
    state: 'Idle',
    announced: false,
    released: false,
    leg: {
      channel: partyID,
      kind: to.kind,
      direction: 'outbound',
      state: 'planned',
      endpoint: to.endpoint,
      ringTimeout,
      ...(to.trunk !== undefined && { trunk: to.trunk }),
      ...(to.callerId !== undefined && { callerId: to.callerId }),
    },
  };
}
