import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, inject, it } from 'vitest';
import { recovery } from '../../bench/scale/live.ts';
import { sequence } from '../../bench/scale/sequence.ts';

// The short form of `npm run scale`: the real engine and a real Redis, Asterisk simulated.

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const quiet = (): void => {};

it('a crash among live calls in every state: all of them are found again, and each is told to its end, once', async () => {
  const found = await recovery(inject('redisUrl'), 'scale-live', 700, quiet);
  expect(found.faults).toEqual([]);
  expect(found.tally.faults).toEqual([]);
  expect(found.alive).toBe(700 - found.endedMeanwhile);
  expect([found.tally.created, found.tally.deleted]).toEqual([700, 700]);
  expect(found.left).toEqual({ channels: 0, bridges: 0, liveInRedis: 0 });
}, 120_000);

it('thousands of calls one after the other leave nothing behind, in memory neither', async () => {
  const found = await sequence(inject('redisUrl'), 'scale-sequence', 3_000, collect, quiet, 2);
  expect(found.faults).toEqual([]);
  expect(found.left).toEqual({ calls: 0, channels: 0, bridges: 0, timers: 0 });
  // The first half also warms up. A kilobyte that each call left behind would be a MiB and a half here.
  const [half, end] = [found.heap[0] ?? 0, found.heap[1] ?? 0];
  expect((end - half) / 2 ** 20).toBeLessThan(1);
}, 120_000);
