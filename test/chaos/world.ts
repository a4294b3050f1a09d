import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { request } from 'undici';
import type { Lab } from '../../lab/lab.ts';
import type { GivenParamsOf, MethodName, ResultOf } from '../../src/cti/requests.ts';
import { partOfCall } from '../../src/engine/shard-part.ts';
import type { Settings } from '../support/ringmaster.ts';
import { Refused } from '../support/rpc-client.ts';
import { fetchFile } from '../support/wav.ts';
import { doorway } from './doorway.ts';
import { Machine } from './machine.ts';
import { People, waitFor } from './people.ts';
import { type Fetch, Recordings } from './recordings.ts';
import { type RedisClient, redisAt, Versions } from './versions.ts';
import { Witness } from './witness.ts';

/** How long a request may take before it counts as not answered, ms. */
const REQUEST_MS = 6_000;
/** How long an instance may take to start and be ready, ms; and how long the shards may be uneven. */
const START_MS = 60_000;
/** Seconds of after-call work. */
export const WRAP_UP_SECONDS = 6;
/** Seconds of a lease, as shipped. */
export const LEASE_SECONDS = 3;
const NODE = 'pbx-1';
/** Agents and queues. */
const FLOOR = 'floor';

/** Queue and outside number of a place, so that its callers reach its own agent. */
export const queueOf = (place: number): string => `8${String(place).padStart(3, '0')}`;
export const didOf = (place: number): string => `911190${String(place).padStart(3, '0')}000`;

export interface WorldOptions {
  readonly places: number;
  /** Stasis applications on the node. */
  readonly shards: 1 | 2;
}

/** A lab of one's own to break: Asterisk, Redis, two machines for the product, the networks between them, and everybody. */
export class World {
  readonly lab: Lab;
  readonly people: People;
  readonly machines: readonly [Machine, Machine];
  readonly witness: Witness;
  readonly versions: Versions;
  readonly recordings: Recordings;
  readonly prefix: string;
  readonly companyId: string;
  /** The node's shards, by name. */
  readonly shards: readonly string[];
  readonly redis: RedisClient;
  /** What must be put right once control is back, beside what the product itself does. */
  afterwards: (() => Promise<unknown>) | undefined;
  readonly key: string;
  #turn = 0;

