import { describe, expect, it, vi } from 'vitest';
import { newCallID } from '../../../src/cti/ids.ts';
import { Shard } from '../../../src/engine/shard.ts';
import type { Commit, CommitResult } from '../../../src/ports.ts';
import { makeCall } from '../calls/flow.ts';

const AWAY = new Error('away');

/** A shard over a store that can go away, with room for a few inputs. */
async function shardOf(calls: number, backlogLimit: number) {
  let away = false;
  let resyncs = 0;
  let now = 1_700_000_000_000;
  const said: string[] = [];
  const shard = new Shard({
    shard: 'test@a1',
    fence: 1,
    store: {
      commit: ({ version }: Commit): Promise<CommitResult> =>
        away ? Promise.reject(AWAY) : Promise.resolve({ outcome: 'stored', version: version + 1, lastEventID: 0 }),
      append: () => Promise.resolve(),
      load: () => Promise.resolve(undefined),
      loadLive: () => Promise.resolve([]),
      takeShard: () => Promise.resolve(1),
    },
    switch: {
      node: 'a1',
      serving: true,
      perform: () => undefined,
      resync: () => {
        resyncs += 1;
      },
    },
    admission: {
      admit: () => undefined,
      release: () => undefined,
      admitLeg: () => undefined,
      legsOf: () => undefined,
      readmit: () => undefined,
      load: () => ({ calls: 0, room: true }),
    },
    now: () => now,
    log: {
      error: (what) => said.push(what),
      storeAway: () => said.push('away'),
      storeBack: () => said.push('back'),
    },
    isPassing: (error) => error === AWAY,
    onChanged: () => undefined,
    onFenced: () => undefined,
    backlogLimit,
  });
  const channels: string[] = [];
  for (let i = 0; i < calls; i += 1) {
    const callID = newCallID(String(i).padStart(32, '0'), 1);
    const { call } = await shard.begin({ ...makeCall({}), callID });
    channels.push(call?.parties[0]?.leg.channel ?? '');
  }
  const wait = (done: () => void): Promise<void> => vi.waitFor(done, { timeout: 15_000, interval: 10 });
  return {
    shard,
    said,
    wait,
    resyncs: () => resyncs,
    digit: (n: number) => shard.fact({ kind: 'leg-dtmf', channel: channels[n] ?? '', digit: '1' }),
    goAway: async () => {
      away = true;
      shard.fact({ kind: 'leg-ringing', channel: channels[0] ?? '' });
      await wait(() => expect(shard.storeAway).toBe(true));
    },
    comeBack: async () => {
      away = false;
      await wait(() => expect(shard.storeAway).toBe(false));
      await wait(() => expect(shard.waiting).toBe(0));
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

describe('what waits while the store is away', () => {
  it('is bounded over all calls; what there is no room for is asked of the node afterwards, once', async () => {
    const at = await shardOf(2, 5);
    await at.goAway();
    for (let i = 0; i < 5; i += 1) at.digit(i % 2);
    expect([at.shard.full, at.shard.missed]).toEqual([true, 0]);
    for (let i = 0; i < 3; i += 1) at.digit(1);
    expect([at.shard.missed, at.resyncs()]).toEqual([3, 0]);
    await at.comeBack();
    expect([at.resyncs(), at.shard.full]).toEqual([1, false]);
    expect(at.said).toEqual(['away', 'no room', 'back']);
  });

  it('is bounded for one call, and the others go on', async () => {
    const at = await shardOf(2, 1_000_000);
    await at.goAway();
    for (let i = 0; i < 1_200; i += 1) at.digit(0);
    expect(at.shard.missed).toBe(200);
    at.digit(1);
    expect(at.shard.missed).toBe(200);
    await at.comeBack();
    expect(at.resyncs()).toBe(1);
  });

  it('asks the node again only after a while', async () => {
    const at = await shardOf(1, 1);
    for (let i = 0; i < 2; i += 1) {
      await at.goAway();
      at.digit(0);
      at.digit(0);
      await at.comeBack();
    }
    expect(at.resyncs()).toBe(1);
    at.pass(10_000);
    at.digit(0);
    await at.wait(() => expect(at.resyncs()).toBe(2));
  });
});
