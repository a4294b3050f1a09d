import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { CallID } from '../../../src/cti/ids.ts';
import { Backlog } from '../../../src/engine/backlog.ts';

const CALL = '00000000000000000000000000000001001' as CallID;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function scene() {
  let now = 1_700_000_000_000;
  const resync = vi.fn();
  const backlog = new Backlog({
    now: () => now,
    log: { error: () => undefined, storeAway: () => undefined, storeBack: () => undefined },
    switch: { node: 'a1', serving: true, perform: () => undefined, resync },
  });
  return {
    backlog,
    resync,
    pass: (ms: number): void => {
      now += ms;
      vi.advanceTimersByTime(ms);
    },
  };
}

it('asks the node of what was missed, the second time after a while, also where nothing more is stored', () => {
  const { backlog, resync, pass } = scene();
  backlog.miss(CALL);
  backlog.answered();
  expect(resync).toHaveBeenCalledTimes(1);
  pass(3_000);
  backlog.miss(CALL);
  backlog.answered();
  pass(6_999);
  expect(resync).toHaveBeenCalledTimes(1);
  pass(1);
  expect(resync).toHaveBeenCalledTimes(2);
  expect(vi.getTimerCount()).toBe(0);
});

it('waits for the store where it has gone again by then', () => {
  const { backlog, resync, pass } = scene();
  backlog.miss(CALL);
  backlog.answered();
  backlog.miss(CALL);
  backlog.answered();
  backlog.away(new Error('away'));
  pass(20_000);
  expect(resync).toHaveBeenCalledTimes(1);
  backlog.answered();
  expect(resync).toHaveBeenCalledTimes(2);
});

it('asks nothing once it is closed', () => {
  const { backlog, resync, pass } = scene();
  backlog.miss(CALL);
  backlog.answered();
  backlog.miss(CALL);
  backlog.answered();
  backlog.close();
  pass(20_000);
  expect(resync).toHaveBeenCalledTimes(1);
});
