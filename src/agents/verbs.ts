import { type Refusal, refuse } from '../cti/errors.ts';
import type { AgentID, CallID } from '../cti/ids.ts';
import type { AttachedData } from '../cti/json.ts';
import { type AgentState, type PhoneType, REASON_CODES } from '../cti/roles.ts';
import { stateBefore } from './after-call.ts';
import {
  type Acquired,
  type Agent,
  type AgentTurn,
  isBusy,
  isLoggedIn,
  OWN_REASONS,
  rested,
  withStatus,
} from './agent.ts';
import { tellDelay, tellLogin, tellLogout, tellNotReady, tellReady } from './tell.ts';

/** What an agent asks for. */

/** RequestAgentLogin, its phone and queues known to be the company's. */
export interface LoginRequest {
  readonly kind: 'login';
  readonly agentID: AgentID;
  readonly agentUUID: string;
  readonly dn: string;
  /** Absent: those of the last login. */
  readonly queues?: readonly string[];
  readonly phoneType?: PhoneType;
  readonly agentState?: AgentState;
  readonly reasonCode?: number;
  /** Calls that the phone is in at this moment. */
  readonly calls: readonly CallID[];
  readonly referenceID: number;
}

/** Which agent a request is about: by work number, by phone, or by both. */
export interface Named {
  readonly agentID?: AgentID;
  readonly dn?: string;
  readonly referenceID: number;
}

/** The other requests. */
export type AgentRequest =
  | LoginRequest
  | (Named & { readonly kind: 'ready' | 'not-ready'; readonly reasonCode?: number })
  | (Named & { readonly kind: 'logout' })
  | (Named & { readonly kind: 'delay'; readonly seconds: number });

/**
 * Logs an agent in, or changes what a logged-in agent's login said. One who says no state is NotReady (seed 004: an
 * agent who has logged in takes calls once Ready).
 *
 * @param known the agent's record, if there is one
 * @param inherited a queue's call that the phone is in, or is about to be
 * @returns a refusal (RegisterDNNotMatch) where the agent is logged in on another phone
 */
export function login(
  turn: AgentTurn,
  known: Agent | undefined,
  request: LoginRequest,
  inherited?: Acquired,
): Agent | Refusal {
  const again = known !== undefined && isLoggedIn(known);
  if (again && known.dn !== request.dn) return refuse('RegisterDNNotMatch', { loggedInOn: known.dn });
  const ready = request.agentState === 1;
  const reasonCode = request.reasonCode ?? (ready ? undefined : REASON_CODES.Other);
  const acquired = known?.acquired ?? inherited;
  const phoneType = request.phoneType ?? known?.phoneType;
  const agent: Agent = {
    agentID: request.agentID,
    agentUUID: request.agentUUID,
    dn: request.dn,
    queues: [...new Set(request.queues ?? known?.queues ?? [])],
    ...(phoneType !== undefined && { phoneType }),
    state: ready ? 'Ready' : 'NotReady',
    ...(reasonCode !== undefined && { reasonCode }),
    stateSince: turn.now,
    status: known?.status ?? 'RELEASED',
    statusSince: known?.statusSince ?? turn.now,
    idleSince: again && known.state === 'Ready' && ready ? known.idleSince : turn.now,
    calls: request.calls,
    ...(known?.callStatus !== undefined && { callStatus: known.callStatus }),
    ...(known?.callStatusSince !== undefined && { callStatusSince: known.callStatusSince }),
    ...(acquired && { acquired }),
  };
  const settled = isBusy(agent)
    ? withStatus(agent, again ? agent.status : 'ACQUIRED', turn.now)
    : rested(agent, turn.now);
  tellLogin(turn, settled, request.referenceID);
  return settled;
}

/** RequestAgentReady: takes calls from now on, after the present one if there is one; ends after-call work. */
export function ready(turn: AgentTurn, agent: Agent, reasonCode: number | undefined, referenceID: number): Agent {
  const { afterCall, ...rest } = agent;
  const same = agent.state === 'Ready';
  const now = rested(
    {
      ...rest,
      state: 'Ready',
      reasonCode: reasonCode ?? (afterCall ? REASON_CODES.AfterCallWork : REASON_CODES.Other),
      stateSince: same ? agent.stateSince : turn.now,
      idleSince: same ? agent.idleSince : turn.now,
    },
    turn.now,
  );
  tellReady(turn, now, referenceID, afterCall?.callID === undefined ? undefined : { callID: afterCall.callID });
  return now;
}

/**
 * RequestAgentNotReady, and what makes an agent NotReady without being asked: takes no calls from now on. Reason 4 is
 * after-call work of the agent's own wish, which ends when the agent says so.
 */
export function notReady(
  turn: AgentTurn,
  agent: Agent,
  reasonCode: number,
  referenceID: number,
  data?: AttachedData,
): Agent {
  const { afterCall: _, ...rest } = agent;
  const byWish = reasonCode === REASON_CODES.AfterCallWork;
  const same = agent.state === 'NotReady' && agent.reasonCode === reasonCode;
  const now = rested(
    {
      ...rest,
      state: 'NotReady',
      reasonCode,
      stateSince: same ? agent.stateSince : turn.now,
      ...(byWish && { afterCall: agent.afterCall ?? { before: stateBefore(agent) } }),
    },
    turn.now,
  );
  const state = byWish && { loginState: now.afterCall?.before.state === 'Ready' ? '1' : '2' };
  tellNotReady(turn, now, referenceID, state || data ? { ...data, ...state } : undefined);
  return now;
}

/** RequestAgentLogout. A call that the agent is in, or is reserved for, goes on; no after-call work follows it. */
export function logout(turn: AgentTurn, agent: Agent, referenceID: number): Agent {
  const { afterCall: _, reasonCode: __, ...rest } = agent;
  const now = rested({ ...rest, state: 'Logout', stateSince: turn.now, calls: [] }, turn.now);
  tellLogout(turn, now, referenceID);
  return now;
}

/**
 * RequestDelayAfterCallWork: it ends so many seconds from now.
 *
 * @returns a refusal (InvalidAgentState) where the agent is not in after-call work
 */
export function delay(turn: AgentTurn, agent: Agent, seconds: number, referenceID: number): Agent | Refusal {
  const { afterCall } = agent;
  if (!afterCall) return refuse('InvalidAgentState', { reason: 'the agent is not in after-call work' });
  const until = turn.now + seconds * 1000;
  const delayed: Agent = { ...agent, afterCall: { ...afterCall, until } };
  tellDelay(turn, delayed, referenceID, until);
  return delayed;
}

/** The phone has lost its contact: told once, and the agent is not made Ready again by its return. */
export function phoneLost(turn: AgentTurn, agent: Agent): Agent {
  if (!isLoggedIn(agent) || (agent.state === 'NotReady' && agent.reasonCode === OWN_REASONS.PhoneLost)) return agent;
  return notReady(turn, agent, OWN_REASONS.PhoneLost, 0);
}
