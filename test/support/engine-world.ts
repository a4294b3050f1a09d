import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createClient } from 'redis';
import type { Agent } from '../../src/agents/agent.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import type { ResultOf } from '../../src/cti/requests.ts';
import { Directory } from '../../src/engine/directory.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { apiKeys, createRpcServer, type RpcServer } from '../../src/rpc/index.ts';
import { Store, StoreUnavailable } from '../../src/store/store.ts';
import { CallAdmission } from '../../src/switch/admission.ts';
import type { End } from '../unit/calls/flow.ts';
import type { Answered } from './rpc-harness.ts';
import { SimulatedSwitch } from './simulated-switch.ts';
import { company } from './store-kit.ts';
import { storedEngine } from './stored-engine.ts';

const ACME = company('acme');
const SCOPES = ['call', 'agent', 'supervise', 'dial', 'read'] as const;
/** Keys of the log and of the shards: they grow by a refusal's own event, or with nothing of a call's. */
const OF_THE_LOG = /:(events|event-id|event-ages)$/;

/** The key of the RPC that may ask once, and then not for a long time. */
export const SLOW_KEY = 'slow-secret-0001';
const KEY = 'full-secret-0001';

export interface WorldOptions {
  /** False: the company has no trunk, and reaches nobody outside. */
  readonly trunk?: boolean;
}

type Wire = { readonly status: number; readonly body: Answered };

/**
 * The service from RPC to Redis, all of it real, on a simulated node. Phones are moved by the test; every DN of the
 * form 1xxx is one.
 */
export class EngineWorld {
  readonly node = new SimulatedSwitch();
  readonly failures: unknown[] = [];
  readonly #prefix = `t${randomBytes(6).toString('hex')}`;
  readonly #redis: ReturnType<typeof createClient>;
  readonly #options: WorldOptions;
  readonly #url: string;
  #store: Store;
  #engine: Engine;
  #rpc: RpcServer | undefined;
  #port = 0;

  private constructor(url: string, options: WorldOptions) {
    this.#url = url;
    this.#options = options;
    this.#redis = createClient({ url });
    this.#store = this.#openStore();
    this.#engine = this.#newEngine();
  }

  static async open(url: string, options: WorldOptions = {}): Promise<EngineWorld> {
    const world = new EngineWorld(url, options);
    await world.#redis.connect();
    await world.#start();
    return world;
  }

  async close(): Promise<void> {
    await this.#stop();
    this.#redis.destroy();
  }

  /** Ends the process and starts the next one, on what Redis holds by then. The node keeps what it has. */
  async restart(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await this.#stop();
    await meanwhile();
    this.#store = this.#openStore();
    this.#engine = this.#newEngine();
    await this.#start();
  }

  get engine(): Engine {
    return this.#engine;
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** POSTs a text to /rpc. */
  async post(text: string, key: string = KEY): Promise<Wire> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/rpc`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: text,
    });
    return { status: response.status, body: (await response.json()) as Answered };
  }

  async ask(method: string, params: object, key?: string): Promise<Answered> {
    return (await this.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), key)).body;
  }

  /** Asks for what must be granted. */
  async grant(method: string, params: object): Promise<Record<string, string>> {
    const { result, error } = await this.ask(method, params);
    if (!result) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Record<string, string>;
  }

  // ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The node tells something of a party's leg; settles once the call has taken it in. */
  async tells(partyID: string, kind: 'leg-ringing' | 'leg-answered' | 'leg-ended', end: End = {}): Promise<void> {
    const channel = partyID;
    this.#engine.onFact(this.node.node, kind === 'leg-ended' ? { kind, channel, ...end } : { kind, channel });
    // Asked after it, answered after it.
    await this.ask('RequestUpdateAttachedData', { callID: partyID.replace(/-\d+$/, ''), attachedData: {} });
  }

  async answers(partyID: string): Promise<void> {
    await this.tells(partyID, 'leg-ringing');
    await this.tells(partyID, 'leg-answered');
  }

  /** A live call as RequestListCalls shows it. */
  async callOf(callID: string): Promise<ResultOf<'RequestListCalls'>['calls'][number]> {
    const { calls } = (await this.grant('RequestListCalls', {})) as unknown as ResultOf<'RequestListCalls'>;
    const call = calls.find((c) => c.callID === callID);
    if (!call) throw new Error(`call ${callID} is not live`);
    return call;
  }

  /** A call of two who talk. @returns its id */
  async talk(thisDN: string, otherDN: string): Promise<string> {
    const { callID = '' } = await this.grant('RequestMakeCall', { thisDN, otherDN });
    await this.answers(`${callID}-1`);
    await this.answers(`${callID}-2`);
    return callID;
  }

  /** A request that rings somebody into a call, and he answers. */
  async bring(method: string, params: object): Promise<string> {
    const { partyID = '' } = await this.grant(method, params);
    await this.answers(partyID);
    return partyID;
  }

  // ── what is stored ────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Everything that Redis holds of calls and agents, by key. The log is left out, and with it which commit was a call's
   * last: a refusal's event is stored by a commit of the call that it was about.
   */
  async stored(): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for await (const keys of this.#redis.scanIterator({ MATCH: `${this.#prefix}:*`, COUNT: 1000 })) {
      for (const key of keys) if (!OF_THE_LOG.test(key)) found[key] = await this.#valueOf(key);
    }
    return found;
  }