  private constructor(parts: Pick<World, 'lab' | 'people' | 'machines' | 'versions' | 'prefix' | 'shards' | 'redis'>) {
    this.lab = parts.lab;
    this.people = parts.people;
    this.machines = parts.machines;
    this.versions = parts.versions;
    this.prefix = parts.prefix;
    this.shards = parts.shards;
    this.redis = parts.redis;
    const { companyId, key } = companyOf(parts.lab);
    this.companyId = companyId;
    this.key = key;
    this.recordings = new Recordings(
      join(parts.lab.file.asterisk.folder, 'spool', 'recording', 'ringmaster', companyId),
    );
    this.witness = new Witness(() => this.#nextOf(this.machines.filter((m) => m.running)), key);
  }

  /** @param lab with nothing of an earlier world in it */
  static async open(lab: Lab, { places, shards }: WorldOptions): Promise<World> {
    const prefix = `chaos${randomBytes(4).toString('hex')}`;
    const secret = randomBytes(24).toString('hex');
    await doorway(lab, shards);
    const people = await People.open(lab);
    const configure = (settings: Settings): void => {
      settings['drain'] = { deadlineSeconds: 1 };
      settings['cluster'] = { leaseSeconds: LEASE_SECONDS, peers: { secret } };
      people.lead(settings);
      for (const node of settings.nodes) Object.assign(node, { shards });
      const [main] = settings.companies;
      if (!main) throw new Error('the lab has no company');
      const numbers = Array.from({ length: places }, (_, n) => n);
      main.queues = numbers.map((n) => ({ id: queueOf(n), ringTimeout: 15, wrapUp: WRAP_UP_SECONDS }));
      main.routes = numbers.map((n) => ({ did: didOf(n), to: { queue: queueOf(n) } }));
    };
    const machine = (name: string, port: number) => Machine.open({ name, lab, port, prefix, configure });
    const machines: [Machine, Machine] = [
      await machine('a', lab.ports.rpc),
      // Its neighbours' ports lie a hundred apart.
      await machine('b', lab.ports.rpc + 1),
    ];
    const redis = redisAt(lab.file.redis.url);
    await redis.connect();
    const versions = await Versions.open(redis, prefix, companyOf(lab).companyId);
    const names =
      shards === 1 ? [`ringmaster@${NODE}`] : Array.from({ length: shards }, (_, n) => `ringmaster-${n}@${NODE}`);
    const world = new World({ lab, people, machines, versions, prefix, shards: names, redis });
    await world.have(1);
    await waitFor(() => world.witness.position !== undefined, 'the witness is subscribed');
    return world;
  }

  /** A key of the company in Redis. */
  keyOf(part: string): string {
    return `${this.prefix}:{${this.companyId}}:${part}`;
  }

  /** What every instance so far has logged, in the order of its time. */
  get logs(): readonly string[] {
    const time = (line: string): number => Number(/"time":(\d+)/.exec(line)?.[1] ?? 0);
    return this.machines.flatMap((m) => m.logs).toSorted((a, b) => time(a) - time(b));
  }

  /** Machines on which the product runs and is expected to answer. */
  get there(): readonly Machine[] {
    return this.machines.filter((m) => m.there);
  }

  /** The one instance where only one runs. @throws Error where there are none or two */
  get sole(): Machine {
    const [one, another] = this.machines.filter((m) => m.running);
    if (!one || another) throw new Error('not one instance runs');
    return one;
  }

  /** The shard that a call is in. */
  shardOf(callID: string): string {
    return this.shards[partOfCall(callID, this.shards.length)] ?? '';
  }

  /** Which machine's instance holds the lease of a shard, by Redis; undefined while nobody does. */
  async holderOf(shard: string): Promise<Machine | undefined> {
    const owner = await this.redis.hGet(`${this.prefix}:{~shards}:lease:${shard}`, 'owner');
    return this.machines.find((m) => owner?.startsWith(`${m.name}/`));
  }

  /** The machine that has agents and queues. */
  floorHolder(): Promise<Machine | undefined> {
    return this.holderOf(FLOOR);
  }

  /** Machines by how many of the node's shards they hold; of two that hold as many, the one with the agents first. */
  async byShares(): Promise<readonly [Machine, Machine]> {
    const holders = await Promise.all([...this.shards, FLOOR].map((shard) => this.holderOf(shard)));
    const floor = holders.pop();
    const share = (m: Machine): number => 2 * holders.filter((h) => h === m).length + Number(m === floor);
    const [a, b] = this.machines;
    return share(a) >= share(b) ? [a, b] : [b, a];
  }

  /**
   * Sees to it that so many instances run, and that the shards are where they belong.
   *
   * @param leaves which of two instances ends, in order, where one is too many
   * @returns what is wrong with that
   */
  async have(instances: 1 | 2, leaves: 0 | 1 = 0): Promise<readonly string[]> {
    if (instances === 1 && this.machines.every((m) => m.running)) await this.machines[leaves].end('SIGTERM');
    for (const machine of this.machines) {
      if (this.machines.filter((m) => m.running).length < instances && !machine.running) machine.start();
    }
    await this.inControl();
    return await this.atRest();
  }

  /** Waits until every shard has an owner that runs, and two instances have as many each. @returns what is not so */
  async atRest(): Promise<readonly string[]> {
    let wrong: string[] = [];
    const settled = async (): Promise<boolean> => {
      const holders = await Promise.all([...this.shards, FLOOR].map((shard) => this.holderOf(shard)));
      wrong = [...this.shards, FLOOR].flatMap((shard, i) => (holders[i]?.running ? [] : [`nobody has shard ${shard}`]));
      const most = Math.max(...this.machines.map((m) => holders.slice(0, -1).filter((h) => h === m).length));
      const fair = Math.ceil(this.shards.length / this.machines.filter((m) => m.running).length);
      if (most > fair) wrong.push(`one instance has ${most} of ${this.shards.length} shards`);
      return wrong.length === 0;
    };
    await waitFor(settled, 'the shards are where they belong', START_MS).catch(() => undefined);
    return wrong;
  }

  #nextOf(machines: readonly Machine[]): string {
    this.#turn += 1;
    return (machines[this.#turn % Math.max(1, machines.length)] ?? this.machines[0]).base;
  }

  /** A request to whichever instance is next. @throws Refused, or Error where nobody answers */
  call<M extends MethodName>(method: M, params: GivenParamsOf<M>): Promise<ResultOf<M>> {
    return this.#ask(this.#nextOf(this.there), method, params);
  }

  /** A request to this machine's instance. @throws Refused, or Error where it does not answer */
  callAt<M extends MethodName>(machine: Machine, method: M, params: GivenParamsOf<M>): Promise<ResultOf<M>> {
    return this.#ask(machine.base, method, params);
  }

  async #ask<M extends MethodName>(base: string, method: M, params: GivenParamsOf<M>): Promise<ResultOf<M>> {
    const answer = await request(`${base}/rpc`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const { result, error } = (await answer.body.json()) as {
      result?: ResultOf<M>;
      error?: { code: number; message: string; data?: unknown };
    };
    if (error) throw new Refused(method, error);
    return result as ResultOf<M>;
  }

  /** Asks whichever instance is next for a recording. */
  readonly fetchRecording: Fetch = (uuid) => fetchFile(`${this.#nextOf(this.there)}/recordings/${uuid}`, this.key);

  /** A request of which nobody knows whether it will be heard, to any machine on which the product runs. */
  async attempt<M extends MethodName>(method: M, params: GivenParamsOf<M>): Promise<ResultOf<M> | undefined> {
    const base = this.#nextOf(this.machines.filter((m) => m.running));
    return await this.#ask(base, method, params).catch(() => undefined);
  }

  /** True for a call that was begun by this number, or to reach it. */
  isOf(callID: string, number: string): boolean {
    const [created] = this.witness.of(callID);
    return (
      created !== undefined &&
      ['thisDN', 'otherDN'].some((field) => (created as { [name: string]: unknown })[field] === number)
    );
  }

  /** Waits until every instance that is expected to says that it is ready, and answers. */
  async inControl(): Promise<void> {
    const answers = async (machine: Machine): Promise<boolean> =>
      (await machine.isReady()) &&
      (await this.callAt(machine, 'RequestListCalls', { limit: 1 }).catch(() => undefined)) !== undefined;
    await Promise.all(
      this.there.map((m) => waitFor(() => answers(m), `the instance on machine ${m.name} is ready`, START_MS)),
    );
  }

  /** Takes back whatever was broken, where a round could not be finished; instances that have ended stay so. */
  async mend(): Promise<void> {
    for (const machine of this.machines) machine.mend();
    for (const { pid } of [this.lab.redis, this.lab.asterisk]) if (pid !== undefined) process.kill(pid, 'SIGCONT');
    await this.lab.redis.start(() => {});
    await this.lab.startAsterisk();
    this.afterwards = undefined;
  }

  async close(): Promise<void> {
    this.witness.close();
    await Promise.all(this.machines.map((m) => m.close()));
    await this.people.close();
    this.versions.close();
    this.redis.destroy();
  }
}

function companyOf(lab: Lab): { readonly companyId: string; readonly key: string } {
  const [company] = lab.file.companies;
  const key = company?.keys[0]?.key;
  if (!company || key === undefined) throw new Error('the lab has no company');
  return { companyId: company.companyId, key };
}
