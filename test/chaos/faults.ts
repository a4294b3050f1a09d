import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { elapse, type Fault } from './fault.ts';
import { INSTANCE_FAULTS } from './instance-faults.ts';
import { PAIR_FAULTS } from './pair-faults.ts';
import type { World } from './world.ts';

const redisKilled: Fault = {
  name: 'Redis killed',
  instances: 1,
  async run(world, _random, down) {
    await world.lab.redis.kill();
    await elapse(down);
    await world.lab.redis.start(() => {});
    return undefined;
  },
};

const redisFrozen: Fault = {
  name: 'Redis frozen',
  instances: 1,
  async run(world, _random, down) {
    const { pid } = world.lab.redis;
    if (pid === undefined) throw new Error('Redis does not run');
    process.kill(pid, 'SIGSTOP');
    await elapse(down);
    process.kill(pid, 'SIGCONT');
    return undefined;
  },
};

/** The file that Redis adds to (appendonly yes). */
function appendOnlyFile(world: World): string {
  const folder = join(world.lab.file.dir, 'redis', 'appendonlydir');
  const name = readdirSync(folder).find((one) => one.endsWith('.incr.aof'));
  if (name === undefined) throw new Error('Redis keeps no append-only file');
  return join(folder, name);
}

/** As after a power cut with `appendfsync everysec`: what was written last is not there. */
const redisForgets: Fault = {
  name: 'Redis loses its last second',
  instances: 1,
  async run(world, _random, down) {
    const file = appendOnlyFile(world);
    const { size } = statSync(file);
    await elapse(1);
    await world.lab.redis.kill();
    truncateSync(file, size);
    await elapse(Math.min(down, 2));
    await world.lab.redis.start(() => {});
    return undefined;
  },
};

const asteriskKilled: Fault = {
  name: 'Asterisk killed',
  instances: 1,
  endsCalls: true,
  async run(world, _random, down) {
    await world.lab.killAsterisk();
    world.recordings.death();
    world.people.forgetAll();
    await elapse(down);
    await world.lab.startAsterisk();
    return undefined;
  },
};

const asteriskFrozen: Fault = {
  name: 'Asterisk frozen',
  instances: 1,
  async run(world, _random, down) {
    const { pid } = world.lab.asterisk;
    if (pid === undefined) throw new Error('Asterisk does not run');
    const goesOn = world.recordings.standstill();
    process.kill(pid, 'SIGSTOP');
    await elapse(down);
    process.kill(pid, 'SIGCONT');
    goesOn();
    return undefined;
  },
};

/** What befalls Redis and Asterisk befalls all instances, and how many they are makes a difference. */
const SURROUNDINGS = [redisKilled, redisFrozen, redisForgets, asteriskKilled, asteriskFrozen];

export const FAULTS: readonly Fault[] = [
  ...INSTANCE_FAULTS,
  ...SURROUNDINGS,
  ...PAIR_FAULTS,
  ...SURROUNDINGS.map((fault): Fault => ({ ...fault, name: `${fault.name} with two instances`, instances: 2 })),
];
