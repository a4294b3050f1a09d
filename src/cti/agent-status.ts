import { z } from 'zod';

/**
 * When each of seed 000's 44 agent statuses applies. The seed lists the names without a word; the meanings are ours.
 * Host is the agent whose call it is, guest the one brought in.
 */
export const AGENT_STATUSES = {
  AVAILABLE: 'logged in and Ready, no call',
  ACQUIRED: 'reserved for or taken by a call',
  PAUSED: 'NotReady: break, do not disturb or after-call work',
  RELEASED: 'logged out',
  Dialed: 'our call rings the agent’s phone',
  Connected: 'the agent’s phone answered',
  Completed: 'an answered agent leg ended',
  Missed: 'the agent’s phone rang and was never answered',
  UserCallDialed: 'the customer leg of the agent’s own call is dialled',
  UserCallConnected: 'the customer leg of the agent’s own call is answered and bridged',
  UserCallCompleted: 'the customer leg of the agent’s own call ended after it was answered and bridged',
  UserCallFailed: 'the customer leg of the agent’s own call ended before it was answered and bridged',
  ConsultationDialed: 'host: the consulted party is dialled',
  ConsultationConnected: 'host: the consulted party answers',
  ConsultationCompleted: 'host: the consultation ends after an answer',
  ConsultationMissed: 'host: the consulted party rings out',
  ConsultationFailed: 'host: the consulted party cannot be reached',
  ConsultationReleased: 'host: the host drops the consultation',
  ConsultationGuestDialed: 'guest: the consulted agent is dialled',
  ConsultationGuestConnected: 'guest: the consulted agent answers',
  ConsultationGuestCompleted: 'guest: the consultation ends after an answer',
  ConsultationGuestMissed: 'guest: the consulted agent rings out',
  ConsultationGuestReleased: 'guest: the consulted agent is dropped by the host',
  ConferenceDialed: 'host: a third party is dialled into the call',
  ConferenceConnected: 'host: the third party joins',
  ConferenceCompleted: 'host: the conference ends',
  ConferenceMissed: 'host: the third party rings out',
  ConferenceFailed: 'host: the third party cannot be reached',
  ConferenceReleased: 'host: the host drops the third party',
  ConferenceGuestDialed: 'guest: the agent is dialled into the call',
  ConferenceGuestConnected: 'guest: the agent joins',
  ConferenceGuestCompleted: 'guest: the conference ends',
  ConferenceGuestMissed: 'guest: the agent rings out',
  ConferenceGuestReleased: 'guest: the agent is dropped by the host',
  HostDisconnected: 'guest: the host left and the guest stays on the call',
  BargeinStarted: 'supervisor and supervised agent: interrupting is established',
  BargeinEnded: 'supervisor and supervised agent: interrupting is over',
  BargeinFailed: 'supervisor and supervised agent: interrupting could not be set up',
  WhisperStarted: 'supervisor and supervised agent: coaching is established',
  WhisperEnded: 'supervisor and supervised agent: coaching is over',
  WhisperFailed: 'supervisor and supervised agent: coaching could not be set up',
  MonitorStarted: 'supervisor and supervised agent: monitoring is established',
  MonitorEnded: 'supervisor and supervised agent: monitoring is over',
  MonitorFailed: 'supervisor and supervised agent: monitoring could not be set up',
} as const;

export type AgentStatus = keyof typeof AGENT_STATUSES;

/** An agent status, as events and the agent's record carry it. */
export const AgentStatus = z.enum(Object.keys(AGENT_STATUSES) as [AgentStatus, ...AgentStatus[]]);
