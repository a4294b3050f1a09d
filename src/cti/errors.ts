import type { JsonValue } from './json.ts';

/** What a code is about, which decides the event that publishes the refusal. */
export type ErrorSubject = 'party' | 'agent' | 'supervisor' | 'rpc';

interface ErrorEntry {
  readonly code: number;
  /** The name on the wire (JSON-RPC `message`, `errorMessage`). */
  readonly name: string;
  readonly subject: ErrorSubject;
  readonly meaning: string;
}

const party = (code: number, name: string, meaning: string): ErrorEntry => ({ code, name, subject: 'party', meaning });
const agent = (code: number, name: string, meaning: string): ErrorEntry => ({ code, name, subject: 'agent', meaning });
const supervisor = (code: number, name: string, meaning: string): ErrorEntry => ({
  code,
  name,
  subject: 'supervisor',
  meaning,
});
const rpc = (code: number, name: string, meaning: string): ErrorEntry => ({ code, name, subject: 'rpc', meaning });

/**
 * Every refusal by its key. The codes 30xxxx and their names are seed 004's, the meanings ours. The key is the name,
 * save where the seed gives one name to three codes (`Unknown`).
 */
export const ERRORS = {
  Unknown: party(
    301000,
    'Unknown',
    'the request could not be worked out: a defect of the service or of what it has stored; nothing was changed',
  ),
  AgentMonitoredBy: party(301001, 'AgentMonitoredBy', 'the agent is already monitored by another supervisor'),
  SupervisorMonitoring: party(301002, 'SupervisorMonitoring', 'the supervisor is already monitoring'),
  SupervisorInCall: party(301003, 'SupervisorInCall', 'the supervisor is in a call'),
  NotFoundCallID: party(301004, 'NotFoundCallID', 'the company has no live call with this callID'),
  InvalidCallType: party(301005, 'InvalidCallType', 'the request does not apply to a call of this type'),
  InvalidAgentState: party(301006, 'InvalidAgentState', 'the agent’s or the party’s state does not allow the request'),
  CallHasObserver: party(301007, 'CallHasObserver', 'the call is already observed'),
  ConferenceToTransfer: party(301008, 'ConferenceToTransfer', 'a conference cannot be transferred in this way'),
  TargetPartyIsSelf: party(301009, 'TargetPartyIsSelf', 'otherDN is the acting party itself'),
  HeldInProcess: party(301010, 'HeldInProcess', 'the call is on hold, or being held or retrieved'),
  NotFoundOtherParty: party(301011, 'NotFoundOtherParty', 'otherDN is no party of the call'),
  TargetPartyInCall: party(301012, 'TargetPartyInCall', 'otherDN is already in a call'),
  PartyIsObserver: party(301013, 'PartyIsObserver', 'the party only observes and cannot do this'),
  NotFoundAgent: party(301014, 'NotFoundAgent', 'no agent is logged in under this number'),
  CustomerAddByConference: party(
    301015,
    'CustomerAddByConference',
    'a customer who was brought in by conference cannot be used so',
  ),
  NotFoundParty: party(301016, 'NotFoundParty', 'thisDN is no party of the call'),
  NotEnoughMeetmeRoom: party(301017, 'NotEnoughMeetmeRoom', 'the conference is full, or no further one can be opened'),
  InvalidParams: party(301018, 'InvalidParams', 'the parameters fail their schema; data.issues lists path and reason'),
  PBXError: party(301019, 'PBXError', 'Asterisk refused, failed or does not answer; what the request began is undone'),
  CTIException: party(301020, 'CTIException', 'the service could not store the change, or read what it was asked for'),
  NotFoundChannel: party(301021, 'NotFoundChannel', 'there is no way on which otherDN could be reached'),
  SocketToJSon: party(
    301022,
    'SocketToJSon',
    'the message is no JSON or no JSON-RPC request; the answer is -32700 or -32600, with this code in its data',
  ),
  MessageIDNotMatch: party(
    301025,
    'MessageIDNotMatch',
    'the message’s name is not known, or it answers what nobody asked; the answer is -32601 or -32600, with this code in its data',
  ),
  RegisterDNNotMatch: party(301026, 'RegisterDNNotMatch', 'thisDN is not the number that the agent logged in with'),
  RequestTooFast: party(301027, 'RequestTooFast', 'over the rate or the limit that is granted; try again later'),

  UnknownAgentError: agent(302000, 'Unknown', 'the agent request failed for a reason that no other code names'),
  NotFoundAgentID: agent(302001, 'NotFoundAgentID', 'the company has no such agent logged in'),

  UnknownSupervisorError: supervisor(303000, 'Unknown', 'supervision failed for a reason that no other code names'),
  AgentIsInBargedInScene: supervisor(303001, 'AgentIsInBargedInScene', 'the agent’s call is being interrupted'),
  AgentIsInMonitorScene: supervisor(303002, 'AgentIsInMonitorScene', 'the agent is being monitored'),
  AgentIsInInterceptScene: supervisor(303003, 'AgentIsInInterceptScene', 'the agent’s call is being taken away'),
  AgentIsInConsultScene: supervisor(303004, 'AgentIsInConsultScene', 'the agent is in a consultation'),
  AgentIsInConferenceScene: supervisor(303005, 'AgentIsInConferenceScene', 'the agent is in a conference'),

  ParseError: rpc(-32700, 'Parse error', 'the body is not JSON (JSON-RPC 2.0)'),
  InvalidRequest: rpc(-32600, 'Invalid Request', 'the JSON is not a JSON-RPC request (JSON-RPC 2.0)'),
  MethodNotFound: rpc(-32601, 'Method not found', 'there is no such method (JSON-RPC 2.0)'),
  Forbidden: rpc(-32003, 'Forbidden', 'the key does not have the scope that the method needs'),
  EventsExpired: rpc(-32010, 'EventsExpired', 'the log no longer holds the events after the id that was given'),
  NotReady: rpc(-32011, 'NotReady', 'the service is starting, draining or without its Redis; nothing was begun'),
} as const satisfies Record<string, ErrorEntry>;

/** The key of a refusal in `ERRORS`. */
export type ErrorKey = keyof typeof ERRORS;

/** A request that was refused, as a value: what the client is answered with and what the error event carries. */
export interface Refusal {
  readonly code: number;
  /** The seed's name of the code. */
  readonly name: string;
  readonly data?: { readonly [key: string]: JsonValue };
}

/** Makes a refusal. `data` goes to the client: nothing in it may be secret. */
export function refuse(key: ErrorKey, data?: { readonly [key: string]: JsonValue }): Refusal {
  const { code, name } = ERRORS[key];
  return data === undefined ? { code, name } : { code, name, data };
}

const BY_CODE = new Map<number, ErrorKey>(
  Object.entries(ERRORS).map(([key, entry]) => [entry.code, key as ErrorKey] as const),
);

/** The key of a code, or undefined for a code that is not ours. */
export function errorKeyOf(code: number): ErrorKey | undefined {
  return BY_CODE.get(code);
}

/** The event that publishes a refusal: 302xxx EventAgentError, 301xxx and 303xxx EventPartyError, JSON-RPC's own none. */
export function errorEventOf(code: number): 'EventPartyError' | 'EventAgentError' | undefined {
  if (code >= 302000 && code < 303000) return 'EventAgentError';
  return code >= 301000 && code < 304000 ? 'EventPartyError' : undefined;
}
