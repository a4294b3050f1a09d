import fc from 'fast-check';
import { type CallID, CompanyId, newCallID } from '../../src/cti/ids.ts';
import type { SharedPlaces } from '../../src/ports.ts';
import { CallAdmission } from '../../src/switch/admission.ts';
import { SharedCount } from '../../src/switch/shared-count.ts';

/**
 * Instances that share shards, and calls that begin, grow, shrink and end in them, in any order: what is really there is
 * kept beside, and must never be more than the limits say, and nothing must be left of what has ended.
 */

export const SHARDS = ['app-0@a', 'app-1@a', 'app@b'] as const;
export const TRUNK_CALLS = 3;
export const COMPANY_CALLS = 4;
const COMPANY = CompanyId.parse('acme');
const INSTANCES = 3;

/** What happens next. Numbers choose among what there is then. */
export type Step =
  | { readonly do: 'begin'; readonly at: number; readonly shard: number; readonly trunk: boolean }
  | { readonly do: 'end' | 'add-leg' | 'end-leg'; readonly call: number }
  /** The shard goes there; its owner, if it lives, notices now or later. */
  | { readonly do: 'take'; readonly shard: number; readonly at: number; readonly noticed: boolean }
  | { readonly do: 'notice' | 'die' | 'fault'; readonly at: number }
  /** What is under way with Redis goes on: a script is run, an answer arrives. */
  | { readonly do: 'run' | 'answer'; readonly at: number }
  | { readonly do: 'wait' };

const nat = fc.nat({ max: 1_000 });
const often = (n: number): { weight: number } => ({ weight: n });

export const story: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      ...often(9),
      arbitrary: fc.record({ do: fc.constant('begin' as const), at: nat, shard: nat, trunk: fc.boolean() }),
    },
    {
      ...often(6),
      arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'add-leg' as const, 'end-leg' as const), call: nat }),
    },
    {
      ...often(3),
      arbitrary: fc.record({ do: fc.constant('take' as const), shard: nat, at: nat, noticed: fc.boolean() }),
    },
    {
      ...often(2),
      arbitrary: fc.record({ do: fc.constantFrom('notice' as const, 'die' as const, 'fault' as const), at: nat }),
    },
    { ...often(14), arbitrary: fc.record({ do: fc.constantFrom('run' as const, 'answer' as const), at: nat }) },
    { ...often(1), arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
  ),
  { maxLength: 80, size: 'max' },
);

/** Which instance has which shard, by number. */
export const whose = fc.array(fc.nat({ max: INSTANCES - 1 }), { minLength: SHARDS.length, maxLength: SHARDS.length });

/** How an instance reaches the places that all share. */
export interface Connection {
  readonly places: SharedPlaces;
  /** Lets one script run, or one answer arrive, where that is in the test's hands. */
  run(): void;
  answer(): void;
  /** The next script is run and its answer lost, or neither. */
  fault(): void;
  /** Nothing more goes out or comes in. */
  cut(): void;
  /** Everything that is under way has been answered. */
  readonly quiet: boolean;
}

/** Where the places are. */
export interface Ground {
  connect(): Connection;
  /** Another instance has the shard from now on. @returns its token */
  take(shard: string): Promise<number>;
}

interface RealCall {
  readonly shard: string;
  readonly trunk: boolean;
  /** Legs on the trunk beyond the first. */
  legs: number;
}

class Instance {
  readonly admission: CallAdmission;
  readonly connection: Connection;
  readonly shared: SharedCount;
  /** Shards that it believes to be its own, with their tokens. */
  readonly believes = new Map<string, number>();
  alive = true;
  /** Answers that it waits for. */
  asking = 0;
  readonly #pauses: (() => void)[] = [];

