import type { ResultOf } from '../cti/requests.ts';

/** An agent of a queue, as the pace of a flow must know him. */
export interface QueueAgent {
  readonly queues: readonly string[];
  /** `free`: would be given the next call; `busy`: in a call, and takes another one after it; `away`: neither. */
  readonly state: 'free' | 'busy' | 'away';
  /** Of one who is in after-call work: when it ends by itself, Unix ms. */
  readonly freeAt?: number;
}

/** The agents who are logged in. @param listed what RequestListAgents has answered */
export function queueAgentsOf({ agents }: ResultOf<'RequestListAgents'>): readonly QueueAgent[] {
  return agents.flatMap(({ state, thisQueues: queues, callID, expirationTime }): QueueAgent[] => {
    if (state === 'Logout') return [];
    if (state === 'Ready') return [{ queues, state: callID === undefined ? 'free' : 'busy' }];
    return [{ queues, state: 'away', ...(expirationTime !== undefined && { freeAt: expirationTime }) }];
  });
}
