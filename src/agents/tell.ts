import type { AttachedData } from '../cti/json.ts';
import { type Agent, type AgentTurn, isBusy } from './agent.ts';

/** The events of agents, with the fields of seed 004. */

function ofAgent(turn: AgentTurn, agent: Agent, referenceID: number, attachedData?: AttachedData) {
  return {
    referenceID,
    companyId: turn.companyId,
    agentID: agent.agentID,
    agentUUID: agent.agentUUID,
    thisDN: agent.dn,
    thisQueues: [...agent.queues],
    ...(attachedData !== undefined && { attachedData }),
    creationTime: turn.now,
  };
}

/** The status that goes with the new state; an agent in a call has the call's, which the event does not change. */
const statusOf = (agent: Agent) => (agent.state !== 'Logout' && isBusy(agent) ? {} : { agentStatus: agent.status });

const reasonOf = (agent: Agent) => (agent.reasonCode === undefined ? {} : { reasonCode: agent.reasonCode });

/** The seed's number of a state: Ready 1, NotReady 2. */
export const numberOf = (agent: Agent): 1 | 2 => (agent.state === 'Ready' ? 1 : 2);

export function tellLogin(turn: AgentTurn, agent: Agent, referenceID: number): void {
  turn.tell({
    messageID: 'EventAgentLogin',
    ...ofAgent(turn, agent, referenceID),
    ...(agent.phoneType !== undefined && { phoneType: agent.phoneType }),
    agentState: numberOf(agent),
    ...reasonOf(agent),
    agentStatus: agent.status,
  });
}

export function tellReady(turn: AgentTurn, agent: Agent, referenceID: number, data?: AttachedData): void {
  turn.tell({
    messageID: 'EventAgentReady',
    ...ofAgent(turn, agent, referenceID, data),
    ...reasonOf(agent),
    ...statusOf(agent),
  });
}

export function tellNotReady(turn: AgentTurn, agent: Agent, referenceID: number, data?: AttachedData): void {
  turn.tell({
    messageID: 'EventAgentNotReady',
    ...ofAgent(turn, agent, referenceID, data),
    reasonCode: agent.reasonCode ?? 0,
    ...statusOf(agent),
  });
}

export function tellLogout(turn: AgentTurn, agent: Agent, referenceID: number): void {
  turn.tell({ messageID: 'EventAgentLogout', ...ofAgent(turn, agent, referenceID), ...statusOf(agent) });
}

export function tellDelay(turn: AgentTurn, agent: Agent, referenceID: number, expirationTime: number): void {
  const { callID, partyID } = agent.afterCall ?? {};
  turn.tell({
    messageID: 'EventDelayAfterCallWork',
    ...ofAgent(turn, agent, referenceID),
    ...(callID !== undefined && { callID }),
    ...(partyID !== undefined && { partyID }),
    expirationTime,
  });
}
