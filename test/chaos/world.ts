import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { request } from 'undici';
import type { Lab } from '../../lab/lab.ts';
import type { GivenParamsOf, MethodName, ResultOf } from '../../src/cti/requests.ts';
import type { Settings } from '../support/ringmaster.ts';
import { RingmasterProcess } from '../support/ringmaster-process.ts';
import { Refused } from '../support/rpc-client.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { People, waitFor } from './people.ts';
import { Witness } from './witness.ts';

/** How long a request may take before it counts as not answered, ms. */
const REQUEST_MS = 5_000;
/** Seconds of after-call work. */
export const WRAP_UP_SECONDS = 4;

/** Queue and outside number of a place, so that its callers reach its own agent. */
export const queueOf = (place: number): string => `8${String(place).padStart(3, '0')}`;
export const didOf = (place: number): string => `911190${String(place).padStart(3, '0')}000`;

/** A lab of one's own to break: Asterisk, Redis, a Ringmaster as a process, a network between them, and everybody. */
export class World {
  readonly lab: Lab;
  readonly people: People;
  readonly ari: TcpProxy;
  readonly ami: TcpProxy;
  readonly witness: Witness;
  readonly prefix = `chaos${randomBytes(4).toString('hex')}`;
  readonly companyId: string;
  readonly redis: ReturnType<typeof createClient>;
  /** What must be put right once the instance is back, beside what the instance itself does. */
  afterwards: (() => Promise<unknown>) | undefined;
  readonly #key: string;
  readonly #places: number;
  readonly #orders: string;
  readonly #logs: string[] = [];
  #instance: RingmasterProcess;

  private constructor(lab: Lab, people: People, ari: TcpProxy, ami: TcpProxy, places: number) {
    this.lab = lab;
    this.people = people;
    this.ari = ari;
    this.ami = ami;
    this.#places = places;
    this.#orders = join(mkdtempSync(join(tmpdir(), 'ringmaster-chaos-')), 'orders');
    const [company] = lab.file.companies;
    const key = company?.keys[0]?.key;
    if (!company || key === undefined) throw new Error('the lab has no company');
    this.companyId = company.companyId;
    this.#key = key;
    this.#instance = this.#start('');
    this.witness = new Witness(() => `${this.base.replace('http', 'ws')}/rpc`, key);
    this.redis = createClient({ url: lab.file.redis.url });
    this.redis.on('error', () => undefined); // it is killed on purpose, and comes back
  }

  static async open(lab: Lab, places: number): Promise<World> {
    const ari = new URL(lab.file.asterisk.ari.url);
    const { ami } = lab.file.asterisk;
    const [ariProxy, amiProxy, people] = await Promise.all([
      TcpProxy.start(ari.hostname, Number(ari.port)),
      TcpProxy.start(ami.host, ami.port),
      People.open(lab),
    ]);
    const world = new World(lab, people, ariProxy, amiProxy, places);
    await world.redis.connect();
    await world.inControl();
    await waitFor(() => world.witness.position !== undefined, 'the witness is subscribed');
    return world;
  }

  get base(): string {
    return `http://127.0.0.1:${this.lab.ports.rpc}`;
  }

  get instance(): RingmasterProcess {
    return this.#instance;
  }

  /** What every instance so far has logged. */
  get logs(): readonly string[] {
    return [...this.#logs, ...this.#instance.log.map((line) => JSON.stringify(line))];
  }

  /** Starts the product anew, where the earlier one has ended. @param orders what is to go wrong (src/faults.ts) */
  start(orders = ''): void {
    this.#logs.push(...this.#instance.log.map((line) => JSON.stringify(line)), '{"msg":"── the next instance ──"}');
    this.#logs.splice(0, Math.max(0, this.#logs.length - 20_000));
    this.#instance = this.#start(orders);
  }

  /** Tells the running instance what is to go wrong. */
  order(orders: string): void {
    writeFileSync(this.#orders, orders);
    this.#instance.kill('SIGUSR2');
  }

  #start(orders: string): RingmasterProcess {
    writeFileSync(this.#orders, orders);
    return new RingmasterProcess(this.lab, {
      prefix: this.prefix,
      change: (settings) => this.#configure(settings),
      main: process.env['RINGMASTER_CHAOS_MAIN'],
      env: { NODE_ENV: 'test', RINGMASTER_FAULTS: this.#orders },
    });
  }

  #configure(settings: Settings): void {
    settings.listen = `127.0.0.1:${this.lab.ports.rpc}`;
    settings['drain'] = { deadlineSeconds: 1 };
    this.people.lead(settings);
    for (const node of settings.nodes) {
      node.ari.url = `http://127.0.0.1:${this.ari.port}/ari`;
      node.ami.host = '127.0.0.1';
      node.ami.port = this.ami.port;
    }
    const [main] = settings.companies;
    if (!main) throw new Error('the lab has no company');
    const places = Array.from({ length: this.#places }, (_, n) => n);
    main.queues = places.map((n) => ({ id: queueOf(n), ringTimeout: 15, wrapUp: WRAP_UP_SECONDS }));
    main.routes = places.map((n) => ({ did: didOf(n), to: { queue: queueOf(n) } }));
  }

  /** A request. @throws Refused, or Error where nobody answers */
  async call<M extends MethodName>(method: M, params: GivenParamsOf<M>, within = REQUEST_MS): Promise<ResultOf<M>> {
    const answer = await request(`${this.base}/rpc`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(within),
    });
    const { result, error } = (await answer.body.json()) as {
      result?: ResultOf<M>;
      error?: { code: number; message: string; data?: unknown };
    };
    if (error) throw new Refused(method, error);
    return result as ResultOf<M>;
  }

  /** A request of which nobody knows whether it will be heard. */
  async attempt<M extends MethodName>(method: M, params: GivenParamsOf<M>): Promise<ResultOf<M> | undefined> {
    return await this.call(method, params).catch(() => undefined);
  }

  /** True for a call that was begun by this number, or to reach it. */
  isOf(callID: string, number: string): boolean {
    const [created] = this.witness.of(callID);
    return (
      created !== undefined &&
      ['thisDN', 'otherDN'].some((field) => (created as { [name: string]: unknown })[field] === number)
    );
  }

  /** Waits until it says that it is ready. */
  async ready(within = 60_000): Promise<void> {
    await waitFor(
      async () => {
        const answer = await request(`${this.base}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(
          () => undefined,
        );
        await answer?.body.dump();
        return answer?.statusCode === 200;
      },
      'the instance is ready',
      within,
    );
  }

  /** Waits until the instance that runs is ready and answers. */
  async inControl(): Promise<void> {
    await this.ready();
    await waitFor(async () => (await this.attempt('RequestListCalls', { limit: 1 })) !== undefined, 'it answers');
  }

  async metric(name: string): Promise<number> {
    const text = await (await request(`${this.base}/metrics`)).body.text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async close(): Promise<void> {
    this.witness.close();
    this.ari.unblock();
    this.ari.thaw();
    await this.#instance.stop();
    await this.people.close();
    await Promise.all([this.ari.stop(), this.ami.stop()]);
    this.redis.destroy();
    rmSync(join(this.#orders, '..'), { recursive: true, force: true });
  }
}
