import type { Supervise } from '../../src/calls/input.ts';
import type { AgentStatus } from '../../src/cti/agent-status.ts';
import type { CtiEventName } from '../../src/cti/events.ts';
import { BUSY, type End, NO_ANSWER } from '../unit/calls/flow.ts';

export const AGENT = '1001';
export const GUEST = '1002';
export const SUPERVISOR = '1007';
export const CUSTOMER = '919800000001';
/** An outside number that is brought into a call. */
const OUTSIDER = '919800000009';

/** What can happen in these stories: told of the pure core, and of the whole service. */
export interface Tellable {
  make(call: { agent: string; customer: string }): this;
  rings(dn: string): this;
  answers(dn: string): this;
  ends(dn: string, end?: End): this;
  consults(thisDN: string, otherDN: string): this;
  cancels(thisDN: string): this;
  retrieves(thisDN: string): this;
  transfers(thisDN: string): this;
  adds(thisDN: string, otherDN: string): this;
  deletes(thisDN: string, otherDN: string): this;
  supervises(mode: Supervise['mode'], thisDN: string, otherDN: string): this;
}

/** A status that a call gives: how it comes about, which agents have it then, and which event carries it. */
export interface StatusStory {
  readonly story: <S extends Tellable>(story: S) => S;
  readonly of: readonly string[];
  readonly carriedBy: readonly [messageID: CtiEventName, thisDN: string];
}

/** Those that no call gives: of an agent without one. */
export type Resting = 'AVAILABLE' | 'ACQUIRED' | 'PAUSED' | 'RELEASED';

/** The event that carries a status of an agent without a call. */
export const RESTING_CARRIERS: Readonly<Record<Resting, CtiEventName>> = {
  AVAILABLE: 'EventAgentReady',
  ACQUIRED: 'EventAgentLogin',
  PAUSED: 'EventAgentNotReady',
  RELEASED: 'EventAgentLogout',
};

const made = <S extends Tellable>(s: S): S => s.make({ agent: AGENT, customer: CUSTOMER });
const talking = <S extends Tellable>(s: S): S => made(s).answers(AGENT).rings(CUSTOMER).answers(CUSTOMER);
/** A colleague calls the agent. */
const called = <S extends Tellable>(s: S): S => s.make({ agent: GUEST, customer: AGENT }).answers(GUEST).rings(AGENT);
const consulted = <S extends Tellable>(s: S): S => talking(s).consults(AGENT, GUEST);
const asked = <S extends Tellable>(s: S): S => consulted(s).rings(GUEST).answers(GUEST);
const added = <S extends Tellable>(s: S, dn = GUEST): S => talking(s).adds(AGENT, dn).rings(dn);
const conference = <S extends Tellable>(s: S): S => added(s).answers(GUEST);

type Mode = Supervise['mode'];
const BOTH = [AGENT, SUPERVISOR];
const rung = <S extends Tellable>(s: S, mode: Mode): S =>
  talking(s).supervises(mode, SUPERVISOR, AGENT).rings(SUPERVISOR);
const started = (mode: Mode): StatusStory => ({
  story: (s) => rung(s, mode).answers(SUPERVISOR),
  of: BOTH,
  carriedBy: ['EventEstablished', SUPERVISOR],
});
const over = (mode: Mode, carrier: CtiEventName): StatusStory => ({
  story: (s) => rung(s, mode).answers(SUPERVISOR).ends(SUPERVISOR),
  of: BOTH,
  carriedBy: [carrier, SUPERVISOR],
});
const failed = (mode: Mode): StatusStory => ({
  story: (s) => rung(s, mode).ends(SUPERVISOR, BUSY),
  of: BOTH,
  carriedBy: ['EventReleased', SUPERVISOR],
});

