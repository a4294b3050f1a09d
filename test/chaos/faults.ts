import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { World } from './world.ts';

/** What breaks, and is mended again. */
export interface Fault {
  readonly name: string;
  /** What Asterisk carries does not live through it. */
  readonly endsCalls?: boolean;
  /**
   * Breaks something and mends it. Settles when the cause is gone: from then on it is counted until control is back.
   *
   * @param seconds how long it stays broken, where the fault has a choice
   */
  run(world: World, random: Random, seconds: number): Promise<void>;
}

const seconds = (n: number): Promise<void> => delay(n * 1000);

/** Gives the instance something to do, until it is dead of it. */
async function provoke(world: World, random: Random): Promise<void> {
  const { calls } = (await world.attempt('RequestListCalls', {})) ?? { calls: [] };
  const talking = calls.find((c) => c.parties.length === 2 && c.parties.every((p) => p.partyState === 'Talk'));
  const until = performance.now() + 10_000;
  while (world.instance.running && performance.now() < until) {
    const [party] = talking?.parties ?? [];
    const tries = [
      world.attempt('RequestAgentLogin', { agentID: '7999', thisDN: '2999', agentState: 1 }),
      world.attempt('RequestAgentLogout', { agentID: '7999' }),
    ];
    if (talking && party) {
      const acting = { callID: talking.callID, thisDN: party.thisDN };
      world.afterwards = () => world.attempt('RequestUnmuteCall', acting);
      await world.attempt('RequestMuteCall', acting);
      await world.attempt('RequestUnmuteCall', acting);
    }
    await Promise.all(tries);
    await delay(random.int(0, 20));
  }
  if (world.instance.running) throw new Error('the fault point was never reached');
}

/** The instance dies at a point of its own work. */
function deathAt(point: 'after-commit' | 'after-floor-commit' | 'after-command'): Fault {
  return {
    name: `kill -9 ${point}`,
    async run(world, random, down) {
      world.order(`${point}:${random.int(1, 5)}\n`);
      await provoke(world, random);
      await world.instance.ended();
      await seconds(down);
      world.start();
    },
  };
}

const kill: Fault = {
  name: 'kill -9',
  async run(world, _random, down) {
    world.instance.kill('SIGKILL');
    await world.instance.ended();
    await seconds(down);
    world.start();
  },
};

const restart: Fault = {
  name: 'SIGTERM and a new start',
  async run(world) {
    world.instance.kill('SIGTERM');
    await world.instance.ended();
    world.start();
  },
};

const freeze: Fault = {
  name: 'instance frozen',
  async run(world, _random, down) {
    world.instance.kill('SIGSTOP');
    await seconds(down);
    world.instance.kill('SIGCONT');
  },
};

const cut: Fault = {
  name: 'ARI cut',
  async run(world, random, down) {
    if (random.chance(0.5)) return world.ari.cut();
    world.ari.block();
    world.ami.block();
    await seconds(down);
    world.ari.unblock();
    world.ami.unblock();
  },
};

const halfOpen: Fault = {
  name: 'half-open network',
  async run(world, random, down) {
    if (random.chance(0.5)) {
      // The old connections are dead and nobody says so; new ones pass.
      world.ari.freeze('present');
      world.ami.freeze('present');
      await world.instance.nextLogged('node is away');
    } else {
      world.ari.freeze();
      world.ami.freeze();
      await seconds(down + 1);
    }
    world.ari.thaw();
    world.ami.thaw();
  },
};

const redisKilled: Fault = {
  name: 'Redis killed',
  async run(world, _random, down) {
    await world.lab.redis.kill();
    await seconds(down);
    await world.lab.redis.start(() => {});
  },
};

const redisFrozen: Fault = {
  name: 'Redis frozen',
  async run(world, _random, down) {
    const { pid } = world.lab.redis;
    if (pid === undefined) throw new Error('Redis does not run');
    process.kill(pid, 'SIGSTOP');
    await seconds(down);
    process.kill(pid, 'SIGCONT');
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
  async run(world, _random, down) {
    const file = appendOnlyFile(world);
    const { size } = statSync(file);
    await seconds(1);
    await world.lab.redis.kill();
    truncateSync(file, size);
    await seconds(Math.min(down, 2));
    await world.lab.redis.start(() => {});
  },
};

const asteriskKilled: Fault = {
  name: 'Asterisk killed',
  endsCalls: true,
  async run(world, _random, down) {
    await world.lab.killAsterisk();
    world.people.forgetAll();
    await seconds(down);
    await world.lab.startAsterisk();
  },
};

const asteriskFrozen: Fault = {
  name: 'Asterisk frozen',
  async run(world, _random, down) {
    const { pid } = world.lab.asterisk;
    if (pid === undefined) throw new Error('Asterisk does not run');
    process.kill(pid, 'SIGSTOP');
    await seconds(down);
    process.kill(pid, 'SIGCONT');
  },
};

const clock: Fault = {
  name: 'the clock leaps by an hour',
  async run(world, random) {
    world.order(`clock:${random.pick([3_600_000, -3_600_000])}\n`);
    await seconds(1);
  },
};

const both: Fault = {
  name: 'kill -9 while Redis is down',
  async run(world, _random, down) {
    await world.lab.redis.kill();
    await seconds(down / 2);
    world.instance.kill('SIGKILL');
    await world.instance.ended();
    world.start();
    await seconds(down / 2);
    await world.lab.redis.start(() => {});
  },
};

export const FAULTS: readonly Fault[] = [
  kill,
  deathAt('after-commit'),
  cut,
  redisKilled,
  deathAt('after-command'),
  halfOpen,
  redisFrozen,
  redisForgets,
  asteriskKilled,
  deathAt('after-floor-commit'),
  freeze,
  clock,
  asteriskFrozen,
  both,
  restart,
];
