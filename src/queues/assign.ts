import { type Agent, isFree, withStatus } from '../agents/agent.ts';
import { anyOverflows, isAlone, overflowAt, type Waiting } from './floor.ts';
import type { FloorTurn } from './floor-turn.ts';

/**
 * Gives waiting calls to free agents, so that none of either is left who could be served: the call that has waited
 * longest first, to the agent of its queue who has been idle longest. Both orders are total, so that the same floor
 * always gives the same assignments.
 */
export function assign(turn: FloorTurn): void {
  const free = [...turn.agents.values()].filter(isFree).sort(byIdleness);
  if (free.length === 0 || turn.waiting.size === 0) return;
  for (const call of [...turn.waiting.values()].filter(isAlone).sort(byWaiting)) {
    const at = free.findIndex((agent) => agent.queues.includes(call.queue));
    const agent = free[at];
    if (!agent) continue;
    free.splice(at, 1);
    acquire(turn, call, agent);
    if (free.length === 0) return;
  }
}

const byIdleness = (a: Agent, b: Agent): number => a.idleSince - b.idleSince || (a.agentID < b.agentID ? -1 : 1);
const byWaiting = (a: Waiting, b: Waiting): number => a.since - b.since || (a.callID < b.callID ? -1 : 1);

function acquire(turn: FloorTurn, call: Waiting, agent: Agent): void {
  const assignment = call.assignment + 1;
  const { callID, queue } = call;
  turn.put(withStatus({ ...agent, acquired: { callID, queue, dn: agent.dn, assignment } }, 'ACQUIRED', turn.now));
  turn.wait({ ...call, assignment, assigned: { assignment, agentID: agent.agentID } });
  turn.ask({ do: 'assign', callID, queue, dn: agent.dn, assignment });
}

/** Sends on what has waited for the time that its queue allows. */
export function overflow(turn: FloorTurn): void {
  if (!anyOverflows(turn.queues)) return;
  for (const call of turn.waiting.values()) {
    if (!isAlone(call)) continue;
    const at = overflowAt(call, turn.queues);
    const to = turn.queues.get(call.queue)?.overflow?.to;
    if (at === undefined || at > turn.now || !to) continue;
    const { callID, queue: from } = call;
    if ('queue' in to) {
      turn.wait({ ...call, sentOn: true });
      turn.ask({ do: 'to-queue', callID, from, queue: to.queue });
    } else {
      const assignment = call.assignment + 1;
      turn.wait({ ...call, assignment, sentOn: true });
      turn.ask({ do: 'to-number', callID, from, number: to.number, assignment });
    }
  }
}