  /** Stores another call in place of the one that is there. */
  async tamper(callID: string, change: (call: Record<string, unknown>) => object): Promise<void> {
    const key = this.callKey(callID);
    const stored = JSON.parse((await this.#redis.hGet(key, 'd')) ?? '{}') as Record<string, unknown>;
    await this.#redis.hSet(key, 'd', JSON.stringify(change(stored)));
  }

  callKey(callID: string): string {
    return `${this.#prefix}:{${ACME}}:call:${callID}`;
  }

  /** Puts something that makes no sense where a value should be. @returns what puts the old value back */
  async spoil(key: string): Promise<() => Promise<void>> {
    const kept = `${key}:kept`;
    const was = await this.#redis.exists(key);
    if (was) await this.#redis.rename(key, kept);
    await this.#redis.set(key, 'no such thing');
    return async () => {
      if (was) await this.#redis.rename(kept, key);
      else await this.#redis.del(key);
    };
  }

  get logKey(): string {
    return `${this.#prefix}:{${ACME}}:events`;
  }

  /** The agent's record. */
  async agent(agentID: string): Promise<Agent | undefined> {
    const json = await this.#redis.hGet(`${this.#prefix}:{${ACME}}:agents`, agentID);
    return json ? (JSON.parse(json) as Agent) : undefined;
  }

  /** The company's events from the first, once there is one that is looked for. */
  eventsUntil(wanted: (event: CtiEvent) => boolean): Promise<CtiEvent[]> {
    const events: CtiEvent[] = [];
    let after = 0;
    return new Promise((resolve, reject) => {
      const read = async (): Promise<void> => {
        const more = await this.#store.events.read(ACME, after, 1000);
        if (more === 'expired') throw new Error('the log has lost events');
        for (const e of more) events.push(JSON.parse(e.json) as CtiEvent);
        after = more.at(-1)?.eventID ?? after;
        if (!events.some(wanted)) return;
        done();
        resolve(events);
      };
      let reading = Promise.resolve();
      const look = (): void => {
        reading = reading.then(read).catch(reject);
      };
      const done = this.#store.events.tail(ACME, look);
      look();
    });
  }

  // ── wiring ────────────────────────────────────────────────────────────────────────────────────────────────────

  #openStore(): Store {
    const note = (error: unknown): void => void this.failures.push(error);
    return new Store({
      url: this.#url,
      prefix: this.#prefix,
      listener: { onDown: (_, error) => note(error), onUp: () => {}, onError: note },
    });
  }

  #newEngine(): Engine {
    const { trunk = true } = this.#options;
    const directory = new Directory(
      [
        {
          companyId: ACME,
          extensions: { pattern: /^1\d{3}$/, endpoint: 'PJSIP/{dn}' },
          numbers: { pattern: /^\d{7,15}$/ },
          ...(trunk && { trunk: 'carrier' }),
          routes: [],
          queues: [],
        },
      ],
      [{ id: 'carrier', endpoint: 'PJSIP/{number}@carrier' }],
    );
    return storedEngine(this.#store, {
      admission: new CallAdmission({}, Date.now),
      directory,
      log: {
        info: () => {},
        error: (what, error) => this.failures.push([what, error]),
        storeAway: (error) => this.failures.push(error),
        storeBack: () => {},
      },
      isPassing: (error) => error instanceof StoreUnavailable && error.retryable,
      onFenced: (shard) => this.failures.push(shard),
    });
  }

  async #start(): Promise<void> {
    await this.#store.connected();
    const engine = this.#engine;
    await engine.addNode({ id: this.node.node, number: 4, app: 'ringmaster', switch: this.node });
    await engine.openFloors();
    this.#rpc = createRpcServer({
      requests: engine,
      log: this.#store.events,
      keys: apiKeys([
        { name: 'full', key: KEY, companyId: ACME, scopes: [...SCOPES] },
        { name: 'slow', key: SLOW_KEY, companyId: ACME, scopes: ['call'], requestsPerSecond: 0.001, burst: 1 },
      ]),
      readiness: () => engine.readiness(true),
      registry: new Registry(),
      logger: pino({ level: 'silent' }),
      version: '1.2.3',
      onRefused: (caller, method, params, refusal) => engine.publishRefusal(caller, method, params, refusal),
    });
    this.#port = (await this.#rpc.listen({ host: '127.0.0.1', port: 0 })).port;
  }

  async #stop(): Promise<void> {
    await this.#rpc?.close();
    this.#engine.close();
    await this.#store.close();
  }

  async #valueOf(key: string): Promise<unknown> {
    switch (await this.#redis.type(key)) {
      case 'hash': {
        const { v: _v, t: _t, e: _e, ...held } = await this.#redis.hGetAll(key);
        return held;
      }
      case 'set':
        return (await this.#redis.sMembers(key)).sort();
      case 'zset':
        return this.#redis.zRangeWithScores(key, 0, -1);
      default:
        return this.#redis.get(key);
    }
  }
}
