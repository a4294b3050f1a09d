import { z } from 'zod';
import { common, EventDn, ofAgent } from './event-fields.ts';

/** The events of refused requests (seed 004). The client that asked also has the same refusal as its answer. */

/** A request about a call or its supervision was refused: codes 301xxx and 303xxx. */
export const EventPartyError = z.strictObject({
  messageID: z.literal('EventPartyError'),
  ...common,
  // As the request named it: the id of a call that does not exist need not have the shape of one that does.
  callID: z.string().max(64).optional(),
  thisDN: EventDn.optional(),
  errorCode: z.union([z.int().min(301000).max(301999), z.int().min(303000).max(303999)]),
  errorMessage: z.string().describe('the name of the code'),
  request: z.string().describe('the method that was refused; empty where the message could not be read'),
});

/** A request about an agent was refused: codes 302xxx. */
export const EventAgentError = z.strictObject({
  messageID: z.literal('EventAgentError'),
  ...common,
  agentID: ofAgent.agentID.optional(),
  agentUUID: ofAgent.agentUUID.optional(),
  thisDN: EventDn.optional(),
  thisQueues: ofAgent.thisQueues,
  errorCode: z.int().min(302000).max(302999),
  errorMessage: z.string().describe('the name of the code'),
  request: z.string().describe('the method that was refused'),
});
