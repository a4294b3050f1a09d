import { randomBytes } from 'node:crypto';
import { expect, inject, vi } from 'vitest';
import type { CompanyConfig } from '../../src/config.ts';
import type { AgentInfo } from '../../src/cti/request-fields.ts';
import type { Store } from '../../src/store/store.ts';
import { acme, CALLER, type Process, process, Telephones } from './contacts-harness.ts';
import { newStore } from './store-kit.ts';

/** One feed for each way in which a contact may go. */
export const FEEDS: readonly Record<string, unknown>[] = [
  { id: 'back', kind: 'callback', queue: '8001' },
  { id: 'twice', kind: 'callback', queue: '8001', attempts: 2, retryAfter: 1 },
  { id: 'work', kind: 'task', queue: '8001', acceptTimeout: 1 },
  { id: 'slow', kind: 'task', queue: '8001', acceptTimeout: 600 },
  { id: 'closed', kind: 'callback', queue: '8001', open: false },
  { id: 'unmapped', kind: 'callback' },
  { id: 'lost', kind: 'callback', queue: 'nowhere' },
  { id: 'choose', kind: 'callback', queue: '8001', scripts: [{ selector: 'sales', queue: '8002' }] },
  { id: 'few', kind: 'callback', queue: '8001', limits: { contacts: 1, perSecond: 1_000 } },
  { id: 'rare', kind: 'callback', queue: '8001', limits: { perSecond: 1 } },
];
export const CUSTOMER = '911140001234';
/** What is asked for: to be called back. */
export const CALLBACK = `<?xml version="1.0" encoding="UTF-8"?>
<Contact>
  <name>Ann &amp; Co</name>
  <title>A question</title>
  <mediaAddress>${CUSTOMER}</mediaAddress>
  <tags><tag>a</tag><tag>b</tag></tags>
  <variables><variable><name>cv_1</name><value>x</value></variable></variables>
</Contact>`;
export const TASK = '<Task><name>Ann</name><title>An email</title></Task>';

/** How long a contact or an agent is waited for. */
const SOON = { timeout: 10_000, interval: 5 };

/** What is shown of a contact. */
interface Shown {
  readonly status: string;
  readonly statusReason: string;
  readonly statusTimestamp: number;
  readonly estimatedWaitTime: number;
  readonly agentId?: string;
}

/**
 * Callbacks and tasks as those who post them and the agents who get them deal with them: over HTTP and by request, on
 * simulated telephones and the Redis of the run.
 */
export class ContactCentre {
  /** They outlive the processes, as Asterisk does. */
  phones = new Telephones();
  readonly #stores: Store[] = [];
  #prefix = '';
  #process: Process | undefined;

  /** The process that runs now. */
  get process(): Process {
    if (!this.#process) throw new Error('no process has been begun');
    return this.#process;
  }

  /** Telephones, a Redis and a process that know nothing yet. @param before done to the store before the process is there */
  readonly begin = async (config = acme(FEEDS), before?: (store: Store) => Promise<unknown>): Promise<void> => {
    this.phones = new Telephones();
    this.#prefix = `t${randomBytes(6).toString('hex')}`;
    await this.#open(config, before);
  };

  /** Another process on what the one before has left in Redis and on the telephones. */
  readonly restart = async (): Promise<void> => {
    await this.process.close();
    await this.#open(acme(FEEDS));
  };

  /** Ends the process, which must have had nothing to complain about. */
  async close(): Promise<void> {
    const { warnings } = this.process;
    await this.process.close();
    await Promise.all(this.#stores.splice(0).map((s) => s.close()));
    expect(warnings).toEqual([]);
  }

  async #open(config: CompanyConfig, before?: (store: Store) => Promise<unknown>): Promise<void> {
    const { store } = newStore(inject('redisUrl'), { prefix: this.#prefix });
    this.#stores.push(store);
    await store.connected();
    await before?.(store);
    this.#process = await process(store, this.phones, config);
  }

  // ---- over HTTP ----

  /** One request. @returns status, and the body as text and as what is shown of a contact */
  readonly ask = async (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    payload?: string,
    headers: Record<string, string> = {},
  ) => {
    const answer = await this.process.http.inject({
      method,
      url: path,
      remoteAddress: '127.0.0.1',
      headers: { accept: 'application/json', 'content-type': 'application/xml', ...headers },
      ...(payload !== undefined && { payload }),
    });
    return {
      status: answer.statusCode,
      text: answer.body,
      json: () => JSON.parse(answer.body) as Shown,
      location: String(answer.headers['location']),
    };
  };

  /** Posts a contact, which must be taken. @returns where it is to be asked for */
  readonly post = async (feed: string, body: string, kind = 'callback'): Promise<string> => {
    const { status, location } = await this.ask('POST', `/ccp/rest/${kind}/feed/${feed}`, body);
    expect(status).toBe(201);
    return location;
  };

  readonly get = async (location: string): Promise<Shown> => (await this.ask('GET', location)).json();

  /** A contact's status and its reason, e.g. `Queued EXTERNALLY_HANDLED`. */
  readonly state = async (location: string): Promise<string> => {
    const { status, statusReason } = await this.get(location);
    return `${status} ${statusReason}`;
  };

  readonly becomes = (location: string, wanted: string): Promise<void> =>
    vi.waitFor(async () => expect(await this.state(location)).toBe(wanted), SOON);

  /** An agent's word about a task: `accept`, `decline` or `complete`. */
  readonly say = (location: string, what: string, agentID = 'a1') =>
    this.ask('POST', `${location}/${what}`, JSON.stringify({ agentID }), {
      authorization: 'agent',
      'content-type': 'application/json',
    });

  /** The tasks that an agent has or is offered. */
  readonly offered = async (agentID = 'a1'): Promise<unknown[]> => {
    const { text } = await this.ask('GET', `/ccp/rest/task/agent/${agentID}`, undefined, { authorization: 'agent' });
    return (JSON.parse(text) as { tasks: unknown[] }).tasks;
  };

  readonly isOffered = (agentID = 'a1'): Promise<void> =>
    vi.waitFor(async () => expect(await this.offered(agentID)).toHaveLength(1), SOON);

  // ---- agents, by request ----

  /** One request, which must be granted. @returns its result */
  readonly request = async (method: string, params: unknown): Promise<unknown> => {
    const answer = await this.process.engine.request(CALLER, method, params);
    if ('refusal' in answer) throw new Error(`${method}: ${answer.refusal.name}`);
    return answer.result;
  };

  readonly login = (agentID: string, thisDN: string) =>
    this.request('RequestAgentLogin', { agentID, thisDN, thisQueues: ['8001', '8002'], agentState: 1 });

  readonly agent = async (agentID: string): Promise<AgentInfo | undefined> =>
    ((await this.request('RequestListAgents', {})) as { agents: AgentInfo[] }).agents.find(
      (a) => a.agentID === agentID,
    );

  /** Waits until the agent has nothing to do. */
  readonly free = (agentID: string): Promise<void> =>
    vi.waitFor(async () => expect((await this.agent(agentID))?.agentStatus).toBe('AVAILABLE'), SOON);

  // ---- telephones ----

  /** The phone at that endpoint ends its call. */
  readonly hangUp = (endpoint: string): void => this.phones.hangUp(this.phones.last(endpoint)?.channel ?? '');

  /** How often a customer has been called. */
  readonly customerLegs = (): number => this.phones.dialled.filter((d) => d.endpoint.endsWith('@carrier')).length;
}