/** Every status that a call gives. One that is missing here does not compile. */
export const STATUS_STORIES: { readonly [S in Exclude<AgentStatus, Resting>]: StatusStory } = {
  Dialed: { story: called, of: [AGENT], carriedBy: ['EventRinging', AGENT] },
  Connected: { story: (s) => called(s).answers(AGENT), of: [AGENT], carriedBy: ['EventEstablished', AGENT] },
  Completed: { story: (s) => talking(s).ends(AGENT), of: [AGENT], carriedBy: ['EventReleased', AGENT] },
  Missed: { story: (s) => called(s).ends(AGENT, NO_ANSWER), of: [AGENT], carriedBy: ['EventReleased', AGENT] },

  UserCallDialed: {
    story: (s) => made(s).answers(AGENT).rings(CUSTOMER),
    of: [AGENT],
    carriedBy: ['EventOtherRinging', AGENT],
  },
  UserCallConnected: { story: talking, of: [AGENT], carriedBy: ['EventEstablished', AGENT] },
  UserCallCompleted: {
    story: (s) => talking(s).ends(CUSTOMER),
    of: [AGENT],
    carriedBy: ['EventReleased', CUSTOMER],
  },
  UserCallFailed: {
    story: (s) => made(s).answers(AGENT).rings(CUSTOMER).ends(CUSTOMER, BUSY),
    of: [AGENT],
    carriedBy: ['EventReleased', CUSTOMER],
  },

  ConsultationDialed: { story: consulted, of: [AGENT], carriedBy: ['EventAttachedDataChanged', AGENT] },
  ConsultationConnected: { story: asked, of: [AGENT], carriedBy: ['EventAttachedDataChanged', AGENT] },
  ConsultationCompleted: {
    story: (s) => asked(s).ends(GUEST),
    of: [AGENT],
    carriedBy: ['EventAttachedDataChanged', AGENT],
  },
  ConsultationMissed: {
    story: (s) => consulted(s).rings(GUEST).ends(GUEST, NO_ANSWER),
    of: [AGENT],
    carriedBy: ['EventAttachedDataChanged', AGENT],
  },
  ConsultationFailed: {
    story: (s) => consulted(s).ends(GUEST, BUSY),
    of: [AGENT],
    carriedBy: ['EventAttachedDataChanged', AGENT],
  },
  ConsultationReleased: {
    story: (s) => asked(s).retrieves(AGENT).ends(GUEST),
    of: [AGENT],
    carriedBy: ['EventAttachedDataChanged', AGENT],
  },
  ConsultationGuestDialed: {
    story: (s) => consulted(s).rings(GUEST),
    of: [GUEST],
    carriedBy: ['EventRinging', GUEST],
  },
  ConsultationGuestConnected: { story: asked, of: [GUEST], carriedBy: ['EventEstablished', GUEST] },
  ConsultationGuestCompleted: {
    story: (s) => asked(s).ends(GUEST),
    of: [GUEST],
    carriedBy: ['EventReleased', GUEST],
  },
  ConsultationGuestMissed: {
    story: (s) => consulted(s).rings(GUEST).ends(GUEST, NO_ANSWER),
    of: [GUEST],
    carriedBy: ['EventReleased', GUEST],
  },
  ConsultationGuestReleased: {
    story: (s) => consulted(s).rings(GUEST).cancels(AGENT).ends(GUEST),
    of: [GUEST],
    carriedBy: ['EventReleased', GUEST],
  },

  // No event speaks for the host while a third is rung: that of an outside number carries the host's status.
  ConferenceDialed: { story: (s) => added(s, OUTSIDER), of: [AGENT], carriedBy: ['EventRinging', OUTSIDER] },
  ConferenceConnected: { story: conference, of: [AGENT], carriedBy: ['EventPartyAdded', AGENT] },
  ConferenceCompleted: {
    story: (s) => conference(s).ends(GUEST),
    of: [AGENT],
    carriedBy: ['EventPartyDeleted', AGENT],
  },
  ConferenceMissed: {
    story: (s) => added(s, OUTSIDER).ends(OUTSIDER, NO_ANSWER),
    of: [AGENT],
    carriedBy: ['EventReleased', OUTSIDER],
  },
  ConferenceFailed: {
    story: (s) => talking(s).adds(AGENT, OUTSIDER).ends(OUTSIDER, BUSY),
    of: [AGENT],
    carriedBy: ['EventReleased', OUTSIDER],
  },
  ConferenceReleased: {
    story: (s) => conference(s).deletes(AGENT, GUEST).ends(GUEST),
    of: [AGENT],
    carriedBy: ['EventPartyDeleted', AGENT],
  },
  ConferenceGuestDialed: { story: added, of: [GUEST], carriedBy: ['EventRinging', GUEST] },
  ConferenceGuestConnected: { story: conference, of: [GUEST], carriedBy: ['EventEstablished', GUEST] },
  ConferenceGuestCompleted: {
    story: (s) => conference(s).ends(GUEST),
    of: [GUEST],
    carriedBy: ['EventReleased', GUEST],
  },
  ConferenceGuestMissed: {
    story: (s) => added(s).ends(GUEST, NO_ANSWER),
    of: [GUEST],
    carriedBy: ['EventReleased', GUEST],
  },
  ConferenceGuestReleased: {
    story: (s) => conference(s).deletes(AGENT, GUEST).ends(GUEST),
    of: [GUEST],
    carriedBy: ['EventReleased', GUEST],
  },
  HostDisconnected: {
    story: (s) => asked(s).transfers(AGENT).ends(AGENT),
    of: [GUEST],
    carriedBy: ['EventPartyChanged', GUEST],
  },

  BargeinStarted: started('bargein'),
  BargeinEnded: over('bargein', 'EventPartyDeleted'),
  BargeinFailed: failed('bargein'),
  WhisperStarted: started('whisper'),
  WhisperEnded: over('whisper', 'EventReleased'),
  WhisperFailed: failed('whisper'),
  MonitorStarted: started('monitor'),
  MonitorEnded: over('monitor', 'EventReleased'),
  MonitorFailed: failed('monitor'),
};
