import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { CallStore, FloorStore, Switch } from './ports.ts';

/**
 * Faults on purpose, for the chaos suite: the process kills itself at a chosen point, or its wall clock leaps. Two
 * settings of the environment are needed, so that nobody has them by accident; without them nothing here is in the way
 * of anything.
 *
 * - `RINGMASTER_FAULTS`: a file with orders, one a line; read at the start and again with each SIGUSR2
 * - `NODE_ENV=test`: without it the start is refused
 *
 * Orders: `after-commit:N` and `after-floor-commit:N` (killed when the Nth commit from now on is stored and before
 * anything comes of it), `after-command:N` (killed when the Nth set of commands is on its way to Asterisk and not yet
 * answered), `clock:MS` (the wall clock is this much off from now on).
 */
export interface Faults {
  calls(store: CallStore): CallStore;
  floors(store: FloorStore): FloorStore;
  commands(on: Switch): Switch;
  /** The wall clock, Unix ms. */
  readonly wall: () => number;
}

type Point = 'after-commit' | 'after-floor-commit' | 'after-command';

const ORDER = /^(after-commit|after-floor-commit|after-command|clock):(-?\d+)$/;

/**
 * @returns undefined where none are asked for, which is always so outside tests
 * @throws Error where they are asked for outside a test, or an order cannot be read
 */
export function faultsFrom(env: Readonly<Record<string, string | undefined>>): Faults | undefined {
  const file = env['RINGMASTER_FAULTS'];
  if (file === undefined) return undefined;
  if (env['NODE_ENV'] !== 'test') throw new Error('RINGMASTER_FAULTS is for tests: refused unless NODE_ENV is test');
  const faults = new OrderedFaults(() => process.kill(process.pid, 'SIGKILL'));
  const read = (): void => faults.order(readFileSync(file, 'utf8'));
  read();
  process.on('SIGUSR2', read);
  return faults;
}

/** Counts down to the points that were ordered. */
export class OrderedFaults implements Faults {
  readonly #die: () => void;
  readonly #left = new Map<Point, number>();
  #clockOff = 0;

  constructor(die: () => void) {
    this.#die = die;
  }

  /** Takes orders in place of the earlier ones; the clock stays as it is where nothing is said of it. */
  order(text: string): void {
    this.#left.clear();
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const [, what, number] = ORDER.exec(line) ?? [];
      if (what === undefined) throw new Error(`no fault is called ${line}`);
      if (what === 'clock') this.#clockOff = Number(number);
      else this.#left.set(what as Point, Number(number));
    }
  }

  readonly wall = (): number => Date.now() + this.#clockOff;

  calls(store: CallStore): CallStore {
    return {
      commit: async (commit) => {
        const result = await store.commit(commit);
        this.#reached('after-commit');
        return result;
      },
      append: (companyId, events) => store.append(companyId, events),
      load: (companyId, callID) => store.load(companyId, callID),
      loadLive: (companies, shard) => store.loadLive(companies, shard),
      takeShard: (shard, companies) => store.takeShard(shard, companies),
    };
  }

  floors(store: FloorStore): FloorStore {
    return {
      commitFloor: async (commit) => {
        const result = await store.commitFloor(commit);
        this.#reached('after-floor-commit');
        return result;
      },
      loadFloor: (companyId) => store.loadFloor(companyId),
    };
  }

  commands(on: Switch): Switch {
    return {
      node: on.node,
      get serving() {
        return on.serving;
      },
      resync: () => on.resync(),
      perform: (callID, commands) => {
        on.perform(callID, commands);
        // The socket is written to within this turn of the loop, and its answer is read in a later one.
        if (this.#left.has('after-command')) void turn().then(() => this.#reached('after-command'));
      },
    };
  }

  #reached(point: Point): void {
    const left = this.#left.get(point);
    if (left === undefined) return;
    this.#left.set(point, left - 1);
    if (left <= 1) this.#die();
  }
}
