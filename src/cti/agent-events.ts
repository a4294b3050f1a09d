import { z } from 'zod';
import { ofAgent, Timestamp } from './event-fields.ts';
import { CallID, PartyID } from './ids.ts';
import { AgentState, PhoneType, ReasonCode } from './roles.ts';

/** The events of agents (seed 004). */

/** The agent logged in, Ready (1) or NotReady (2). */
export const EventAgentLogin = z.strictObject({
  messageID: z.literal('EventAgentLogin'),
  ...ofAgent,
  phoneType: PhoneType.optional(),
  agentState: AgentState,
  reasonCode: ReasonCode.optional(),
});

/** The agent takes calls. */
export const EventAgentReady = z.strictObject({
  messageID: z.literal('EventAgentReady'),
  ...ofAgent,
  reasonCode: ReasonCode.optional(),
});

/**
 * The agent takes no calls. In after-call work (reasonCode 4) `attachedData.loginState` tells what the agent was
 * before it: "1" online, "2" do not disturb.
 */
export const EventAgentNotReady = z.strictObject({
  messageID: z.literal('EventAgentNotReady'),
  ...ofAgent,
  reasonCode: ReasonCode,
});

/** The agent logged out. */
export const EventAgentLogout = z.strictObject({
  messageID: z.literal('EventAgentLogout'),
  ...ofAgent,
});

/** After-call work was given another end. The seed's `partyId` is an error of the seed: `partyID`. */
export const EventDelayAfterCallWork = z.strictObject({
  messageID: z.literal('EventDelayAfterCallWork'),
  ...ofAgent,
  callID: CallID.optional(),
  partyID: PartyID.optional(),
  expirationTime: Timestamp.describe('when after-call work ends by itself, ms'),
});
