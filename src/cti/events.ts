import { z } from 'zod';
import * as agents from './agent-events.ts';
import * as calls from './call-events.ts';
import * as errors from './error-events.ts';

/** The 24 CTI events of seed 004. The schemas are published as JSON Schema and type the events in the code. */

export * from './agent-events.ts';
export * from './call-events.ts';
export * from './error-events.ts';

/** Every event's schema by its name (`messageID`). */
export const EVENT_SCHEMAS = {
  EventCallCreated: calls.EventCallCreated,
  EventCallDeleted: calls.EventCallDeleted,
  EventCallInfo: calls.EventCallInfo,
  EventDialing: calls.EventDialing,
  EventRinging: calls.EventRinging,
  EventOtherRinging: calls.EventOtherRinging,
  EventEstablished: calls.EventEstablished,
  EventReleased: calls.EventReleased,
  EventHeld: calls.EventHeld,
  EventRetrieved: calls.EventRetrieved,
  EventMuted: calls.EventMuted,
  EventUnmuted: calls.EventUnmuted,
  EventAttachedDataChanged: calls.EventAttachedDataChanged,
  EventPartyChanged: calls.EventPartyChanged,
  EventPartyAdded: calls.EventPartyAdded,
  EventPartyDeleted: calls.EventPartyDeleted,
  EventDtmfSent: calls.EventDtmfSent,
  EventAgentLogin: agents.EventAgentLogin,
  EventAgentReady: agents.EventAgentReady,
  EventAgentNotReady: agents.EventAgentNotReady,
  EventAgentLogout: agents.EventAgentLogout,
  EventDelayAfterCallWork: agents.EventDelayAfterCallWork,
  EventPartyError: errors.EventPartyError,
  EventAgentError: errors.EventAgentError,
} as const;

/** The name of an event. */
export type CtiEventName = keyof typeof EVENT_SCHEMAS;

/** The names of all events, in the seed's order of subjects: calls, agents, errors. */
export const CTI_EVENT_NAMES = Object.keys(EVENT_SCHEMAS) as [CtiEventName, ...CtiEventName[]];

/** Any event, as subscribers receive it. */
export const CtiEvent = z.discriminatedUnion('messageID', [
  calls.EventCallCreated,
  calls.EventCallDeleted,
  calls.EventCallInfo,
  calls.EventDialing,
  calls.EventRinging,
  calls.EventOtherRinging,
  calls.EventEstablished,
  calls.EventReleased,
  calls.EventHeld,
  calls.EventRetrieved,
  calls.EventMuted,
  calls.EventUnmuted,
  calls.EventAttachedDataChanged,
  calls.EventPartyChanged,
  calls.EventPartyAdded,
  calls.EventPartyDeleted,
  calls.EventDtmfSent,
  agents.EventAgentLogin,
  agents.EventAgentReady,
  agents.EventAgentNotReady,
  agents.EventAgentLogout,
  agents.EventDelayAfterCallWork,
  errors.EventPartyError,
  errors.EventAgentError,
]);
export type CtiEvent = z.infer<typeof CtiEvent>;

/** The event of one name, or of several: `EventOf<'EventHeld'>`. */
export type EventOf<Name extends CtiEventName> = Extract<CtiEvent, { messageID: Name }>;

type WithoutID<Event> = Event extends unknown ? Omit<Event, 'eventID'> : never;

/** An event before the log has given it its place: without `eventID`. */
export type NewCtiEvent = WithoutID<CtiEvent>;

/** The new event of one name. */
export type NewEventOf<Name extends CtiEventName> = WithoutID<EventOf<Name>>;
