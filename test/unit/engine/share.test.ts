import { describe, expect, it } from 'vitest';
import { evenOut, handAllOver, rescue, turnFor } from '../../../src/engine/share.ts';
import type { Member, NodeReach, Overview } from '../../../src/ports.ts';
import { FLOOR_SHARD } from '../../../src/queues/floor.ts';

/** Shards are named `<app>@<node>`. */
const nodeOf = (shard: string): string | undefined => shard.split('@')[1];

/** @param reach of every node that is named; undefined: of an older release, which does not say */
const member = (id: string, reach?: NodeReach | Record<string, NodeReach>, leaving = false): Member => ({
  id,
  says: { leaving, ...(reach && { reach: typeof reach === 'string' ? { x: reach, y: reach } : reach }) },
});

/** @param owners by shard; undefined: it is free */
const overview = (members: readonly Member[], owners: Record<string, string | undefined>): Overview => ({
  members,
  leases: Object.entries(owners).map(([shard, owner]) => ({ shard, ...(owner && { owner }), freeInMs: 0 })),
  draining: new Map(),
});

describe('shards whose node their owner does not reach', () => {
  const OWNED = { 'a@x': 'me', 'b@x': 'me', [FLOOR_SHARD]: 'me' };
  const rescued = (members: readonly Member[], owners: Record<string, string | undefined> = OWNED) =>
    rescue(overview(members, owners), 'me', nodeOf);

  it.each([
    ['steady', ['a@x', 'b@x']],
    ['back', ['a@x', 'b@x']],
    ['unsure', []],
    ['cut', []],
    [undefined, []],
  ] as const)('go to one who says that it is %s there, and agents and queues stay', (reach, moved) => {
    expect(rescued([member('me', 'cut'), member('other', reach)])).toEqual(
      moved.map((shard) => ({ shard, to: 'other' })),
    );
  });

  it.each(['steady', 'back', 'unsure', undefined] as const)('stay with one who is %s there', (reach) => {
    expect(rescued([member('me', reach), member('other', 'steady')])).toEqual([]);
  });

  it('go to whoever has fewest, each that goes counted, and to nobody who is about to end', () => {
    const members = [
      member('me', 'cut'),
      member('ending', 'steady', true),
      member('one', 'steady'),
      member('two', 'back'),
      member('lost', 'cut'),
    ];
    const owners = { 'a@x': 'me', 'b@x': 'me', 'c@x': 'me', 'd@y': 'one', 'e@y': 'one' };
    expect(rescued(members, owners)).toEqual([
      { shard: 'a@x', to: 'two' },
      { shard: 'b@x', to: 'two' },
      { shard: 'c@x', to: 'one' },
    ]);
  });

  it('only those of that node, and only what is its own', () => {
    const members = [member('me', { x: 'cut', y: 'steady' }), member('other', 'steady')];
    const owners = { 'a@x': 'me', 'b@y': 'me', 'c@x': 'other', 'd@x': undefined };
    expect(rescued(members, owners)).toEqual([{ shard: 'a@x', to: 'other' }]);
  });
});

describe('evenness', () => {
  const even = (members: readonly Member[], owners: Record<string, string | undefined>) =>
    evenOut(overview(members, owners), 'me', nodeOf);

  it.each([
    ['steady', true],
    [undefined, true],
    ['back', false],
    ['unsure', false],
    ['cut', false],
  ] as const)('gives one who is %s there a shard: %s', (reach, given) => {
    expect(even([member('me', 'steady'), member('other', reach)], { 'a@x': 'me', 'b@x': 'me' })).toEqual(
      given ? { shard: 'a@x', to: 'other' } : undefined,
    );
  });

  it('gives a shard of the node that the other reaches, or to the next poorest who reaches it', () => {
    const owners = { 'a@x': 'me', 'b@y': 'me', 'c@x': 'me', 'd@x': 'two' };
    expect(even([member('me', 'steady'), member('one', { x: 'cut', y: 'steady' })], owners)).toEqual({
      shard: 'b@y',
      to: 'one',
    });
    expect(even([member('me', 'steady'), member('one', 'cut'), member('two', 'steady')], owners)).toEqual({
      shard: 'a@x',
      to: 'two',
    });
  });

  it('leaves a difference of one', () => {
    const owners = { 'a@x': 'me', 'b@x': 'me', 'c@x': 'other' };
    expect(even([member('me', 'steady'), member('other', 'steady')], owners)).toBeUndefined();
  });
});

describe('a free shard', () => {
  const turn = (members: readonly Member[], held = 0, shard = 'a@x') =>
    turnFor(overview(members, { 'a@x': undefined, 'b@x': undefined }), 'me', shard, held, nodeOf);

  it.each([
    ['cut', 'steady', 'lease'],
    ['unsure', 'back', 'lease'],
    ['cut', 'unsure', 'now'],
    ['cut', 'cut', 'now'],
    ['cut', undefined, 'now'],
    [undefined, 'steady', 'now'],
    ['steady', 'steady', 'now'],
  ] as const)('is asked for by one who is %s there, beside one who is %s: %s', (mine, others, expected) => {
    expect(turn([member('me', mine), member('other', others)])).toBe(expected);
  });

  it('over the fair share is left to the others for a round, unless none of them reaches the node', () => {
    expect(turn([member('me', 'steady'), member('other', 'steady')], 1)).toBe('next-round');
    expect(turn([member('me', 'steady'), member('other', 'cut')], 1)).toBe('now');
  });

  it('agents and queues are asked for at once', () => {
    expect(turn([member('me', 'cut'), member('other', 'steady')], 2, FLOOR_SHARD)).toBe('now');
  });
});

describe('what one who ends hands over', () => {
  it('goes to those who reach its node as long as there is one, and to the others otherwise', () => {
    const owners = { 'a@x': 'me', 'b@y': 'me', [FLOOR_SHARD]: 'me' };
    const members = [member('me', 'steady'), member('one', { x: 'cut', y: 'steady' }), member('two', { x: 'steady' })];
    expect(handAllOver(overview(members, owners), 'me', nodeOf)).toEqual([
      { shard: 'a@x', to: 'two' },
      { shard: 'b@y', to: 'one' },
      { shard: FLOOR_SHARD, to: 'one' },
    ]);
    expect(
      handAllOver(overview([member('me', 'steady'), member('one', 'cut')], { 'a@x': 'me' }), 'me', nodeOf),
    ).toEqual([{ shard: 'a@x', to: 'one' }]);
  });
});
