import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Command } from '../../src/calls/command.ts';
import { type CompanyConfig, checkConfig, formatProblem } from '../../src/config.ts';
import { type ContactDeps, Contacts } from '../../src/contacts/index.ts';
import { Directory } from '../../src/engine/directory.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { ApiAccess, Caller } from '../../src/ports.ts';
import { TokenBucket } from '../../src/rpc/index.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { CallAdmission } from '../../src/switch/admission.ts';
import { company } from './store-kit.ts';
import { randomHex, storedEngine } from './stored-engine.ts';

export const ACME = company('acme');
export const CALLER: Caller = { companyId: ACME, keyName: 'test', scopes: new Set(['call', 'agent', 'read']) };
const NODE = 'pbx-1';

/** What a phone does when it is dialled; `waits`: it rings until the test says more. */
export type Manner = 'answers' | 'busy' | 'rings-out' | 'waits';

/** Feeds of the company in the tests, with what differs from the least. */
export function acme(feeds: readonly Record<string, unknown>[], change: Record<string, unknown> = {}): CompanyConfig {
  const settings = {
    nodes: [
      {
        id: NODE,
        ari: { url: 'http://127.0.0.1:8088/ari', username: 'u', password: 'p' },
        ami: { username: 'u', secret: 's' },
      },
    ],
    trunks: [{ id: 'carrier', endpoint: 'PJSIP/{number}@carrier' }],
    companies: [
      {
        companyId: ACME,
        keys: [{ name: 'all', key: '0123456789abcdef', scopes: ['call'] }],
        extensions: { pattern: '^1\\d{3}$', endpoint: 'PJSIP/{dn}' },
        trunk: 'carrier',
        queues: [{ id: '8001', ringTimeout: 5 }, { id: '8002' }],
        contacts: {
          ips: ['127.0.0.1'],
          feeds: feeds.map((f) => ({ limits: { perSecond: 1_000 }, ...f })),
        },
        ...change,
      },
    ],
  };
  const result = checkConfig(JSON.stringify(settings), 'ringmaster.yaml', {});
  if (result.problems !== undefined) throw new Error(result.problems.map(formatProblem).join('\n'));
  const [found] = result.config.companies;
  if (!found) throw new Error('no company');
  return found;
}

/** Telephones and a node that are simulated: they outlive the processes, as Asterisk does. */
export class Telephones {
  manner: (endpoint: string) => Manner = () => 'answers';
  serving = true;
  /** Every leg that was dialled, in order: endpoint and channel. */
  readonly dialled: { readonly endpoint: string; readonly channel: string; readonly callID: string }[] = [];
  readonly #up = new Set<string>();
  engine: Engine | undefined;

  perform(callID: string, commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.do === 'dial') this.#dial(callID, command.channel, command.endpoint);
      if (command.do === 'hang-up') this.#end(command.channel, command.q850);
    }
  }

  /** The phones that are up or ring. */
  get up(): number {
    return this.#up.size;
  }

  answer(channel: string): void {
    this.engine?.onFact(NODE, { channel, kind: 'leg-answered' });
  }

  /** The phone itself ends it. */
  hangUp(channel: string): void {
    this.#end(channel, 16);
  }

  /** The leg that was last dialled to an endpoint. */
  last(endpoint: string): { readonly channel: string; readonly callID: string } | undefined {
    return this.dialled.filter((d) => d.endpoint === endpoint).at(-1);
  }

  #dial(callID: string, channel: string, endpoint: string): void {
    this.dialled.push({ endpoint, channel, callID });
    this.#up.add(channel);
    const manner = this.manner(endpoint);
    setImmediate(() => {
      if (manner === 'busy') {
        this.#up.delete(channel);
        this.engine?.onFact(NODE, { channel, kind: 'leg-ended', q850: 17, sip: 486 });
        return;
      }
      this.engine?.onFact(NODE, { channel, kind: 'leg-ringing' });
      if (manner === 'answers') this.answer(channel);
      if (manner === 'rings-out') {
        this.#up.delete(channel);
        this.engine?.onFact(NODE, { channel, kind: 'leg-ended', q850: 19, ringTimedOut: true });
      }
    });
  }

  #end(channel: string, q850: number): void {
    if (!this.#up.delete(channel)) return;
    setImmediate(() => this.engine?.onFact(NODE, { channel, kind: 'leg-ended', q850 }));
  }
}

/** One process: queues and contacts on simulated telephones, with its HTTP. */
export interface Process {
  readonly engine: Engine;
  readonly contacts: Contacts;
  readonly http: FastifyInstance;
  readonly warnings: string[];
  close(): Promise<void>;
}

export async function process(store: Store, phones: Telephones, config: CompanyConfig): Promise<Process> {
  const warnings: string[] = [];
  const isPassing = (error: unknown): boolean => error instanceof StoreUnavailable && error.retryable;
  const engine = storedEngine(store, {
    admission: new CallAdmission({ nodes: new Map([[NODE, { calls: 100 }]]) }, Date.now),
    directory: new Directory(
      [
        {
          companyId: ACME,
          extensions: config.extensions,
          numbers: config.numbers,
          trunk: 'carrier',
          routes: [],
          queues: config.queues.map(({ overflow, ...q }) => ({ ...q, ...(overflow && { overflow }) })),
        },
      ],
      [{ id: 'carrier', endpoint: 'PJSIP/{number}@carrier', callerId: '911140001000' }],
    ),
    log: {
      info: () => {},
      // What is being stored while the process ends is stored by the next one.
      error: (what, err) => {
        if (isPassing(err) || !(err instanceof StoreUnavailable)) warnings.push(`${what} ${String(err)}`);
      },
      storeAway: () => {},
      storeBack: () => {},
    },
    isPassing,
  });
  phones.engine = engine;
  await engine.addNode({
    id: NODE,
    number: 4,
    app: 'ringmaster',
    switch: {
      node: NODE,
      get serving() {
        return phones.serving;
      },
      perform: (callID, commands) => phones.perform(callID, commands),
      resync: () => {},
    },
  });
  const { contacts, http } = front(engine, store, config, warnings, async (question) => {
    return (await contacts.answer(question)) ?? 'not-ready';
  });
  await contacts.load();
  await engine.openFloors();
  contacts.start();
  await http.ready();
  return {
    engine,
    contacts,
    http,
    warnings,
    async close() {
      await http.close();
      await contacts.close();
      engine.close();
    },
  };
}

/** The contacts of a process with their HTTP. @param ask who answers, here or elsewhere */
export function front(
  engine: Engine,
  store: Store,
  config: CompanyConfig,
  warnings: string[],
  ask: ContactDeps['ask'],
): { readonly contacts: Contacts; readonly http: FastifyInstance } {
  const deps: ContactDeps = {
    store: store.contacts,
    events: store.events,
    desk: engine.tickets,
    ask,
    placing: engine,
    now: Date.now,
    uuid: randomUUID,
    randomHex,
    rate: (perSecond) => new TokenBucket(perSecond, perSecond, () => performance.now()),
    carryOnMs: 60_000,
    isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
    log: { info: () => {}, warn: (what, details) => void warnings.push(`${what} ${String(details['err'] ?? '')}`) },
  };
  const contacts = new Contacts(deps, [config]);
  const http = Fastify();
  const access: ApiAccess = { admit: (given) => (given === 'agent' ? CALLER : 'unauthorized') };
  contacts.routes(http, access, []);
  return { contacts, http };
}