  constructor(ground: Ground) {
    this.connection = ground.connect();
    let shared: SharedCount | undefined;
    this.admission = new CallAdmission(
      {
        trunks: new Map([['t', { calls: TRUNK_CALLS }]]),
        companies: new Map([[COMPANY, { calls: COMPANY_CALLS }]]),
      },
      () => 0,
      (countsOf) => {
        shared = new SharedCount({
          places: this.connection.places,
          shards: SHARDS,
          countsOf,
          pause: () => new Promise((resolve) => this.#pauses.push(resolve)),
          warn: () => undefined,
        });
        return shared;
      },
    );
    if (!shared) throw new Error('nothing is shared');
    this.shared = shared;
  }

  wait(): void {
    for (const resolve of this.#pauses.splice(0)) resolve();
  }
}

/** One story as it goes. */
export class Told {
  readonly #ground: Ground;
  readonly #instances: Instance[];
  /** Who really has a shard. */
  readonly #owners = new Map<string, { instance: Instance; token: number }>();
  readonly #calls = new Map<CallID, RealCall>();
  /** Never more than this was there at once. */
  most = { trunk: 0, company: 0 };
  #n = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#instances = Array.from({ length: INSTANCES }, () => new Instance(ground));
  }

  async tell(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#step(step);
      // What else happens, happens in one turn of the loop.
      if (step.do === 'run' || step.do === 'answer') await turn();
    }
  }

  /** What is under way ends, and everybody knows who has what. */
  async settle(): Promise<void> {
    for (const [i] of this.#instances.entries()) this.#notice(this.#at(i));
    for (let quiet = 0; quiet < 3; ) {
      for (const { connection } of this.#instances) {
        connection.run();
        connection.answer();
      }
      await turn();
      for (const i of this.#instances) i.wait();
      await turn();
      quiet = this.#instances.every((i) => i.asking === 0 && i.connection.quiet) ? quiet + 1 : 0;
    }
  }

  /** All calls end, wherever they are. */
  async endAll(): Promise<void> {
    for (const callID of [...this.#calls.keys()]) this.#end(callID);
    await this.settle();
  }

  /** Gives shards to instances, by number. */
  async share(owners: readonly number[]): Promise<void> {
    for (const [i, shard] of SHARDS.entries()) await this.#take(shard, this.#at(owners[i] ?? 0), true);
    await this.settle();
  }

  /** How many calls over the trunk the instance can begin in its shards now; they stay. */
  async fill(at: number): Promise<number> {
    const instance = this.#at(at);
    const before = this.#calls.size;
    for (let n = 0; n < TRUNK_CALLS + 2; n++) {
      const [shard] = [...instance.believes.keys()].slice(n % Math.max(1, instance.believes.size));
      if (shard !== undefined) this.#begin(instance, shard, true);
      await this.settle();
    }
    return this.#calls.size - before;
  }

  close(): void {
    for (const i of this.#instances) i.shared.close();
  }

  async #step(step: Step): Promise<void> {
    switch (step.do) {
      case 'begin': {
        const instance = this.#at(step.at);
        const shards = [...instance.believes.keys()];
        const shard = shards[step.shard % Math.max(1, shards.length)];
        if (shard !== undefined) this.#begin(instance, shard, step.trunk);
        return;
      }
      case 'end':
        this.#end(this.#callAt(step.call));
        return;
      case 'add-leg':
        this.#addLeg(this.#callAt(step.call));
        return;
      case 'end-leg': {
        const callID = this.#callAt(step.call);
        const call = callID && this.#calls.get(callID);
        if (!callID || !call || call.legs === 0) return;
        call.legs -= 1;
        this.#tellUses(callID, call);
        return;
      }
      case 'take':
        await this.#take(SHARDS[step.shard % SHARDS.length] ?? SHARDS[0], this.#at(step.at), step.noticed);
        return;
      case 'notice':
        this.#notice(this.#at(step.at));
        return;
      case 'die':
        this.#die(step.at % INSTANCES);
        return;
      case 'fault':
        this.#at(step.at).connection.fault();
        return;
      case 'run':
        this.#at(step.at).connection.run();
        return;
      case 'answer':
        this.#at(step.at).connection.answer();
        return;
      case 'wait':
        for (const i of this.#instances) i.wait();
        return;
    }
  }

  #begin(instance: Instance, shard: string, trunk: boolean): void {
    this.#n += 1;
    const callID = newCallID(String(this.#n).padStart(32, '0'), 1);
    const token = instance.believes.get(shard);
    const call = { callID, companyId: COMPANY, node: 'a', shard, ...(trunk && { trunk: 't' }) };
    this.#asked(instance, instance.admission.admit(call), (noRoom) => {
      if (noRoom || !instance.alive) return;
      // What is begun for a shard that is another's is refused as it is stored.
      const owner = this.#owners.get(shard);
      if (owner?.instance === instance && owner.token === token) this.#calls.set(callID, { shard, trunk, legs: 0 });
      else instance.admission.release(callID);
      this.#measure();
    });
  }

  #addLeg(callID: CallID | undefined): void {
    const call = callID && this.#calls.get(callID);
    const owner = call && this.#owners.get(call.shard);
    if (!callID || !call || !owner?.instance.alive) return;
    const { instance, token } = owner;
    this.#asked(instance, instance.admission.admitUse(callID, { trunk: 't' }), (noRoom) => {
      const now = this.#owners.get(call.shard);
      if (noRoom || !instance.alive) return;
      if (now?.token === token && this.#calls.get(callID) === call) {
        call.legs += 1;
        this.#tellUses(callID, call);
      }
      instance.admission.settled(callID, { trunk: 't' });
      this.#measure();
    });
  }

  #tellUses(callID: CallID, { shard, trunk, legs }: RealCall): void {
    const { instance } = this.#owners.get(shard) ?? {};
    const onTrunk = legs + (trunk ? 1 : 0);
    if (instance?.alive) instance.admission.usesOf(callID, Array(onTrunk).fill({ trunk: 't' }));
  }

