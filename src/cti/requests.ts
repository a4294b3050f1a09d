import { z } from 'zod';
import { DtmfDigits, EventCallInfo } from './call-events.ts';
import { Timestamp } from './event-fields.ts';
import { CTI_EVENT_NAMES } from './events.ts';
import { AgentID, CallID, PartyID } from './ids.ts';
import { AttachedData, GivenAttachedData } from './json.ts';
import {
  Accepted,
  AgentInfo,
  AgentStateName,
  actingParty,
  byAgent,
  CallSummary,
  Dn,
  NAMES_NOBODY,
  namesAgent,
  QueueID,
  RequestedCallID,
  referenceID,
} from './request-fields.ts';
import { AgentState, CallType, MakeCallType, PhoneType, ReasonCode } from './roles.ts';

/** What a key may be allowed to do. */
export const Scope = z.enum(['call', 'agent', 'supervise', 'dial', 'read', 'admin']);
export type Scope = z.infer<typeof Scope>;

/** One method of the RPC: what validates it, what documents it, and who may call it. */
export interface Method<Params extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  readonly summary: string;
  readonly params: Params;
  readonly result: Result;
  readonly scope: Scope;
  /** websocket: only there, because its outcome is a stream of notifications. any: HTTP as well. */
  readonly carrier: 'any' | 'websocket';
}

function method<Params extends z.ZodType, Result extends z.ZodType>(
  scope: Scope,
  summary: string,
  params: Params,
  result: Result,
  carrier: Method['carrier'] = 'any',
): Method<Params, Result> {
  return { scope, summary, params, result, carrier };
}

const party = z.strictObject(actingParty);
const partyAndOther = z.strictObject({ ...actingParty, otherDN: Dn });
const recorded = z.strictObject({ ...referenceID, callID: RequestedCallID, thisDN: Dn.optional() });
const agent = z.strictObject(byAgent).refine(namesAgent, NAMES_NOBODY);
const agentWithReason = z
  .strictObject({ ...byAgent, reasonCode: ReasonCode.optional() })
  .refine(namesAgent, NAMES_NOBODY);

const newParty = z.strictObject({ partyID: PartyID });
const recording = z.strictObject({ recordUUID: z.string() });

/**
 * Every method of the internal RPC. The RPC validates with it, and the OpenRPC document is generated from it
 * (params with `io: 'input'`). Unknown keys are refused everywhere.
 */
