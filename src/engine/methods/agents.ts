import type { Agent } from '../../agents/agent.ts';
import { numberOf } from '../../agents/tell.ts';
import { refuse } from '../../cti/errors.ts';
import type { AgentID } from '../../cti/ids.ts';
import type { AgentInfo } from '../../cti/request-fields.ts';
import type { FloorInput } from '../../queues/floor.ts';
import { agentUUID } from '../agent-uuid.ts';
import { type Answer, type RequestContext, refused, type Serve } from './context.ts';

/** An agent as those who ask are shown it. */
function agentInfo(agent: Agent): AgentInfo {
  const callID = agent.acquired?.callID ?? agent.calls[0] ?? agent.afterCall?.callID;
  return {
    agentID: agent.agentID,
    agentUUID: agent.agentUUID,
    thisDN: agent.dn,
    thisQueues: [...agent.queues],
    ...(agent.phoneType !== undefined && { phoneType: agent.phoneType }),
    state: agent.state,
    ...(agent.state !== 'Logout' && { agentState: numberOf(agent) }),
    ...(agent.reasonCode !== undefined && { reasonCode: agent.reasonCode }),
    stateSince: agent.stateSince,
    agentStatus: agent.status,
    agentStatusSince: agent.statusSince,
    ...(agent.callStatus !== undefined && { callStatus: agent.callStatus }),
    ...(agent.callStatusSince !== undefined && { callStatusSince: agent.callStatusSince }),
    ...(callID !== undefined && { callID }),
    ...(agent.afterCall?.until !== undefined && { expirationTime: agent.afterCall.until }),
  };
}

/** The company's floor is not here, or no longer. */
const away = () => ({ ...refused(refuse('NotReady')), moved: true });

/** Carries a request out on the company's floor. */
async function onFloor<R>(
  { floor }: RequestContext,
  input: FloorInput,
  result: (agent: Agent) => R,
): Promise<Answer<R>> {
  if (!floor) return away();
  const verdict = await floor.request(input);
  if (!('refusal' in verdict)) return { result: result(verdict.agent) };
  // A floor that is let go of while requests wait for it has done nothing of those that it calls so.
  return floor.stopped && verdict.refusal.name === 'NotReady' ? away() : verdict;
}

/** The agent whom a request names. */
function named(params: {
  agentID?: AgentID | undefined;
  thisDN?: string | undefined;
  referenceID?: number | undefined;
}) {
  return {
    ...(params.agentID !== undefined && { agentID: params.agentID }),
    ...(params.thisDN !== undefined && { dn: params.thisDN }),
    referenceID: params.referenceID ?? 0,
  };
}

const withReason = (reasonCode: number | undefined) => reasonCode !== undefined && { reasonCode };

/** RequestAgentLogin. The phone must be one of the company's own. */
export const agentLogin: Serve<'RequestAgentLogin'> = async (context, params) => {
  const { companyId } = context.caller;
  const { agentID, thisDN: dn } = params;
  if (!context.directory.isExtension(companyId, dn)) {
    return refused(refuse('RegisterDNNotMatch', { reason: 'thisDN is not a phone of this company' }));
  }
  const calls = (await context.calls())
    .filter((c) => c.parties.some((p) => p.dn === dn && p.leg.kind === 'user' && p.leg.state !== 'ended'))
    .map((c) => c.callID);
  const input: FloorInput = {
    kind: 'login',
    agentID,
    agentUUID: agentUUID(companyId, agentID),
    dn,
    ...(params.thisQueues !== undefined && { queues: params.thisQueues }),
    ...(params.phoneType !== undefined && { phoneType: params.phoneType }),
    ...(params.agentState !== undefined && { agentState: params.agentState }),
    ...withReason(params.reasonCode),
    calls,
    referenceID: params.referenceID ?? 0,
  };
  return onFloor(context, input, agentInfo);
};

/** RequestAgentReady. */
export const agentReady: Serve<'RequestAgentReady'> = (context, params) =>
  onFloor(context, { kind: 'ready', ...named(params), ...withReason(params.reasonCode) }, agentInfo);

/** RequestAgentNotReady. */
export const agentNotReady: Serve<'RequestAgentNotReady'> = (context, params) =>
  onFloor(context, { kind: 'not-ready', ...named(params), ...withReason(params.reasonCode) }, agentInfo);

/** RequestAgentLogout. */
export const agentLogout: Serve<'RequestAgentLogout'> = (context, params) =>
  onFloor(context, { kind: 'logout', ...named(params) }, agentInfo);

/** RequestDelayAfterCallWork. */
export const delayAfterCallWork: Serve<'RequestDelayAfterCallWork'> = (context, params) =>
  onFloor(context, { kind: 'delay', ...named(params), seconds: params.seconds }, (agent) => ({
    expirationTime: agent.afterCall?.until ?? context.now(),
  }));

/** RequestListAgents: those who are logged in, and those who once were and are still known; by work number. */
export const listAgents: Serve<'RequestListAgents'> = async ({ floor }, params) => {
  if (!floor) return away();
  const agents = [...floor.floor.agents.values()]
    .filter((a) => params.state === undefined || a.state === params.state)
    .filter((a) => params.queue === undefined || a.queues.includes(params.queue))
    .sort((a, b) => (a.agentID < b.agentID ? -1 : 1));
  return { result: { agents: agents.map(agentInfo) } };
};
