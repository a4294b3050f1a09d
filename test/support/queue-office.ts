import { createClient } from 'redis';
import type { TestContext } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { agentTone } from '../../lab/standing.ts';
import { CUSTOMER_TONE } from './conversation.ts';
import type { Hears } from './hearing.ts';
import { AGENT, Office, OUTSIDE, OUTSIDE_TONE } from './office.ts';
import type { Settings } from './ringmaster.ts';
import { expectHeard } from './talking.ts';

/** Agents of the queue. */
export const NEXT = '1019';
export const THIRD = '1020';
export const QUEUE = '8007';
/** A queue in which one may wait. */
export const SMALL = '8005';
/** A queue that sends on to a number outside who has waited for a second. */
export const TO_NUMBER = '8004';

function withQueues(settings: Settings): void {
  const [main] = settings.companies;
  if (!main) throw new Error('the lab has no company');
  main.queues = [
    { id: QUEUE, ringTimeout: 2, wrapUp: 0 },
    { id: SMALL, ringTimeout: 20, wrapUp: 0, maxWaiting: 1 },
    { id: TO_NUMBER, ringTimeout: 20, wrapUp: 0, overflow: { afterSeconds: 1, to: { number: OUTSIDE } } },
  ] as typeof main.queues;
  main.routes = [];
}

/** An office whose agent hands his customer to a queue, or asks one or calls it. */
export class QueueOffice extends Office {
  readonly #keys: string;

  constructor() {
    const keys = `queuetarget${process.pid}x${Date.now()}`;
    super([AGENT, NEXT, THIRD], withQueues, keys);
    this.#keys = keys;
  }

  /** All agents log out; then as in any office. */
  override readonly afterTest = async (context: TestContext): Promise<void> => {
    const { agents } = await this.client.call('RequestListAgents', {});
    for (const a of agents) {
      if (a.state !== 'Logout') await this.client.call('RequestAgentLogout', { agentID: a.agentID });
    }
    await this.rm.afterTest(context);
  };

  readonly login = (thisDN: string, queue = QUEUE) =>
    this.client.call('RequestAgentLogin', { agentID: `7${thisDN}`, thisDN, agentState: 1, thisQueues: [queue] });

  /** The agent hands his customer to a queue. */
  readonly hand = (callID: string, otherDN = QUEUE) =>
    this.client.call('RequestSingleStepTransfer', { referenceID: 7, callID, thisDN: AGENT, otherDN });

  /** The agent asks a queue. */
  readonly ask = (callID: string, otherDN = QUEUE) =>
    this.client.call('RequestInitiateConsult', { referenceID: 7, callID, thisDN: AGENT, otherDN });

  /** Who hears whom, by DN; the customer is `customer`, who is outside at the other number `elsewhere`. */
  readonly heard = (calls: Readonly<Record<string, PhoneCall>>, hears: Hears) => {
    const tone = (name: string): number =>
      ({ customer: CUSTOMER_TONE, elsewhere: OUTSIDE_TONE })[name] ?? agentTone(name);
    return expectHeard(
      Object.entries(calls).map(([name, call]) => ({ name, call, tone: tone(name) })),
      hears,
    );
  };

  /** An agent's status as Redis keeps it. */
  readonly kept = async (thisDN: string): Promise<string> => {
    const redis = createClient({ url: this.lab.settings().redis.url });
    await redis.connect();
    try {
      const agents = `${this.#keys}:{${this.rm.companyId}}:agents`;
      const agent = JSON.parse((await redis.hGet(agents, `7${thisDN}`)) ?? '{}') as { status?: string };
      return agent.status ?? 'unknown';
    } finally {
      redis.destroy();
    }
  };
}
