import { elapse, type Fault } from './fault.ts';
import { dieAt, type Point } from './fault-points.ts';

/** The instance dies at a point of its own work. */
const deathAt = (point: Point): Fault => ({
  name: `kill -9 ${point}`,
  instances: 1,
  async run(world, random, down) {
    const { sole } = world;
    await dieAt(world, sole, point, random);
    await elapse(down);
    sole.start();
    return undefined;
  },
});

const kill: Fault = {
  name: 'kill -9',
  instances: 1,
  async run(world, _random, down) {
    const { sole } = world;
    await sole.end('SIGKILL');
    await elapse(down);
    sole.start();
    return undefined;
  },
};

const restart: Fault = {
  name: 'SIGTERM and a new start',
  instances: 1,
  async run(world) {
    const { sole } = world;
    await sole.end('SIGTERM');
    sole.start();
    return undefined;
  },
};

const freeze: Fault = {
  name: 'instance frozen',
  instances: 1,
  async run(world, _random, down) {
    world.sole.signal('SIGSTOP');
    await elapse(down);
    world.sole.signal('SIGCONT');
    return undefined;
  },
};

const cut: Fault = {
  name: 'ARI cut',
  instances: 1,
  async run(world, random, down) {
    const { ari, ami } = world.sole;
    if (random.chance(0.5)) {
      ari.cut();
      return undefined;
    }
    ari.block();
    ami.block();
    await elapse(down);
    ari.unblock();
    ami.unblock();
    return undefined;
  },
};

const halfOpen: Fault = {
  name: 'half-open network',
  instances: 1,
  async run(world, random, down) {
    const { ari, ami, process } = world.sole;
    if (random.chance(0.5)) {
      // The old connections are dead and nobody says so; new ones pass.
      ari.freeze('present');
      ami.freeze('present');
      await process.nextLogged('node is away');
    } else {
      ari.freeze();
      ami.freeze();
      await elapse(down + 1);
    }
    ari.thaw();
    ami.thaw();
    return undefined;
  },
};

const clock: Fault = {
  name: 'the clock leaps by an hour',
  instances: 1,
  async run(world, random) {
    world.sole.order(`clock:${random.pick([3_600_000, -3_600_000])}\n`);
    await elapse(1);
    return undefined;
  },
};

const both: Fault = {
  name: 'kill -9 while Redis is down',
  instances: 1,
  async run(world, _random, down) {
    const { sole } = world;
    await world.lab.redis.kill();
    await elapse(down / 2);
    await sole.end('SIGKILL');
    sole.start();
    await elapse(down / 2);
    await world.lab.redis.start(() => {});
    return undefined;
  },
};

/** What befalls the only instance. */
export const INSTANCE_FAULTS: readonly Fault[] = [
  kill,
  deathAt('after-commit'),
  deathAt('after-command'),
  deathAt('after-floor-commit'),
  restart,
  freeze,
  cut,
  halfOpen,
  clock,
  both,
];
