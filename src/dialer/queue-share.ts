import type { QueueAgent } from './queue-agents.ts';

/**
 * Free agents of a queue that calls of other queues do not need. Of each other queue the calls that are on their way take
 * its own agents first, and only then those that it shares with this one.
 *
 * @param pending calls that are on their way to an agent, by queue
 */
export function freeFor(queue: string, agents: readonly QueueAgent[], pending: ReadonlyMap<string, number>): number {
  const free = agents.filter((a) => a.state === 'free');
  let mine = 0;
  for (const a of free) if (a.queues.includes(queue)) mine++;
  for (const [other, calls] of pending) {
    if (other === queue) continue;
    const theirs = free.filter((a) => a.queues.includes(other));
    const shared = theirs.filter((a) => a.queues.includes(queue)).length;
    const overflow = calls - (theirs.length - shared);
    mine -= Math.min(shared, Math.max(0, overflow));
  }
  return Math.max(0, mine);
}
