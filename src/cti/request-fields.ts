import { z } from 'zod';
import { AgentStatus } from './agent-status.ts';
import { Timestamp } from './event-fields.ts';
import { AgentID, CallID, PartyID } from './ids.ts';
import { AttachedData } from './json.ts';
import { AgentState, CallState, CallType, DnRole, PartyRole, PartyState, PhoneType, ReasonCode } from './roles.ts';

/** The parts that the requests' params and results are made of. */

/**
 * A number that a request may name: an extension, a telephone number or a SIP user. At most 64 characters: digits,
 * letters, `*`, `#`, and inside it `.`, `_` and `-`; a `+` only at the beginning, before a digit. Whether it is a
 * number that can be dialled is the company's number rule, which gives the leg's status, not a malformed request.
 * Everything that means something in an Asterisk dial string (`/ @ & , ; ( ) $ {}`) is kept out.
 */
export const Dn = z
  .string()
  .max(64)
  .regex(/^(?:\+[0-9]|[0-9A-Za-z*#])[0-9A-Za-z*#._-]*$/);

/**
 * A callID as a request names it. Wider than the ids we make: to the client it is opaque, and one that no call has is
 * NotFoundCallID, not InvalidParams.
 */
export const RequestedCallID = z
  .string()
  .regex(/^[0-9A-Za-z._-]{1,64}$/)
  .brand<'CallID'>();

/** The id of a queue (seed 004: `8001`, `q8001`). */
export const QueueID = z.string().regex(/^[0-9A-Za-z._-]{1,64}$/);

/** On every request: the events that it causes carry it. */
export const referenceID = { referenceID: z.int().optional() };

/** The acting party of a request. */
export const actingParty = { ...referenceID, callID: RequestedCallID, thisDN: Dn };

/** The agent that a request is about: by work number or by phone. */
export const byAgent = { ...referenceID, agentID: AgentID.optional(), thisDN: Dn.optional() };

/** Refuses the params of `byAgent` that name nobody. */
export function namesAgent(params: { agentID?: string | undefined; thisDN?: string | undefined }): boolean {
  return params.agentID !== undefined || params.thisDN !== undefined;
}

/** What `namesAgent` says to the client. */
export const NAMES_NOBODY = { error: 'agentID or thisDN is needed', path: ['agentID'] };

/** The result of requests whose outcome arrives as events. */
export const Accepted = z.strictObject({});

/** The states of seed 004's agent machine. */
export const AgentStateName = z.enum(['Logout', 'Ready', 'NotReady']);
export type AgentStateName = z.infer<typeof AgentStateName>;

/** An agent as the agent requests answer it. */
export const AgentInfo = z.strictObject({
  agentID: AgentID,
  agentUUID: z.string().regex(/^[0-9a-f]{32}$/),
  thisDN: z.string().max(64),
  thisQueues: z.array(QueueID),
  phoneType: PhoneType.optional(),
  state: AgentStateName,
  agentState: AgentState.optional().describe('the seed’s number of the state; absent when logged out'),
  reasonCode: ReasonCode.optional(),
  stateSince: Timestamp,
  agentStatus: AgentStatus,
  agentStatusSince: Timestamp,
  callStatus: AgentStatus.optional().describe('the last status that a call gave the agent, kept when it is over'),
  callStatusSince: Timestamp.optional(),
  callID: CallID.optional().describe('the call that the agent is in, or whose after-call work goes on'),
  expirationTime: Timestamp.optional().describe('when after-call work ends by itself, ms'),
});
export type AgentInfo = z.infer<typeof AgentInfo>;

/** A live call as RequestListCalls answers it. */
export const CallSummary = z.strictObject({
  callID: CallID,
  callType: CallType,
  callState: CallState,
  creationTime: Timestamp,
  ANI: z.string().optional(),
  DNIS: z.string().optional(),
  attachedData: AttachedData.optional(),
  parties: z.array(
    z.strictObject({
      partyID: PartyID,
      partyRole: PartyRole,
      thisDN: z.string(),
      DNRole: DnRole,
      partyState: PartyState,
      createTime: Timestamp,
    }),
  ),
});
export type CallSummary = z.infer<typeof CallSummary>;
