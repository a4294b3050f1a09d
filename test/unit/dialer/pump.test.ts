import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DialerDeps } from '../../../src/dialer/deps.ts';
import { Pump, type PumpDeps } from '../../../src/dialer/pump.ts';
import { bookOf, callOf, flowOf, NOW } from '../../support/dialer-kit.ts';

/** A pump over one flow with one call, that is due however often it is looked for. */
function pumpOf(state: 'running' | 'stopped') {
  const flow = flowOf();
  const call = callOf(flow);
  const [company] = bookOf().companies;
  if (!company) throw new Error('no company');
  const seen = { looks: 0, claimed: 0, now: NOW };
  const store = {
    flowStates: async () => ({ flow0001: JSON.stringify({ state, since: 1 }) }),
    due: async () => {
      seen.looks += 1;
      if (seen.looks > 100) throw new Error('it is looked for without end');
      return { calls: [{ uuid: call.uuid, json: JSON.stringify(call), version: 1 }] };
    },
  };
  const log = { info: () => undefined, warn: () => undefined };
  const deps = {
    // What a pump asks for, and no more.
    deps: { store, now: () => seen.now, log } as unknown as DialerDeps,
    company,
    agents: { free: () => '1001' } as unknown as PumpDeps['agents'],
    activeOf: () => 0,
    pacer: { refresh: async () => undefined } as unknown as PumpDeps['pacer'],
    claim: async () => {
      seen.claimed += 1;
      return 'no-node' as const;
    },
    stop: async () => false,
  };
  return { pump: new Pump(deps), seen };
}

describe('the queues of a flow', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are looked at again soon after there was no room, also where the clock has been set back', async () => {
    const { pump, seen } = pumpOf('running');
    pump.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.claimed).toBe(1);
    seen.now -= 3_600_000;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen.claimed).toBeGreaterThan(1);
    await pump.close();
  });

  it('are left for the next round where what is to be stopped cannot be', async () => {
    const { pump, seen } = pumpOf('stopped');
    pump.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.looks).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen.looks).toBe(2);
    await pump.close();
  });
});
