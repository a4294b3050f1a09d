import { request } from 'undici';
import { expect, type TestContext, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { type CallID, nodeOfCallID } from '../../src/cti/ids.ts';
import { expectWhole } from './call-events.ts';
import { CUSTOMER_TONE, leadCustomers } from './conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from './lab.ts';
import { type Ringmaster, ringmaster, type Settings } from './ringmaster.ts';
import type { RpcClient } from './rpc-client.ts';
import { SecondNode } from './second-node.ts';
import { expectHeard } from './talking.ts';

export const FIRST = 'pbx-1';
export const SECOND = 'pbx-2';
const OPERATOR = 'operator-of-the-lab-0001';
const AGENT = '1018';
/** What may be said of a node that is away, dead or back. */
const NODE_TROUBLE = /^(ari|canary|command|watching|AMI|phones could|REST does not answer|the node)/;

/** Looks until it is so: a busy machine takes its time. */
export const until = (so: () => unknown): Promise<unknown> => vi.waitFor(so, { timeout: 30_000, interval: 50 });

/** The node that a call is on, by its id. */
export const nodeOf = (callID: string): string => [FIRST, SECOND][nodeOfCallID(callID as CallID) ?? 2] ?? '';

/** A call whose agent's phone rings. */
export interface RingingCall {
  readonly callID: string;
  readonly agent: PhoneCall;
  readonly node: string;
}

/** The lab's Asterisk and a second one, telephones that any number of either leads to, and the product where a test starts it. */
export class TwoNodes {
  #opened: { lab: Lab; second: SecondNode; agents: Phone; customers: Phone } | undefined;
  #running: { rm: Ringmaster; client: RpcClient } | undefined;

  async open(): Promise<void> {
    const lab = await testLab();
    const [second, agents, customers] = await Promise.all([
      SecondNode.start(lab),
      openAgentPhone(lab, AGENT),
      openCustomerPhone(lab, '911140099001', { tone: CUSTOMER_TONE }),
    ]);
    this.#opened = { lab, second, agents, customers };
  }

  async close(): Promise<void> {
    if (!this.#opened) return;
    const { second, agents, customers } = this.#opened;
    await Promise.all([second.close(), agents.close(), customers.close()]);
  }

  get #its() {
    if (!this.#opened) throw new Error('there are no two nodes');
    return this.#opened;
  }

  get lab(): Lab {
    return this.#its.lab;
  }

  get second(): SecondNode {
    return this.#its.second;
  }

  /** All agents' phones: one socket that any number reaches, from either node. */
  get agents(): Phone {
    return this.#its.agents;
  }

  /** All customers' phones, in the same way. */
  get customers(): Phone {
    return this.#its.customers;
  }

  /** The product, where it runs: a test may bring instances of its own instead. */
  get rm(): Ringmaster {
    if (!this.#running) throw new Error('the product does not run');
    return this.#running.rm;
  }

  get client(): RpcClient {
    if (!this.#running) throw new Error('the product does not run');
    return this.#running.client;
  }

  /** Starts the product on both nodes. @param change what else is different from the lab's settings */
  readonly start = async (
    change: (nodes: Settings['nodes'][number][], settings: Settings) => void = () => {},
  ): Promise<void> => {
    const rm = await ringmaster(this.lab, (settings) => {
      this.onBoth(settings);
      change(settings.nodes, settings);
    });
    this.#running = { rm, client: await rm.subscriber() };
    await this.serving(2);
  };

  /** Ends the product, if it runs, and looks at what it has left. */
  readonly afterTest = async (context: TestContext): Promise<void> => {
    if (!this.#running) return;
    const { rm } = this.#running;
    this.#running = undefined;
    await rm.afterTest(context, NODE_TROUBLE);
    await rm.close();
  };

  /** Both nodes, the test's own telephones behind each, and an operator. */
  readonly onBoth = (settings: Settings): void => {
    settings['operators'] = [{ name: 'night-shift', key: OPERATOR }];
    settings.nodes.push(this.second.settings(SECOND));
    for (const node of settings.nodes) Object.assign(node, { deadAfter: { refused: 1 } });
    leadCustomers(settings, this.customers);
    for (const company of settings.companies) {
      if (company.extensions) company.extensions.endpoint = `PJSIP/${AGENT}/sip:{dn}@127.0.0.1:${this.agents.port}`;
    }
  };

  /** Waits until so many nodes serve. */
  readonly serving = (nodes: number) =>
    until(async () => expect(await this.rm.metric('ringmaster_node_serving')).toBe(nodes));

  /** A request of the operator's about nodes. @param path from after `/admin/nodes` */
  readonly admin = async (method: 'GET' | 'POST', path: string, body?: object, base = this.rm.base) => {
    const answer = await request(`${base}/admin/nodes${path}`, {
      method,
      headers: { authorization: `Bearer ${OPERATOR}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
  };

  /** A call whose agent's phone rings. */
  readonly ring = async (thisDN: string, at: RpcClient = this.client): Promise<RingingCall> => {
    const { callID } = await at.call('RequestMakeCall', { thisDN, otherDN: `91114009${thisDN}` });
    const agent = await this.agents.nextCall();
    agent.ring();
    await at.event('EventDialing', (e) => e.callID === callID);
    return { callID, agent, node: nodeOf(callID) };
  };

  /** A call in which both talk. */
  readonly talk = async (thisDN: string): Promise<RingingCall & { readonly customer: PhoneCall }> => {
    const ringing = await this.ring(thisDN);
    await ringing.agent.answer();
    const customer = await this.customers.nextCall();
    customer.ring();
    await customer.answer();
    const otherDN = `91114009${thisDN}`;
    await this.client.event('EventEstablished', (e) => e.callID === ringing.callID && e.thisDN === otherDN);
    return { ...ringing, customer };
  };

  /** Ends these calls by request. */
  readonly clear = async (...calls: readonly { callID: string }[]): Promise<void> => {
    for (const { callID } of calls) await this.client.call('RequestClearCall', { callID });
    for (const { callID } of calls) expectWhole(await this.client.ended(callID));
  };

  readonly bothHear = ({ agent, customer }: { agent: PhoneCall; customer: PhoneCall }) =>
    expectHeard(
      [
        { name: 'agent', call: agent, tone: agentTone(AGENT) },
        { name: 'customer', call: customer, tone: CUSTOMER_TONE },
      ],
      { agent: ['customer'], customer: ['agent'] },
    );

  /** The telephones drop what they have of calls: their node has gone, and says no more about them. */
  readonly dropCalls = (): void => {
    for (const call of [...this.agents.calls, ...this.customers.calls]) call.close();
  };
}
