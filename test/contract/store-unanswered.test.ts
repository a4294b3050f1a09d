import { randomBytes } from 'node:crypto';
import { createClient } from 'redis';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { FloorCommit } from '../../src/ports.ts';
import { RedisCallStore } from '../../src/store/call-store.ts';
import { Committer } from '../../src/store/committer.ts';
import { StoreUnavailable } from '../../src/store/errors.ts';
import { RedisFloorStore } from '../../src/store/floor-store.ts';
import { Journal } from '../../src/store/journal.ts';
import { Keys } from '../../src/store/keys.ts';
import type { RedisConnection } from '../../src/store/redis-connection.ts';
import type { Script } from '../../src/store/script.ts';
import type { EventTail } from '../../src/store/tail.ts';
import { commitOf, company, newCall } from '../support/store-kit.ts';

/**
 * A commit that Redis carried out and did not answer, and then lost: but its events were heard, and whoever heard them has
 * put them back. Tried again it must not tell them a second time.
 */

const ID = company('unanswered');

let client: ReturnType<typeof createClient>;
let prefix: string;
/** The next answer does not arrive. */
let lost: boolean;
let calls: RedisCallStore;
let floors: RedisFloorStore;

beforeEach(async () => {
  client = createClient({ url: inject('redisUrl'), RESP: 2 });
  await client.connect();
  prefix = `t${randomBytes(6).toString('hex')}`;
  lost = false;
  const redis = {
    command: (args: readonly string[]): Promise<unknown> => client.sendCommand([...args]),
    run: async ({ lua }: Script, keys: readonly string[], args: readonly string[]) => {
      const answer: unknown = await client.sendCommand(['EVAL', lua, String(keys.length), ...keys, ...args]);
      if (!lost) return answer;
      lost = false;
      throw new StoreUnavailable('Socket closed', true);
    },
  };
  const keys = new Keys(prefix);
  const tail = { committed: () => undefined };
  const committer = new Committer(
    redis as unknown as RedisConnection,
    keys,
    tail as unknown as EventTail,
    new Journal(keys, 1_000),
    1_000,
  );
  calls = new RedisCallStore(committer, 60);
  floors = new RedisFloorStore(committer);
});

afterEach(() => client.destroy());

const log = async (): Promise<unknown[]> =>
  (await client.sendCommand(['XRANGE', `${prefix}:{${ID}}:events`, '-', '+'])) as unknown[];

/** Redis loses everything but, where it was put back, the log. */
async function loses(what: 'all' | 'all but the events'): Promise<void> {
  const kept = what === 'all' ? [] : [`${prefix}:{${ID}}:events`, `${prefix}:{${ID}}:event-id`];
  for (const key of await client.keys(`${prefix}:*`)) if (!kept.includes(key)) await client.del(key);
}

describe('a commit without an answer', () => {
  it.each([
    ['is there', undefined],
    ['was lost, and its events were put back', 'all but the events'],
    ['was lost with its events', 'all'],
  ] as const)('is stored once, and told once, where it %s', async (_what, loss) => {
    const commit = commitOf(newCall(ID));
    lost = true;
    await expect(calls.commit(commit)).rejects.toMatchObject({ retryable: true, sent: true });
    if (loss) await loses(loss);
    expect(await calls.commit(commit)).toEqual({ outcome: 'stored', version: 1, lastEventID: 2 });
    expect(await log()).toHaveLength(2);
    expect((await calls.load(ID, commit.call.callID))?.version).toBe(1);
    // What comes next has the next ids.
    const next = { ...commitOf(newCall(ID)) };
    expect(await calls.commit(next)).toMatchObject({ lastEventID: 4 });
  });

  it('is told where only others have told something since', async () => {
    const commit = commitOf(newCall(ID));
    lost = true;
    await expect(calls.commit(commit)).rejects.toThrow(StoreUnavailable);
    await loses('all');
    await calls.commit(commitOf(newCall(ID)));
    expect(await calls.commit(commit)).toEqual({ outcome: 'stored', version: 1, lastEventID: 4 });
    expect(await log()).toHaveLength(4);
  });

  it('of agents is told once too', async () => {
    const { events } = newCall(ID);
    const commit: FloorCommit = { companyId: ID, fence: 1, version: 0, agents: [], waiting: [], events };
    lost = true;
    await expect(floors.commitFloor(commit)).rejects.toThrow(StoreUnavailable);
    await loses('all but the events');
    expect(await floors.commitFloor(commit)).toEqual({ outcome: 'stored', version: 1, lastEventID: 2 });
    expect(await log()).toHaveLength(2);
  });
});
