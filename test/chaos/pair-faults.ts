import type { Random } from '../support/random.ts';
import { elapse, type Fault, type Mend } from './fault.ts';
import { dieAt, type Point } from './fault-points.ts';
import type { Machine } from './machine.ts';
import { LEASE_SECONDS, type World } from './world.ts';

/** What is shorter than a lease moves no shard; what is longer does. */
const BRIEF = 1;
const LONG = LEASE_SECONDS + 2;

/** It comes back after a while. */
const comesBack =
  (machine: Machine, down: number): Mend =>
  async () => {
    await elapse(down);
    machine.start();
  };

/** @param which 0: the one with most of the shards; 1: the other one */
const killOne = (name: string, which: 0 | 1): Fault => ({
  name,
  instances: 2,
  async run(world, _random, down) {
    const one = (await world.byShares())[which];
    await one.end('SIGKILL');
    return comesBack(one, down);
  },
});

/** One of those that have something to do there. */
async function workerAt(world: World, point: Point, random: Random): Promise<Machine> {
  if (point === 'after-floor-commit') return (await world.floorHolder()) ?? (await world.byShares())[0];
  const machines = await world.byShares();
  return world.shards.length === 1 ? machines[0] : random.pick(machines);
}

const deathAt = (point: Point): Fault => ({
  name: `kill -9 ${point} with two instances`,
  instances: 2,
  async run(world, random, down) {
    const one = await workerAt(world, point, random);
    await dieAt(world, one, point, random);
    return comesBack(one, down);
  },
});

const killBoth: Fault = {
  name: 'kill -9 of both',
  instances: 2,
  async run(world, _random, down) {
    await Promise.all(world.machines.map((m) => m.end('SIGKILL')));
    await elapse(down);
    for (const machine of world.machines) machine.start();
    return undefined;
  },
};

/** Whoever stood still must not go on as if nothing had been. */
const standStill = (name: string, which: 0 | 1): Fault => ({
  name,
  instances: 2,
  async run(world, random, down) {
    const one = (await world.byShares())[which];
    one.away = true;
    one.signal('SIGSTOP');
    const wakes: Mend = async () => {
      await elapse(Math.max(down, LONG));
      one.signal('SIGCONT');
      one.away = false;
    };
    if (random.chance(0.8)) return wakes;
    await elapse(BRIEF);
    one.signal('SIGCONT');
    one.away = false;
    return undefined;
  },
});

const rolling: Fault = {
  name: 'rolling restart',
  instances: 2,
  async run(world, random) {
    for (const machine of random.shuffle(world.machines)) {
      await machine.end('SIGTERM');
      machine.start();
      await machine.process.listening();
    }
    return undefined;
  },
};

const heirDies: Fault = {
  name: 'the heir dies in a hand-over',
  instances: 2,
  async run(world, random, down) {
    const [one, heir] = await world.byShares();
    const gone = one.end('SIGTERM');
    await elapse(random.int(0, 200) / 1000);
    await heir.end('SIGKILL');
    await gone;
    await elapse(down);
    heir.start();
    return comesBack(one, 0);
  },
};

const noRedis: Fault = {
  name: 'one instance cut from Redis',
  instances: 2,
  async run(world, random, down) {
    const one = random.pick(world.machines);
    const halfOpen = random.chance(0.5);
    one.away = true;
    if (halfOpen) one.redis.freeze();
    else one.redis.block();
    const joined = (): void => {
      one.redis.unblock();
      one.redis.thaw();
      one.away = false;
    };
    if (random.chance(0.8)) {
      return async () => {
        await elapse(Math.max(down, LONG));
        joined();
      };
    }
    await elapse(BRIEF);
    joined();
    return undefined;
  },
};

/** It reaches Redis and goes on living; its calls must be the other one's, and obey whichever is asked. */
const noAsterisk: Fault = {
  name: 'one instance cut from Asterisk',
  instances: 2,
  async run(world, random, down) {
    const [one] = await world.byShares();
    const { ari, ami } = one;
    const networks = [ari, ami];
    const halfOpen = random.chance(0.5);
    for (const network of networks) {
      if (halfOpen) network.freeze();
      else network.block();
    }
    const joined = (): void => {
      for (const network of networks) {
        network.unblock();
        network.thaw();
      }
      one.deaf = false;
    };
    if (random.chance(0.8)) {
      one.deaf = true;
      return async () => {
        await elapse(down);
        joined();
      };
    }
    await elapse(BRIEF);
    joined();
    return undefined;
  },
};

const noNetwork: Fault = {
  name: 'one instance cut from everything',
  instances: 2,
  async run(world, _random, down) {
    const [one] = await world.byShares();
    const networks = [one.redis, one.ari, one.ami];
    one.away = true;
    for (const network of networks) network.block();
    return async () => {
      await elapse(Math.max(down, LONG));
      for (const network of networks) network.unblock();
      one.away = false;
    };
  },
};

/** What befalls one of two instances. */
export const PAIR_FAULTS: readonly Fault[] = [
  killOne('kill -9 of the owner', 0),
  killOne('kill -9 of the other', 1),
  deathAt('after-commit'),
  deathAt('after-command'),
  deathAt('after-floor-commit'),
  killBoth,
  standStill('the owner stands still', 0),
  standStill('the other stands still', 1),
  rolling,
  heirDies,
  noRedis,
  noAsterisk,
  noNetwork,
];
