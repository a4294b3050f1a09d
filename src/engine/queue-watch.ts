import { type Agent, isBusy, isFree, isLoggedIn } from '../agents/agent.ts';
import type { Call } from '../calls/call.ts';
import { rungForQueue, waitingParty } from '../calls/waiting.ts';
import type { CustomerProgress, QueueAgent } from '../ports.ts';
import type { Floor } from '../queues/floor.ts';

/** The agents of a floor who are logged in, as the pace of a flow must know them. */
export function queueAgentsOf(floor: Floor | undefined): readonly QueueAgent[] {
  return [...(floor?.agents.values() ?? [])].filter(isLoggedIn).map(queueAgentOf);
}

function queueAgentOf(agent: Agent): QueueAgent {
  const { queues, afterCall } = agent;
  if (isFree(agent)) return { queues, state: 'free' };
  if (isBusy(agent)) return { queues, state: agent.state === 'Ready' ? 'busy' : 'away' };
  if (afterCall?.until === undefined || afterCall.before.state !== 'Ready') return { queues, state: 'away' };
  return { queues, state: 'away', freeAt: afterCall.until };
}

/** How far the customer of a call is that a queue has placed: he is its first party. */
export function customerProgressOf(call: Call | undefined): CustomerProgress | undefined {
  const leg = call?.parties[0]?.leg;
  if (!call || !leg) return undefined;
  const { answeredAt, bridgedAt } = leg;
  const moments = {
    ...(answeredAt !== undefined && { answeredAt }),
    ...(bridgedAt !== undefined && { bridgedAt }),
  };
  if (bridgedAt !== undefined) return { state: 'served', ...moments };
  if (waitingParty(call) === undefined) return { state: answeredAt === undefined ? 'ringing' : 'served', ...moments };
  return { state: rungForQueue(call) ? 'offered' : 'waiting', ...moments };
}
