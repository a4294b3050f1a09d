import type { CtiEventName } from './events.ts';

/** What each event tells. The names and fields are seed 004's, the words ours: the seed has none. */
export const EVENT_MEANINGS: Readonly<Record<CtiEventName, string>> = {
  EventCallCreated: 'a call begins',
  EventCallDeleted: 'the call is over; its last event',
  EventCallInfo: 'the parties of a call, for who asked',
  EventDialing: 'a party’s own phone is rung, or the call goes out from it',
  EventRinging: 'the called phone rings',
  EventOtherRinging: 'to the party that called: the other one rings',
  EventEstablished: 'a party is connected with another',
  EventReleased: 'a party has left the call, and how',
  EventHeld: 'the party has put the call on hold',
  EventRetrieved: 'the party has taken the call back from hold',
  EventMuted: 'the party is not heard any more',
  EventUnmuted: 'the party is heard again',
  EventAttachedDataChanged: 'the call’s data has changed, or its state in a consultation',
  EventPartyChanged: 'a party talks to somebody else now',
  EventPartyAdded: 'a party has joined the call',
  EventPartyDeleted: 'a party has left a call that goes on',
  EventDtmfSent: 'digits were sent to the other party',
  EventAgentLogin: 'an agent has logged in',
  EventAgentReady: 'the agent takes calls',
  EventAgentNotReady: 'the agent takes no calls, and why',
  EventAgentLogout: 'the agent has logged out',
  EventDelayAfterCallWork: 'after-call work is prolonged',
  EventPartyError: 'a request about a call or a supervision was refused',
  EventAgentError: 'a request about an agent was refused',
};
