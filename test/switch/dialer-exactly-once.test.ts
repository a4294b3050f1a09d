import { expect, test } from 'vitest';
import { exactlyOnce } from '../../bench/scale/dialler.ts';
import { testLab } from '../support/lab.ts';

/** The short form of `npm run scale -- --dialler 10000`. */
test('scheduled calls come out of a real trunk exactly once each, whoever is killed while they are placed', async () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  const say = (line: string): void => console.log(`dialler: ${line}`);
  say(`seed ${seed} (again: npm run scale -- --dialler 600 --kills 2 --seed ${seed})`);
  const found = await exactlyOnce(await testLab(), { calls: 600, kills: 2, seed, say });
  expect(found.faults).toEqual([]);
  expect(found.killed).toHaveLength(2);
}, 240_000);
