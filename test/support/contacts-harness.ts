import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Command, Dial } from '../../src/calls/command.ts';
import { type CompanyConfig, checkConfig, formatProblem } from '../../src/config.ts';
import { type ContactDeps, Contacts } from '../../src/contacts/index.ts';
import { Directory } from '../../src/engine/directory.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { ApiAccess, Caller, NodeContents, TicketDesk } from '../../src/ports.ts';
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
  /** Dials that ended another: a second one for the same channel. */
  cut = 0;
  /** Commands that are carried out yet before whoever gives them is dead: he is not obeyed any more, and hears nothing. */
  livesFor = Number.POSITIVE_INFINITY;
  /** Every leg that was dialled, in order: endpoint and channel. */
  readonly dialled: { readonly endpoint: string; readonly channel: string; readonly callID: string }[] = [];
  /** Channels that were made and not dialled. */
  readonly #made = new Map<string, { readonly callID: string; readonly endpoint: string }>();
  readonly #up = new Map<string, 'Down' | 'Ringing' | 'Up'>();
  #engine: Engine | undefined;

  perform(callID: string, commands: readonly Command[]): void {
    for (const command of commands) {
      this.livesFor -= 1;
      if (this.livesFor < 0) {
        this.#engine = undefined;
        return;
      }
      if (command.do === 'dial' && command.hold) this.#make(callID, command);
      else if (command.do === 'dial') this.#dial(callID, command.channel, command.endpoint);
      if (command.do === 'send-dial') this.#sendDial(command.channel);
      if (command.do === 'hang-up') this.#end(command.channel, command.q850);
    }
  }

  /** Whom it tells what phones do; undefined: nobody. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  set engine(engine: Engine | undefined) {
    this.#engine = engine;
    this.livesFor = Number.POSITIVE_INFINITY;
  }

  /** What whoever listens again finds. */
  get contents(): NodeContents {
    const made = [...this.#made.keys()].map((channel) => ({ channel, state: 'Down', ours: true }));
    const up = [...this.#up].map(([channel, state]) => ({ channel, state, ours: true }));
    return { channels: [...made, ...up], bridges: [], underWay: new Set(), startedAt: 0, busy: new Set() };
  }

  /** The phones that are up or ring. */
  get up(): number {
    return this.#up.size;
  }

  answer(channel: string): void {
    this.#up.set(channel, 'Up');
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

  #make(callID: string, { channel, endpoint }: Dial): void {
    this.#made.set(channel, { callID, endpoint });
    setImmediate(() => this.engine?.onFact(NODE, { channel, kind: 'leg-made' }));
  }

  #sendDial(channel: string): void {
    const made = this.#made.get(channel);
    if (!made) {
      this.cut += 1;
      return;
    }
    this.#made.delete(channel);
    this.#dial(made.callID, channel, made.endpoint);
  }

  #dial(callID: string, channel: string, endpoint: string): void {
    this.dialled.push({ endpoint, channel, callID });
    this.#up.set(channel, 'Down');
    const manner = this.manner(endpoint);
    setImmediate(() => {
      if (manner === 'busy') {
        this.#up.delete(channel);
        this.engine?.onFact(NODE, { channel, kind: 'leg-ended', q850: 17, sip: 486 });
        return;
      }
      this.#up.set(channel, 'Ringing');
      this.engine?.onFact(NODE, { channel, kind: 'leg-ringing' });
      if (manner === 'answers') this.answer(channel);
      if (manner === 'rings-out') {
        this.#up.delete(channel);
        this.engine?.onFact(NODE, { channel, kind: 'leg-ended', q850: 19, ringTimedOut: true });
      }
    });
  }

  #end(channel: string, q850: number): void {
    if (!this.#up.delete(channel) && !this.#made.delete(channel)) return;
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
  /** Ends it as a crash would, as far as telephones can tell. */
  crash(): Promise<void>;
}

export async function process(
  store: Store,
  phones: Telephones,
  config: CompanyConfig,
  deskOf: (real: TicketDesk) => TicketDesk = (real) => real,
): Promise<Process> {
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
  const here: ContactDeps['ask'] = async (question) => (await contacts.answer(question)) ?? 'not-ready';
  const { contacts, http } = front(engine, store, config, warnings, here, deskOf(engine.tickets));
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
    async crash() {
      engine.close();
      await contacts.close();
      await http.close();
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
  desk: TicketDesk = engine.tickets,
): { readonly contacts: Contacts; readonly http: FastifyInstance } {
  const deps: ContactDeps = {
    store: store.contacts,
    events: store.events,
    desk,
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