export const METHODS = {
  RequestMakeCall: method(
    'call',
    'Places a call from thisDN to otherDN',
    z.strictObject({
      ...referenceID,
      thisDN: Dn,
      otherDN: Dn,
      makeCallType: MakeCallType.default('Regular'),
      firstLeg: z.enum(['agent', 'customer']).default('agent').describe('whose phone is rung first'),
      callType: z.enum(['Outbound', 'Internal']).optional().describe('told from otherDN if absent'),
      ANI: Dn.optional().describe('the number to show; the trunk’s caller id if absent'),
      ringTimeout: z
        .int()
        .min(1)
        .max(600)
        .optional()
        .describe('seconds; the service’s (30 unless configured) if absent'),
      attachedData: GivenAttachedData.optional(),
      recording: z.boolean().optional().describe('record from the moment both are bridged'),
    }),
    z.strictObject({ callID: CallID, partyID: PartyID }),
  ),
  RequestAnswerCall: method('call', 'Answers the call that rings on thisDN', party, Accepted),
  RequestReleaseCall: method('call', 'The party leaves; a call of two ends', party, Accepted),
  RequestClearCall: method(
    'call',
    'Everybody leaves',
    z.strictObject({ ...referenceID, callID: RequestedCallID }),
    Accepted,
  ),
  RequestHoldCall: method('call', 'Puts the others on hold', party, Accepted),
  RequestRetrieveCall: method('call', 'Takes the call back from hold', party, Accepted),
  RequestMuteCall: method('call', 'Nobody hears the party', party, Accepted),
  RequestUnmuteCall: method('call', 'The party is heard again', party, Accepted),
  RequestSendDtmf: method(
    'call',
    'Sends DTMF to the party opposite',
    z.strictObject({ ...actingParty, dtmfDigits: DtmfDigits }),
    Accepted,
  ),
  RequestUpdateAttachedData: method(
    'call',
    'Merges keys into the call’s attached data; null deletes a key',
    z.strictObject({
      ...referenceID,
      callID: RequestedCallID,
      thisDN: Dn.optional(),
      attachedData: GivenAttachedData,
    }),
    z.strictObject({ attachedData: AttachedData }),
  ),
  RequestSingleStepTransfer: method('call', 'Hands the call to otherDN without asking first', partyAndOther, Accepted),
  RequestInitiateConsult: method(
    'call',
    'Asks otherDN while the customer waits with music',
    z.strictObject({ ...actingParty, otherDN: Dn, attachedData: GivenAttachedData.optional() }),
    newParty,
  ),
  RequestCancelConsult: method('call', 'Gives the consultation up before an answer (stage 3)', party, Accepted),
  RequestRetrieveConsult: method(
    'call',
    'Drops the consulted party and takes the customer back (stage 5)',
    party,
    Accepted,
  ),
  RequestTransferConsult: method('call', 'Hands the call to the consulted party (stage 6)', party, Accepted),
  RequestConferenceConsult: method('call', 'Makes the consultation a conference (stage 7)', party, Accepted),
  RequestSingleStepConference: method('call', 'Rings otherDN straight into the call', partyAndOther, newParty),
  RequestDeleteFromConference: method(
    'call',
    'Takes otherDN out of the conference; thisDN itself leaves where both are the same (stages 8 and 9)',
    partyAndOther,
    Accepted,
  ),
  RequestIntercept: method('supervise', 'thisDN takes the call away from otherDN', partyAndOther, newParty),
  RequestBargein: method('supervise', 'thisDN joins otherDN’s call and is heard by all', partyAndOther, newParty),
  RequestMonitor: method('supervise', 'thisDN listens to otherDN’s call', partyAndOther, newParty),
  RequestWhisper: method(
    'supervise',
    'thisDN speaks to otherDN alone; the customer does not hear',
    partyAndOther,
    newParty,
  ),
  RequestStopSupervision: method('supervise', 'Ends what thisDN supervises in the call', party, Accepted),
  RequestStartRecording: method('call', 'Starts recording', recorded, recording),
  RequestStopRecording: method('call', 'Ends recording', recorded, recording),
  RequestPauseRecording: method('call', 'Pauses recording', recorded, recording),
  RequestResumeRecording: method('call', 'Goes on recording', recorded, recording),
  RequestGetCallInfo: method(
    'read',
    'The call’s parties and data, with the fields of EventCallInfo',
    z.strictObject({ ...referenceID, callID: RequestedCallID }),
    EventCallInfo.omit({ eventID: true }),
  ),
  RequestListCalls: method(
    'read',
    'The company’s live calls, page by page',
    z.strictObject({
      ...referenceID,
      thisDN: Dn.optional(),
      callType: CallType.optional(),
      limit: z.int().min(1).max(1000).default(100),
      cursor: z
        .string()
        .regex(/^\d{15}-[0-9a-f]{32}\d{3}$/, 'must be the cursor of an answer before')
        .optional()
        .describe('from the answer before; absent for the first page'),
    }),
    z.strictObject({
      calls: z.array(CallSummary),
      cursor: z.string().optional().describe('for the next page; absent on the last'),
    }),
  ),
  RequestAgentLogin: method(
    'agent',
    'Logs an agent in on a phone',
    z.strictObject({
      ...referenceID,
      agentID: AgentID,
      thisDN: Dn,
      thisQueues: z.array(QueueID).max(256).optional(),
      phoneType: PhoneType.optional(),
      agentState: AgentState.optional().describe('1 Ready, 2 NotReady'),
      reasonCode: ReasonCode.optional(),
    }),
    AgentInfo,
  ),
  RequestAgentReady: method('agent', 'The agent takes calls', agentWithReason, AgentInfo),
  RequestAgentNotReady: method('agent', 'The agent takes no calls', agentWithReason, AgentInfo),
  RequestAgentLogout: method('agent', 'Logs the agent out', agent, AgentInfo),
  RequestDelayAfterCallWork: method(
    'agent',
    'Lets after-call work end so many seconds from now',
    z.strictObject({ ...byAgent, seconds: z.int().min(1).max(86_400) }).refine(namesAgent, NAMES_NOBODY),
    z.strictObject({ expirationTime: Timestamp }),
  ),
  RequestListAgents: method(
    'read',
    'The company’s agents',
    z.strictObject({ ...referenceID, state: AgentStateName.optional(), queue: QueueID.optional() }),
    z.strictObject({ agents: z.array(AgentInfo) }),
  ),
  Subscribe: method(
    'read',
    'Sends the company’s events as notifications, from now or from after an event',
    z.strictObject({
      ...referenceID,
      events: z.array(z.enum(CTI_EVENT_NAMES)).min(1).max(CTI_EVENT_NAMES.length).optional(),
      callID: RequestedCallID.optional(),
      thisDN: Dn.optional(),
      after: z.int().min(0).optional().describe('an eventID: everything later than it is replayed first'),
    }),
    z.strictObject({ subscriptionID: z.string(), lastEventID: z.int().min(0) }),
    'websocket',
  ),
  Unsubscribe: method(
    'read',
    'Ends a subscription',
    z.strictObject({ ...referenceID, subscriptionID: z.string().max(64) }),
    Accepted,
    'websocket',
  ),
} as const satisfies Record<string, Method>;

/** The name of a method. */
export type MethodName = keyof typeof METHODS;

/** The names of all methods. */
export const METHOD_NAMES = Object.keys(METHODS) as [MethodName, ...MethodName[]];

/** Whether a text names a method of ours; `toString` and its like do not. */
export function isMethodName(text: string): text is MethodName {
  return Object.hasOwn(METHODS, text);
}

/** A method's params after validation, defaults filled in. */
export type ParamsOf<Name extends MethodName> = z.output<(typeof METHODS)[Name]['params']>;

/** A method's params as a client gives them. */
export type GivenParamsOf<Name extends MethodName> = z.input<(typeof METHODS)[Name]['params']>;

/** A method's result. */
export type ResultOf<Name extends MethodName> = z.output<(typeof METHODS)[Name]['result']>;
