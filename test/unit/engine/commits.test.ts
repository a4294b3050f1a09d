import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Command } from '../../../src/calls/command.ts';
import { newCallID } from '../../../src/cti/ids.ts';
import { Shard } from '../../../src/engine/shard.ts';
import type { Commit } from '../../../src/ports.ts';
import { makeCall } from '../calls/flow.ts';
import { emptyStore, roomForAll } from './stubs.ts';

/** A shard with one call on its way to the first phone; what it stores and asks for, in order. */
async function oneCall() {
  const stored: string[][] = [];
  const done: string[] = [];
  const shard = new Shard({
    shard: 'test@a1',
    fence: 1,
    store: {
      commit: async ({ version, events, call }: Commit) => {
        stored.push(events.map((e) => e.messageID));
        done.push(`stored ${call.parties.map((p) => p.leg.state).join(' ')}`);
        return { outcome: 'stored', version: version + 1, lastEventID: 0 };
      },
      ...emptyStore,
    },
    switch: {
      node: 'a1',
      serving: true,
      perform: (_callID, commands: readonly Command[]) => {
        for (const command of commands) done.push(command.do);
      },
      resync: () => undefined,
    },
    admission: roomForAll,
    now: () => 1_700_000_000_000,
    log: {
      error: (what) => done.push(what),
      storeAway: () => undefined,
      storeBack: () => undefined,
    },
    isPassing: () => false,
    onChanged: () => undefined,
    onFenced: () => undefined,
  });
  const callID = newCallID('0'.padStart(32, '0'), 1);
  const { call } = await shard.begin({ ...makeCall({}), callID });
  const [first = '', second = ''] = call?.parties.map((p) => p.leg.channel) ?? [];
  stored.length = 0;
  done.length = 0;
  const settled = (): Promise<void> =>
    vi.waitFor(() => expect(shard.waiting).toBe(0), { timeout: 15_000, interval: 1 });
  return { shard, callID, first, second, stored, done, settled };
}

/** A few turns of the event loop: all that waits for nothing but them is done. */
async function turns(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('the commits of a call', () => {
  it('are one for what comes in one go: both ends of a call that is cleared', async () => {
    const { shard, callID, first, second, stored, done, settled } = await oneCall();
    shard.fact({ kind: 'leg-answered', channel: first });
    await settled();
    shard.fact({ kind: 'leg-answered', channel: second });
    await settled();
    shard.runner(callID)?.push({ input: { kind: 'clear', referenceID: 0 }, at: 1_700_000_000_000 });
    await settled();
    stored.length = 0;
    done.length = 0;
    for (const channel of [first, second]) shard.fact({ kind: 'leg-ended', channel, q850: 16 });
    await vi.waitFor(() => expect(shard.size).toBe(0), { timeout: 15_000, interval: 1 });
    expect(stored).toEqual([['EventReleased', 'EventReleased', 'EventCallDeleted']]);
    expect(done).toEqual(['stored ended ended', 'destroy-bridge']);
  });

  describe('of a fact that tells nobody anything', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it('are one with what comes next, and nothing is asked for before it: a first phone that answers by itself', async () => {
      const { shard, first, stored, done } = await oneCall();
      shard.fact({ kind: 'leg-ringing', channel: first });
      await turns();
      expect([stored, done]).toEqual([[], []]);
      shard.fact({ kind: 'leg-answered', channel: first });
      await turns();
      expect(stored).toEqual([[]]);
      expect(done).toEqual(['stored up dialled', 'create-bridge', 'place', 'dial']);
    });

    it('do not wait for ever', async () => {
      const { shard, first, done } = await oneCall();
      shard.fact({ kind: 'leg-ringing', channel: first });
      await turns();
      vi.advanceTimersByTime(1_000);
      await turns();
      expect(done).toEqual(['stored ringing planned']);
    });

    it('do not wait where there is somebody to tell: a second phone that rings', async () => {
      const { shard, first, second, stored } = await oneCall();
      shard.fact({ kind: 'leg-answered', channel: first });
      await turns();
      stored.length = 0;
      shard.fact({ kind: 'leg-ringing', channel: second });
      await turns();
      expect(stored).toEqual([['EventRinging', 'EventOtherRinging']]);
    });

    it('are none where the shard is let go of meanwhile', async () => {
      const { shard, first, stored } = await oneCall();
      shard.fact({ kind: 'leg-ringing', channel: first });
      await turns();
      shard.close();
      vi.advanceTimersByTime(1_000);
      await turns();
      expect(stored).toEqual([]);
    });
  });
});
