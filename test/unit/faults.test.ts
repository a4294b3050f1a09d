import { describe, expect, it } from 'vitest';
import { faultsFrom, OrderedFaults } from '../../src/faults.ts';
import type { CallStore, Commit, FloorStore, Switch } from '../../src/ports.ts';

const stored = { outcome: 'stored', version: 1, lastEventID: 0 } as const;
const unasked = (): never => {
  throw new Error('nobody asks for this here');
};
/** Answers every commit. */
const store: CallStore & FloorStore = {
  commit: () => Promise.resolve(stored),
  commitFloor: () => Promise.resolve(stored),
  append: unasked,
  load: unasked,
  loadLive: unasked,
  takeShard: unasked,
  loadFloor: unasked,
};

function ordered(orders: string) {
  let deaths = 0;
  const faults = new OrderedFaults(() => {
    deaths += 1;
  });
  faults.order(orders);
  return { faults, deaths: () => deaths };
}

describe('faults on purpose', () => {
  it('are refused outside tests, and absent where nobody asks for them', () => {
    expect(faultsFrom({})).toBeUndefined();
    expect(faultsFrom({ NODE_ENV: 'production' })).toBeUndefined();
    expect(() => faultsFrom({ RINGMASTER_FAULTS: '/tmp/x' })).toThrow('is for tests');
    expect(() => faultsFrom({ RINGMASTER_FAULTS: '/tmp/x', NODE_ENV: 'production' })).toThrow('is for tests');
  });

  it('kill after the commit that was counted, once it is stored', async () => {
    const { faults, deaths } = ordered('after-commit:2\n');
    const calls = faults.calls(store);
    await calls.commit({} as Commit);
    expect(deaths()).toBe(0);
    await calls.commit({} as Commit);
    expect(deaths()).toBe(1);
  });

  it('kill after a commit of the agents', async () => {
    const { faults, deaths } = ordered('after-floor-commit:1');
    await faults.calls(store).commit({} as Commit);
    expect(deaths()).toBe(0);
    await faults.floors(store).commitFloor({} as never);
    expect(deaths()).toBe(1);
  });

  it('kill when commands are on their way', async () => {
    const { faults, deaths } = ordered('after-command:1');
    const performed: unknown[] = [];
    const on: Switch = {
      node: 'n',
      serving: true,
      resync: () => undefined,
      perform: (callID, commands) => performed.push([callID, commands]),
    };
    const commands = faults.commands(on);
    expect([commands.node, commands.serving]).toEqual(['n', true]);
    commands.perform('c' as never, []);
    expect([performed, deaths()]).toEqual([[['c', []]], 0]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(deaths()).toBe(1);
  });

  it('set the wall clock, and leave it where later orders do not speak of it', () => {
    const { faults } = ordered('clock:-3600000');
    expect(Math.round((faults.wall() - Date.now()) / 1000)).toBe(-3_600);
    faults.order('after-commit:1');
    expect(Math.round((faults.wall() - Date.now()) / 1000)).toBe(-3_600);
  });

  it('refuse what they do not know', () => {
    expect(() => ordered('after-lunch:1')).toThrow('after-lunch:1');
  });
});
