import fc from 'fast-check';
import { afterEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { SharedPlaces } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import {
  COMPANY_CALLS,
  type Connection,
  type Ground,
  SHARDS,
  story,
  Told,
  TRUNK_CALLS,
  whose,
} from '../support/counting-story.ts';
import { STORIES_MS, stories } from '../support/properties.ts';
import { newStore } from '../support/store-kit.ts';

/** Places and leases in Redis. What is sent runs, and is answered, when it is. */
class RedisGround implements Ground {
  readonly prefix = `t${Math.random().toString(16).slice(2, 14)}`;
  readonly #stores: Store[] = [];
  readonly #held = new Map<string, () => Promise<boolean>>();
  #owners = 0;

  async take(shard: string): Promise<number> {
    await this.#held.get(shard)?.();
    this.#owners += 1;
    const leases = this.#store().leases(`owner-${this.#owners}`, 60_000);
    const answer = await leases.acquire(shard);
    if (answer.outcome !== 'held') throw new Error('the lease is not free');
    this.#held.set(shard, () => leases.give(shard, answer.fence));
    return answer.fence;
  }

  connect(): Connection {
    const store = this.open();
    const real = store.places(SHARDS);
    let under = 0;
    let cut = false;
    let lost: 'nothing' | 'answer' | 'all' = 'nothing';
    const ask = async <T>(run: () => Promise<T>): Promise<T> => {
      if (cut) return await new Promise<T>(() => undefined);
      const fault = lost;
      lost = 'nothing';
      under += 1;
      try {
        if (fault !== 'all') {
          const answer = await run();
          if (fault === 'nothing') return answer;
        }
        throw new Error('the connection was lost');
      } finally {
        under -= 1;
      }
    };
    const places: SharedPlaces = {
      take: (...args) => ask(() => real.take(...args)),
      change: (...args) => ask(() => real.change(...args)),
      count: (...args) => ask(() => real.count(...args)),
      countAlone: (...args) => ask(() => real.countAlone(...args)),
    };
    return {
      places,
      run: () => undefined,
      answer: () => undefined,
      fault: () => {
        lost = lost === 'answer' ? 'all' : 'answer';
      },
      cut: () => {
        cut = true;
        under = 0;
      },
      get quiet() {
        return under === 0;
      },
    };
  }

  open(): Store {
    const { store } = newStore(inject('redisUrl'), { prefix: this.prefix });
    this.#stores.push(store);
    return store;
  }

  async ready(): Promise<void> {
    await Promise.all(this.#stores.map((s) => s.connected()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#stores.splice(0).map((s) => s.close()));
  }

  #store(): Store {
    return this.#stores[0] ?? this.open();
  }
}

describe('the places of all instances’ calls in Redis', () => {
  const grounds: RedisGround[] = [];
  afterEach(() => Promise.all(grounds.splice(0).map((g) => g.close())));
  const ground = (): RedisGround => {
    const made = new RedisGround();
    grounds.push(made);
    return made;
  };

  it('are never more than the limits, and all free again in the end', { timeout: STORIES_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(story, whose, whose, async (steps, first, owners) => {
        const redis = ground();
        const told = new Told(redis);
        await redis.ready();
        await told.share(first);
        await told.tell(steps);
        await told.settle();
        expect(told.most.trunk).toBeLessThanOrEqual(TRUNK_CALLS);
        expect(told.most.company).toBeLessThanOrEqual(COMPANY_CALLS);
        await told.endAll();
        await told.share(owners);
        expect(await told.fill(owners[0] ?? 0)).toBe(TRUNK_CALLS);
        await told.endAll();
        expect(await told.fill(owners[1] ?? 0)).toBe(TRUNK_CALLS);
        told.close();
        await redis.close();
      }),
      stories(12),
    );
  });

  /** Two shards, each counted by an owner of its own. */
  const shared = async () => {
    const redis = ground();
    const places = redis.open().places(['a', 'b']);
    await redis.ready();
    const tokens = { a: await redis.take('a'), b: await redis.take('b') };
    onTestFinished(() => redis.close());
    return { places, tokens, redis };
  };
  const two = { meter: 'trunk:t', calls: 2 };

  it('are not given out before every shard is counted, and not for a shard that another counts', async () => {
    const { places, tokens, redis } = await shared();
    const take = (token = tokens.a) => places.take('a', token, [two]);
    expect(await take()).toEqual({ outcome: 'uncounted' });
    expect(await places.count('a', tokens.a, new Map())).toBe(true);
    expect(await take()).toEqual({ outcome: 'uncounted' });
    expect(await places.count('b', tokens.b, new Map([['trunk:t', 1]]))).toBe(true);
    expect(await take()).toEqual({ outcome: 'taken' });
    expect(await take()).toEqual({ outcome: 'full', meter: 'trunk:t' });
    await places.change('b', tokens.b, new Map([['trunk:t', -1]]));
    const next = await redis.take('a');
    // Whoever had it takes places for it as long as nobody else has counted it: they count for nothing then.
    expect(await take()).toEqual({ outcome: 'taken' });
    expect(await places.count('a', tokens.a, new Map())).toBe(false);
    expect(await places.count('a', next, new Map())).toBe(true);
    expect(await take()).toEqual({ outcome: 'not-ours' });
    await places.change('a', tokens.a, new Map([['trunk:t', 5]]));
    expect([await take(next), await take(next), await take(next)]).toEqual([
      { outcome: 'taken' },
      { outcome: 'taken' },
      { outcome: 'full', meter: 'trunk:t' },
    ]);
  });

  it('are one instance’s own while it has all shards, and nobody’s who has lost one', async () => {
    const { places, tokens, redis } = await shared();
    const all = new Map(Object.entries(tokens));
    await places.count('a', tokens.a, new Map());
    await places.count('b', tokens.b, new Map());
    expect(await places.countAlone(all)).toBe(true);
    expect(await places.take('a', tokens.a, [two])).toEqual({ outcome: 'uncounted' });
    await redis.take('b');
    expect(await places.countAlone(all)).toBe(false);
  });

  it('by the second are a bucket that all draw from', async () => {
    const { places, tokens } = await shared();
    await places.count('a', tokens.a, new Map());
    await places.count('b', tokens.b, new Map());
    // Refilled by one in a thousand seconds: what is taken stays taken here.
    const slow = { meter: 'trunk:slow', perSecond: 0.001 };
    const room = { meter: 'trunk:t', calls: 1 };
    // A bucket that never holds a whole call gives none, and takes nothing else with it.
    expect(await places.take('a', tokens.a, [room, slow])).toEqual({ outcome: 'full', meter: 'trunk:slow' });
    expect(await places.take('a', tokens.a, [room])).toEqual({ outcome: 'taken' });
    // These go out together.
    const one = { meter: 'company:c', perSecond: 1 };
    const asked = (['a', 'b', 'b', 'a'] as const).map((shard) => places.take(shard, tokens[shard], [one]));
    expect((await Promise.all(asked)).map((a) => a.outcome)).toEqual(['taken', 'full', 'full', 'full']);
  });
});
