import type { Call } from '../calls/call.ts';
import { callStateOf } from '../calls/conference.ts';
import type { Party } from '../calls/party.ts';
import { ERRORS, type ErrorKey, errorEventOf, type Refusal } from '../cti/errors.ts';
import type { NewCtiEvent } from '../cti/events.ts';
import type { AgentID, CompanyId } from '../cti/ids.ts';
import type { ResultOf } from '../cti/requests.ts';
import { agentUUID } from './agent-uuid.ts';

/** How calls and refusals are shown to those who ask. */

/** When a party came into the call, Unix ms. */
const since = (call: Call, party: Party): number => party.leg.startedAt ?? call.startedAt;

/** RequestGetCallInfo: the fields of EventCallInfo. */
export function callInfo(call: Call, referenceID: number, now: number): ResultOf<'RequestGetCallInfo'> {
  return {
    messageID: 'EventCallInfo',
    referenceID,
    companyId: call.companyId,
    callID: call.callID,
    callType: call.callType,
    thisDN: call.thisDN,
    parties: call.parties
      .filter((p) => p.leg.state !== 'planned')
      .map((p) => ({ thisDN: p.dn, DNRole: p.dnRole, createTime: since(call, p) })),
    ...(call.ANI !== undefined && { ANI: call.ANI }),
    ...(call.DNIS !== undefined && { DNIS: call.DNIS }),
    attachedData: { ...call.attachedData },
    creationTime: now,
  };
}

type Summary = ResultOf<'RequestListCalls'>['calls'][number];

/** A live call as RequestListCalls answers it. */
export function callSummary(call: Call): Summary {
  return {
    callID: call.callID,
    callType: call.callType,
    callState: call.consult ? 'Consult' : callStateOf(call),
    creationTime: call.startedAt,
    ...(call.ANI !== undefined && { ANI: call.ANI }),
    ...(call.DNIS !== undefined && { DNIS: call.DNIS }),
    attachedData: { ...call.attachedData },
    parties: call.parties
      .filter((p) => p.leg.state !== 'planned' && p.leg.state !== 'ended')
      .map((p) => ({
        partyID: p.partyID,
        partyRole: p.role,
        thisDN: p.dn,
        DNRole: p.dnRole,
        partyState: p.state,
        createTime: since(call, p),
      })),
  };
}

/** What a refused request named; only what has the type that the event wants is told. */
export interface RefusedRequest {
  readonly callID?: unknown;
  readonly thisDN?: unknown;
  readonly agentID?: unknown;
  readonly thisQueues?: unknown;
  readonly referenceID?: unknown;
}

/** The event that publishes a refusal: EventPartyError or EventAgentError; undefined for JSON-RPC's own codes. */
export function refusalEvent(
  companyId: CompanyId,
  method: string,
  request: RefusedRequest,
  refusal: Refusal,
  now: number,
): NewCtiEvent | undefined {
  const kind = errorEventOf(refusal.code);
  if (kind === undefined) return undefined;
  const text = (value: unknown, max: number) => (typeof value === 'string' && value.length <= max ? value : undefined);
  const callID = text(request.callID, 64);
  const thisDN = text(request.thisDN, 128);
  const agentID = text(request.agentID, 64);
  const common = {
    referenceID: Number.isSafeInteger(request.referenceID) ? Number(request.referenceID) : 0,
    companyId,
    ...(thisDN !== undefined && { thisDN }),
    errorMessage: refusal.name,
    request: method,
    creationTime: now,
  };
  if (kind === 'EventAgentError') {
    return {
      messageID: kind,
      ...common,
      ...(agentID !== undefined && { agentID: agentID as AgentID, agentUUID: agentUUID(companyId, agentID) }),
      ...(isQueueList(request.thisQueues) && { thisQueues: request.thisQueues }),
      errorCode: refusal.code,
    };
  }
  return { messageID: kind, ...common, ...(callID !== undefined && { callID }), errorCode: refusal.code };
}

/** The queues of a login, where they have the shape that the event wants. */
const isQueueList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= 256 && value.every((q) => typeof q === 'string' && q.length <= 64);

/** The key's code, for those who count refusals. */
export const codeOf = (key: ErrorKey): number => ERRORS[key].code;
