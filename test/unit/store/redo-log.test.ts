import { describe, expect, it } from 'vitest';
import type { CompanyId } from '../../../src/cti/ids.ts';
import { StoreFault, StoreUnavailable } from '../../../src/store/errors.ts';
import { Keys } from '../../../src/store/keys.ts';
import { RedoLog } from '../../../src/store/redo-log.ts';
import { COUNT, writing } from '../../../src/store/redo-script.ts';
import type { Script } from '../../../src/store/script.ts';

const ACME = 'acme' as CompanyId;
const OTHER = 'other' as CompanyId;
const NOTE = writing('note');
const OTHER_NOTE = writing('another');

/** A Redis that counts as the scripts do, keeps what was noted in order, and can lose the last of it. */
class Notes {
  healthy = true;
  counts = new Map<string, number>();
  noted: string[] = [];
  /** What is sent, and not answered yet, is noted in this order. */
  readonly sent: string[] = [];
  refuse: (what: string) => Error | undefined = () => undefined;
  answer: unknown = 1;

  readonly run = async (script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> => {
    const key = keys.at(-1) ?? '';
    const count = this.counts.get(key) ?? 0;
    if (script === COUNT) {
      this.counts.set(key, Math.max(count, Number(args[0])));
      return count;
    }
    const [what = '', place = ''] = args;
    this.sent.push(what);
    const error = this.refuse(what);
    if (error) throw error;
    this.noted.push(what);
    if (place === 'held') return [this.answer, 0];
    const n = place === '' ? count + 1 : Number(place);
    this.counts.set(key, n);
    return [this.answer, n];
  };

  lose(left: number): void {
    this.noted = this.noted.slice(0, left);
    for (const key of this.counts.keys()) this.counts.set(key, left);
  }
}

function scene() {
  const redis = new Notes();
  const told: { faults: string[]; crowded: number[] } = { faults: [], crowded: [] };
  let now = 0;
  const log = new RedoLog(
    redis,
    new Keys('rm'),
    { onFault: (e) => void told.faults.push(e.message), onCrowded: (n) => void told.crowded.push(n) },
    () => now,
  );
  const write = (what: string, script = NOTE) => log.write(ACME, script, [], [what]);
  const later = (ms: number): void => {
    now += ms;
  };
  return { redis, told, log, write, later, restore: () => log.restore(redis.run) };
}

describe('the redo log', () => {
  it('does again what is missing, in order, and nothing where nothing is', async () => {
    const { redis, write, restore } = scene();
    for (const what of ['a', 'b', 'c', 'd']) await write(what);
    expect(await restore()).toEqual({ writes: 0, held: 0, more: false });
    redis.lose(1);
    expect(await restore()).toEqual({ writes: 3, held: 0, more: false });
    expect(redis.noted).toEqual(['a', 'b', 'c', 'd']);
    await write('e');
    redis.lose(4);
    expect((await restore()).writes).toBe(1);
    expect(redis.noted.at(-1)).toBe('e');
  });

  it('does not do again what had written nothing, and does what was chosen in place of the choice', async () => {
    const { redis, log, write, restore } = scene();
    redis.answer = 3;
    expect(await write('refused')).toBe(3);
    redis.answer = 1;
    await log.write(ACME, NOTE, [], ['choose'], (answer) => ({ script: NOTE, keys: [], args: [`chosen ${answer}`] }));
    redis.lose(0);
    expect((await restore()).writes).toBe(1);
    expect(redis.noted).toEqual(['chosen 1']);
  });

  it('forgets what is older than ten seconds, but not while Redis is away', async () => {
    const { redis, log, write, later, restore } = scene();
    await write('a');
    later(9_999);
    await write('b');
    expect(log.size).toBe(2);
    later(1);
    await write('c');
    expect(log.size).toBe(2);
    redis.healthy = false;
    later(60_000);
    await write('d');
    expect(log.size).toBe(3);
    redis.lose(1);
    expect(await restore()).toEqual({ writes: 3, held: 0, more: false });
    redis.healthy = true;
    // Done again, it is as young as what is new: it may be lost again.
    later(9_999);
    await write('e');
    expect(log.size).toBe(4);
  });

  it('says that more is lost than it remembers, and has what is held stored anew, after the rest', async () => {
    const { redis, log, write, later, restore } = scene();
    await write('a');
    later(10_000);
    await write('b');
    const letGo = log.holding(ACME, () => [{ script: NOTE, keys: [], args: ['held'] }]);
    log.holding(OTHER, () => [{ script: NOTE, keys: [], args: ['nobody lost this'] }]);
    redis.lose(0);
    expect(await restore()).toEqual({ writes: 1, held: 1, more: true });
    expect(redis.noted).toEqual(['b', 'held']);
    // What is held is counted by nobody.
    expect(await restore()).toEqual({ writes: 0, held: 0, more: false });
    letGo();
    redis.lose(0);
    expect(await restore()).toEqual({ writes: 1, held: 0, more: true });
  });

  it('keeps so many writes at most, and says once a minute that they are too few', async () => {
    const { told, log, write, later } = scene();
    const large = 'x'.repeat(30 * 1024 * 1024);
    for (let i = 0; i < 4; i++) await write(large);
    expect([log.size, told.crowded]).toEqual([2, [1]]);
    later(9_000);
    await write(large);
    expect([log.size, told.crowded]).toEqual([2, [1]]);
    later(51_000);
    await write('a');
    await write(large);
    await write(large);
    await write(large);
    expect(told.crowded.length).toBe(2);
  });

  it('sends the first of each script alone, so that none overtakes one that Redis must be told whole', async () => {
    const { redis, write, restore } = scene();
    const order: string[] = [];
    for (const [what, script] of [
      ['a', NOTE],
      ['b', NOTE],
      ['c', OTHER_NOTE],
      ['d', NOTE],
    ] as const) {
      await write(what, script);
    }
    redis.lose(0);
    redis.sent.length = 0;
    redis.refuse = (what) => {
      order.push(`${what} after ${redis.noted.length}`);
      return undefined;
    };
    await restore();
    expect(order).toEqual(['a after 0', 'b after 1', 'c after 2', 'd after 3']);
  });

  it('goes on where one is refused, and stops where Redis goes away', async () => {
    const { redis, told, write, restore } = scene();
    for (const what of ['a', 'b', 'c']) await write(what);
    redis.lose(0);
    redis.refuse = (what) => (what === 'b' ? new StoreFault('WRONGTYPE') : undefined);
    expect(await restore()).toEqual({ writes: 2, held: 0, more: false });
    expect([redis.noted, told.faults]).toEqual([['a', 'c'], ['WRONGTYPE']]);
    redis.lose(0);
    redis.refuse = (what) => (what === 'c' ? new StoreUnavailable('LOADING', true) : undefined);
    await expect(restore()).rejects.toThrow('LOADING');
    redis.refuse = () => undefined;
    // Where it was left.
    expect((await restore()).writes).toBe(1);
    expect(redis.noted).toEqual(['a', 'b', 'c']);
  });

  it('begins anew where Redis has forgotten the count, as after a day without a write', async () => {
    const { redis, write, later, restore } = scene();
    await write('a');
    await write('b');
    later(86_400_000);
    redis.counts.clear();
    await write('c');
    expect(await restore()).toEqual({ writes: 0, held: 0, more: false });
    redis.lose(0);
    expect(await restore()).toEqual({ writes: 1, held: 0, more: false });
  });

  it('is empty once it is closed, though Redis is away, and stays so', async () => {
    const { redis, log, write, restore } = scene();
    await write('a');
    redis.healthy = false;
    expect(log.size).toBe(1);
    log.close();
    await write('b');
    expect(log.size).toBe(0);
    redis.lose(0);
    expect(await restore()).toEqual({ writes: 0, held: 0, more: false });
  });
});
