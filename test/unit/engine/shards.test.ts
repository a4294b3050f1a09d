import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Directory } from '../../../src/engine/directory.ts';
import { FLOOR_SHARD } from '../../../src/queues/floor.ts';
import { Shards } from '../../../src/shards.ts';
import { CallAdmission } from '../../../src/switch/admission.ts';
import { bareEngine } from '../../support/bare-engine.ts';

it('what lives with the agents and queues is not opened where they were let go of while it was loading', async () => {
  const engine = bareEngine({
    directory: new Directory([], []),
    admission: new CallAdmission({}, Date.now),
    now: Date.now,
  });
  const shards = new Shards(engine, [], pino({ level: 'silent' }));
  const done: string[] = [];
  let loaded: () => void = () => undefined;
  shards.withFloor({
    loading: () =>
      new Promise((resolve) => {
        loaded = resolve;
      }),
    opened: () => void done.push('opened'),
    closed: async () => void done.push('closed'),
  });
  const begun = shards.begin(FLOOR_SHARD, 7, 'free');
  await shards.close(FLOOR_SHARD);
  loaded();
  await begun;
  expect(done).toEqual(['closed']);
  expect(engine.serves(FLOOR_SHARD)).toBe(false);

  const again = shards.begin(FLOOR_SHARD, 8, 'free');
  loaded();
  await again;
  expect(done).toEqual(['closed', 'opened']);
  expect(engine.serves(FLOOR_SHARD)).toBe(true);
});
