import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { company, newStore } from '../support/store-kit.ts';

const ACME = company('acme');
const OTHER = company('other');
const POOL = ['911140009001', '911140009002'];
// Ahead of Redis' own clock, which ends the keys.
const NOW = Date.UTC(2090, 3, 28, 6, 0, 0);
const UNTIL = NOW + 60_000;

describe('masking numbers in Redis', () => {
  const { store } = newStore(inject('redisUrl'));
  const { masks } = store;
  beforeAll(() => store.connected());
  afterAll(() => store.close());

  it('either number of a pair reaches the other, and nobody else does, until the validity ends', async () => {
    const did = (await masks.allocate(ACME, POOL, ['1', '2'], UNTIL, NOW)) ?? '';
    expect(POOL).toContain(did);
    expect(await masks.counterpart(ACME, did, '1', NOW)).toBe('2');
    expect(await masks.counterpart(ACME, did, '2', UNTIL - 1)).toBe('1');
    expect(await masks.counterpart(ACME, did, '3', NOW)).toBeUndefined();
    expect(await masks.counterpart(OTHER, did, '1', NOW)).toBeUndefined();
    expect(await masks.counterpart(ACME, did, '1', UNTIL)).toBeUndefined();
  });

  it('the same pair keeps its number and has the new validity, in whichever order it is named', async () => {
    const first = await masks.allocate(ACME, POOL, ['11', '12'], UNTIL, NOW);
    expect(await masks.allocate(ACME, POOL, ['12', '11'], UNTIL + 5, NOW)).toBe(first);
    expect(await masks.counterpart(ACME, first ?? '', '11', UNTIL + 4)).toBe('12');
  });

  it('many pairs share a number as long as nobody would have two counterparts under it', async () => {
    const [one, two, three] = [
      await masks.allocate(ACME, POOL, ['21', '22'], UNTIL, NOW),
      await masks.allocate(ACME, POOL, ['21', '23'], UNTIL, NOW),
      await masks.allocate(ACME, POOL, ['21', '24'], UNTIL, NOW),
    ];
    expect(new Set([one, two])).toEqual(new Set(POOL));
    expect(three).toBeUndefined();
    expect(await masks.counterpart(ACME, one ?? '', '21', NOW)).toBe('22');
    expect(await masks.counterpart(ACME, two ?? '', '21', NOW)).toBe('23');
    // What has ended makes room.
    expect(await masks.allocate(ACME, POOL, ['21', '24'], UNTIL + 60_000, UNTIL)).toBeDefined();
  });

  it('a hundred at once for one caller: as many as the pool has numbers, each with its own', async () => {
    const pool = Array.from({ length: 40 }, (_, i) => String(911_140_009_100 + i));
    const given = await Promise.all(
      Array.from({ length: 100 }, (_, i) => masks.allocate(ACME, pool, ['31', String(3_100 + i)], UNTIL, NOW)),
    );
    const taken = given.filter((did) => did !== undefined);
    expect([taken.length, new Set(taken).size]).toEqual([40, 40]);
  });

  it('a number is taken back from the pair that has it only', async () => {
    const did = (await masks.allocate(ACME, POOL, ['41', '42'], UNTIL, NOW)) ?? '';
    expect(await masks.release(ACME, did, ['41', '43'])).toBe(false);
    expect(await masks.release(ACME, did, ['42', '41'])).toBe(true);
    expect(await masks.counterpart(ACME, did, '41', NOW)).toBeUndefined();
    expect(await masks.release(ACME, did, ['41', '42'])).toBe(false);
  });
});
