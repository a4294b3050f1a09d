import { z } from 'zod';
import { AgentStatus } from './agent-status.ts';
import { AgentID, CallID, CompanyId, EventID, PartyID } from './ids.ts';
import { AttachedData } from './json.ts';
import { CallState, CallType, DnRole, MakeCallType, PartyRole } from './roles.ts';

/** The fields that events share, in the seed's spelling. Each is described once here and published from here. */

/** A moment in Unix milliseconds. The seed's 17-digit examples are errors of the seed: these are 13 digits long. */
export const Timestamp = z.int().min(0).describe('Unix time in milliseconds');

/**
 * A number in an event. Wider than what a request may name: a caller may send a name, or nothing at all (a withheld
 * number is the empty text).
 */
export const EventDn = z.string().max(128);

const Pstn = z.string().max(128);

/** On every event. `eventID` is assigned by the log. */
export const common = {
  eventID: EventID.describe('place in the company’s log; grows without end'),
  creationTime: Timestamp.describe('when it happened, Unix time in milliseconds'),
  companyId: CompanyId,
  referenceID: z.int().optional().describe('the request that caused the event; 0 or absent where none did'),
  attachedData: AttachedData.optional(),
  recovered: z.literal(true).optional().describe('made up afterwards from what a restart found'),
};

/** On an event that changes an agent's status. */
export const statusChange = { agentStatus: AgentStatus.optional().describe('the status that this event sets') };

/** On every event of a call. */
export const ofCall = {
  ...common,
  ...statusChange,
  callID: CallID,
  callType: CallType,
  ANI: Pstn.optional().describe('the PSTN number that calls; only where the PSTN is in play'),
  DNIS: Pstn.optional().describe('the PSTN number that is called; only where the PSTN is in play'),
};

/** On an event that speaks for one party: the party itself, and the party opposite where there is one. */
export const ofParty = {
  ...ofCall,
  partyID: PartyID,
  partyRole: PartyRole,
  thisDN: EventDn,
  otherDN: EventDn.optional(),
};

/** What the two numbers are to each other. */
export const dnRoles = { thisDNRole: DnRole.optional(), otherDNRole: DnRole.optional() };

/** The third number that a transfer, consultation, conference or supervision has, and the state it puts the call in. */
export const thirdParty = {
  thirdDN: EventDn.optional().describe('the third number: who transferred, added, was taken over, …'),
  thirdDNRole: DnRole.optional(),
  callState: CallState.optional(),
};

export const thisQueue = {
  thisQueue: z.string().max(64).optional().describe('the queue the call came from; empty or absent if none'),
};

export const makeCallType = { makeCallType: MakeCallType.optional() };

/** On every event of an agent. The seed allows `agentID` to be empty. */
export const ofAgent = {
  ...common,
  ...statusChange,
  agentID: z.union([AgentID, z.literal('')]),
  agentUUID: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .describe('made with the agent and never changed'),
  thisDN: EventDn.describe('the number of the agent’s phone'),
  thisQueues: z.array(z.string().max(64)).max(256).optional().describe('the queues that the agent is logged in to'),
};
