import { z } from 'zod';
import { ConnectionStatus } from './connection-status.ts';
import { dnRoles, EventDn, makeCallType, ofCall, ofParty, Timestamp, thirdParty, thisQueue } from './event-fields.ts';
import { PartyID } from './ids.ts';
import { AttachedData } from './json.ts';
import { EarlyDetectCause, HangupCause, HangupDisposition } from './leg-ending.ts';
import { CallState, DnRole, PartyRole } from './roles.ts';

/** The events of calls and their parties (seed 004), each with exactly its fields and the additions of the contract. */

/** DTMF digits as they are sent, at most 64 at a time. */
export const DtmfDigits = z.string().regex(/^[0-9A-D*#]{1,64}$/);

/** How a leg ended, on the events that tell it. Ours, not the seed's. */
const howItEnded = {
  connectionStatus: ConnectionStatus,
  sipCode: z.int().min(100).max(699).optional().describe('the SIP status of the end; absent if none was seen'),
  q850: z.int().min(0).max(127).describe('the Q.850 cause of the end; 0 if none was given'),
};

/** The first event of a call. */
export const EventCallCreated = z.strictObject({
  messageID: z.literal('EventCallCreated'),
  ...ofCall,
  thisDN: EventDn.describe('who placed the call'),
});

/** The last event of a call. */
export const EventCallDeleted = z.strictObject({
  messageID: z.literal('EventCallDeleted'),
  ...ofCall,
  thisDN: EventDn.describe('who placed the call'),
  otherDN: EventDn.optional().describe('who was called'),
  startUepoch: Timestamp.describe('when the first leg began, ms'),
  bridgeUepoch: Timestamp.optional().describe('when two parties were first bridged, ms; absent if they never were'),
  endUepoch: Timestamp.describe('when the last leg ended, ms'),
  recordUUID: z.string().optional(),
  recordUrl: z.string().optional(),
  ...howItEnded,
});

/** The parties of a call at one moment, on request. */
export const EventCallInfo = z.strictObject({
  messageID: z.literal('EventCallInfo'),
  ...ofCall,
  thisDN: EventDn.optional().describe('who asked'),
  parties: z.array(z.strictObject({ thisDN: EventDn, DNRole: DnRole, createTime: Timestamp })),
});

/** The party that places a call: its own phone is rung, or the call goes out from it. */
export const EventDialing = z.strictObject({
  messageID: z.literal('EventDialing'),
  ...ofParty,
  ...dnRoles,
  ...makeCallType,
});

/** The party's phone rings. */
export const EventRinging = z.strictObject({
  messageID: z.literal('EventRinging'),
  ...ofParty,
  ...dnRoles,
  ...thirdParty,
  ...thisQueue,
});

/** Tells a party that the one it calls is ringing. */
export const EventOtherRinging = z.strictObject({
  messageID: z.literal('EventOtherRinging'),
  ...ofParty,
});

/** The party is in the conversation. */
export const EventEstablished = z.strictObject({
  messageID: z.literal('EventEstablished'),
  ...ofParty,
  ...dnRoles,
  ...thirdParty,
  ...thisQueue,
  ...makeCallType,
});

/** The party left. A moment that never came is absent. */
export const EventReleased = z.strictObject({
  messageID: z.literal('EventReleased'),
  ...ofParty,
  ...dnRoles,
  ...thirdParty,
  ...thisQueue,
  ...makeCallType,
  billsec: z.int().min(0).describe('billing duration, seconds'),
  answersec: z.int().min(0).describe('from start to answer, seconds'),
  startUepoch: Timestamp.describe('when the leg began, ms'),
  progressUepoch: Timestamp.optional().describe('when it first rang (180, 183), ms'),
  answerUepoch: Timestamp.optional().describe('when it was answered, ms'),
  bridgeUepoch: Timestamp.optional().describe('when it was first bridged, ms'),
  lastHoldUepoch: Timestamp.optional().describe('when it was last put on hold, ms'),
  endUepoch: Timestamp.describe('when it ended, ms'),
  hangupCause: HangupCause.describe('who hung up, else the Q.850 cause by name'),
  earlyDetectCause: EarlyDetectCause.describe('what became of the call before its answer'),
  hangupDisposition: HangupDisposition.describe('recv: the phone or the trunk ended it; send: we did'),
  recordedEarlymedia: z.boolean().optional().describe('whether early media was recorded'),
  wrapUpDuration: z.int().min(0).optional().describe('after-call work that follows, seconds; calls of a queue only'),
  ...howItEnded,
});

/** The party put the call on hold. */
export const EventHeld = z.strictObject({ messageID: z.literal('EventHeld'), ...ofParty });

/** The party took the call back from hold. */
export const EventRetrieved = z.strictObject({ messageID: z.literal('EventRetrieved'), ...ofParty });

/** The party is muted: nobody hears it. */
export const EventMuted = z.strictObject({ messageID: z.literal('EventMuted'), ...ofParty });

/** The party is heard again. */
export const EventUnmuted = z.strictObject({ messageID: z.literal('EventUnmuted'), ...ofParty });

/** The call's attached data changed, or a consultation came to another stage. Speaks for one party or for the call. */
export const EventAttachedDataChanged = z.strictObject({
  messageID: z.literal('EventAttachedDataChanged'),
  ...ofCall,
  callState: CallState.optional(),
  partyID: PartyID.optional(),
  partyRole: PartyRole.optional(),
  thisDN: EventDn.optional(),
  otherDN: EventDn.optional(),
  attachedData: AttachedData,
});

/** The party now talks to someone else, or in another way: after a transfer, on becoming a conference. */
export const EventPartyChanged = z.strictObject({
  messageID: z.literal('EventPartyChanged'),
  ...ofParty,
  ...dnRoles,
  ...thirdParty,
});

/** Someone (otherDN) joined the party's conversation. */
export const EventPartyAdded = z.strictObject({
  messageID: z.literal('EventPartyAdded'),
  ...ofParty,
  ...dnRoles,
  ...thirdParty,
});

/** Someone (otherDN) left the party's conversation. */
export const EventPartyDeleted = z.strictObject({
  messageID: z.literal('EventPartyDeleted'),
  ...ofParty,
  ...dnRoles,
  ...thirdParty,
});

/** The party sent DTMF. */
export const EventDtmfSent = z.strictObject({
  messageID: z.literal('EventDtmfSent'),
  ...ofParty,
  dtmfDigits: DtmfDigits,
});