  #end(callID: CallID | undefined): void {
    const call = callID && this.#calls.get(callID);
    if (!callID || !call) return;
    this.#calls.delete(callID);
    // Where nobody listens it is found out by whoever has the shard next.
    const { instance } = this.#owners.get(call.shard) ?? {};
    if (instance?.alive) instance.admission.release(callID);
  }

  async #take(shard: string, to: Instance, noticed: boolean): Promise<void> {
    const before = this.#owners.get(shard);
    if (before?.instance === to) return;
    const token = await this.#ground.take(shard);
    this.#owners.set(shard, { instance: to, token });
    if (noticed && before) this.#notice(before.instance);
    // It may have had the shard before, and not have noticed that it had gone.
    if (to.believes.has(shard)) to.admission.disown(shard);
    to.believes.set(shard, token);
    for (const [callID, call] of this.#calls) {
      if (call.shard !== shard) continue;
      to.admission.readmit({
        callID,
        companyId: COMPANY,
        node: 'a',
        shard,
        ...((call.trunk || call.legs > 0) && { trunk: 't' }),
      });
      // As the engine does: the trunk of the first leg that has one is the call's own.
      this.#tellUses(callID, call);
    }
    to.admission.own(shard, token);
  }

  #notice(instance: Instance): void {
    for (const shard of [...instance.believes.keys()]) {
      if (this.#owners.get(shard)?.token === instance.believes.get(shard)) continue;
      instance.believes.delete(shard);
      instance.admission.disown(shard);
    }
  }

  /** It dies, and another process begins in its place, without a shard. */
  #die(at: number): void {
    const instance = this.#at(at);
    instance.alive = false;
    instance.shared.close();
    instance.connection.cut();
    instance.wait();
    this.#instances[at] = new Instance(this.#ground);
  }

  #asked<T>(instance: Instance, answer: T | Promise<T>, then: (answer: T) => void): void {
    if (!(answer instanceof Promise)) {
      then(answer);
      return;
    }
    instance.asking += 1;
    const over = (): void => {
      instance.asking -= 1;
    };
    answer.then(then, () => undefined).finally(over);
  }

  #measure(): void {
    let trunk = 0;
    for (const call of this.#calls.values()) trunk += call.legs + (call.trunk ? 1 : 0);
    this.most = { trunk: Math.max(this.most.trunk, trunk), company: Math.max(this.most.company, this.#calls.size) };
  }

  #at(n: number): Instance {
    const instance = this.#instances[n % INSTANCES];
    if (!instance) throw new RangeError('no instances');
    return instance;
  }

  #callAt(n: number): CallID | undefined {
    return [...this.#calls.keys()][n % Math.max(1, this.#calls.size)];
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
