import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { DialerCommit } from '../../src/ports.ts';
import type { Redone } from '../../src/store/redo-log.ts';
import type { Store } from '../../src/store/store.ts';
import { STORIES_MS, stories } from '../support/properties.ts';
import { type Past, RedisPast } from '../support/redis-past.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { company, newStore } from '../support/store-kit.ts';

const ACME = company('acme');
const FLOW = 'flow0001';
const COMMANDS = 'ringmaster-commands';
const LEAD = 'redo:{acme}:dialer:lead';
const TOKEN = 'redo:{acme}:dialer:token';
const NOW = 1_800_000_000_000;
const DIDS = ['201', '202'];

let redis: TestRedis;
let past: RedisPast;
const opened: Opened[] = [];

interface Opened {
  readonly store: Store;
  readonly redone: Redone[];
  readonly faults: Error[];
  /** How often it has been connected. */
  ups: number;
}

beforeAll(async () => {
  redis = await startRedis();
  past = await RedisPast.open(redis.url);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ store }) => store.close()));
});

afterAll(async () => {
  past.close();
  await redis.stop();
});

async function open(onCrowded: (writes: number) => void = () => undefined): Promise<Opened> {
  const made: Omit<Opened, 'store'> & { store?: Store } = { redone: [], faults: [], ups: 0 };
  const { store } = newStore(redis.url, {
    prefix: 'redo',
    listener: {
      onDown: () => undefined,
      onUp: (connection) => {
        if (connection === COMMANDS) made.ups++;
      },
      onError: (error) => void made.faults.push(error),
      onRedone: (what) => void made.redone.push(what),
      onCrowded,
    },
  });
  const all = Object.assign(made, { store });
  opened.push(all);
  await store.connected();
  return all;
}

/** Redis loses all that it was told since, and everybody has it again. */
async function lose(to: Past, ...who: Opened[]): Promise<void> {
  const before = who.map((o) => o.ups);
  await past.goBack(to);
  for (const [i, o] of who.entries()) {
    await vi.waitFor(() => expect(o.ups).toBeGreaterThan(before[i] ?? 0), { timeout: 15_000, interval: 5 });
  }
}

/** One thing that somebody does; the numbers say of what and how. */
interface Deed {
  readonly what: keyof typeof DEEDS;
  readonly a: number;
  readonly b: number;
}

interface Scene {
  /** Who leads the dialler and serves the contacts. */
  readonly leads: Store;
  /** Who takes requests. */
  readonly takes: Store;
  readonly token: number;
}

/** Reads first what it builds on, as its callers do. `n` is the number of the deed in its story. */
const DEEDS = {
  async accept({ takes }: Scene, { a, b }: Deed, n: number) {
    const calls = Array.from({ length: 1 + (b % 3) }, (_, i) => ({
      uuid: `u${(a + i) % 6}-${n}`,
      json: `{"n":${n}}`,
      flowId: FLOW,
      active: false,
      queue: NOW + a + i / 1024,
    }));
    await takes.dialer.accept(ACME, { id: `r${n}`, json: `{"r":${n}}`, flowId: FLOW, checksum: `${a}` }, calls, 600);
  },
  async step({ leads, token }: Scene, { a, b }: Deed, n: number) {
    const { calls } = await leads.dialer.due(ACME, FLOW, NOW * 2, 50);
    const known = [...calls, ...(await leads.dialer.active(ACME))].toSorted((x, y) => (x.uuid < y.uuid ? -1 : 1));
    const call = known[a % Math.max(1, known.length)];
    if (!call) return;
    const where = [{ active: true }, { active: false, queue: NOW + b }, { active: false, ttl: 600 }][b % 3];
    const commit: DialerCommit = {
      companyId: ACME,
      token,
      uuid: call.uuid,
      json: `{"n":${n}}`,
      flowId: FLOW,
      active: false,
      version: call.version,
      seen: n,
      ...where,
      ...(b % 2 === 0 && { message: `m${n}` }),
      ...(a % 3 === 0 && { charge: 'main' }),
      ...(a % 3 === 1 && { refund: 'main' }),
      ...(b % 5 === 0 && { tally: { hour: 480_000 + (a % 30), counts: { placed: 1, waitMs: b } } }),
      ...(b % 4 < 2 && {
        campaigncall: { id: `c${a % 5}`, json: `{"n":${n}}`, keepSeconds: 600, keepAtMost: 3, fresh: b % 4 === 0 },
      }),
    };
    await leads.dialer.commit(commit);
  },
  async settle({ leads, token }: Scene, { a, b }: Deed) {
    const due = await leads.dialer.dueMessages(ACME, NOW * 2, 50);
    const message = due.toSorted((x, y) => (x.uuid < y.uuid ? -1 : 1))[a % Math.max(1, due.length)];
    if (!message) return;
    if (b % 3 === 0) await leads.dialer.delivered(ACME, token, message);
    else if (b % 3 === 1) await leads.dialer.notDelivered(ACME, token, message, NOW + b);
    else await leads.dialer.deadLetter(ACME, token, message, FLOW);
  },
  async replay({ leads }: Scene) {
    await leads.dialer.replay(ACME, FLOW, NOW);
  },
  async seen({ leads, token }: Scene, _deed: Deed, n: number) {
    await leads.dialer.setSeen(ACME, token, n);
  },
  async balance({ leads }: Scene, { a }: Deed) {
    await leads.dialer.balance(ACME, 'main', a);
  },
  async flowState({ leads, takes }: Scene, { a, b }: Deed, n: number) {
    const state = ['running', 'paused', 'stopped'][b % 3];
    await (a % 2 === 0 ? leads : takes).dialer.setFlowState(ACME, FLOW, JSON.stringify({ state, since: NOW + n }));
  },
  async campaigncall({ leads }: Scene, { a }: Deed, n: number) {
    const entry = { id: `c${a % 5}`, json: `{"n":${n}}`, keepSeconds: 600, keepAtMost: 3 };
    await leads.campaigncalls.add(ACME, FLOW, entry);
  },
  async contact({ leads }: Scene, { a, b }: Deed, n: number) {
    const id = `k${a % 6}`;
    const found = await leads.contacts.find(ACME, id);
    const ended = b % 3 === 0 && { ended: { keepSeconds: 600, keepAtMost: 2 } };
    const commit = { companyId: ACME, id, json: `{"n":${n}}`, version: found?.version ?? 0 };
    await leads.contacts.commit({ ...commit, ...ended });
  },
  async mask({ takes }: Scene, { a, b }: Deed, n: number) {
    const pair = [`4${a % 4}`, `5${b % 3}`] as const;
    const did = DIDS[a % 2] ?? '';
    if (b % 4 === 0) await takes.masks.release(ACME, did, pair);
    else await takes.masks.allocate(ACME, DIDS, pair, NOW + 1_000 + n, NOW);
  },
  async flow({ leads, takes }: Scene, { a, b }: Deed, n: number) {
    const change = { id: `f${a % 3}`, removed: b % 3 === 0, now: NOW + n };
    const given = b % 3 === 0 ? {} : { json: `{"n":${n},"text":"100 % ist Zoë"}` };
    const expected = b % 2 === 0 ? ('new' as const) : ('any' as const);
    await (b % 2 === 0 ? leads : takes).flows.change(ACME, { ...change, ...given, expected });
  },
};

const KINDS = Object.keys(DEEDS) as (keyof typeof DEEDS)[];
const deed = fc.record<Deed>({
  // What most depends on what comes thrice.
  what: fc.constantFrom(...KINDS, 'accept', 'accept', 'step', 'step', 'step', 'step', 'settle', 'settle'),
  a: fc.nat(30),
  b: fc.nat(59),
});
const story = fc.record({ deeds: fc.array(deed, { minLength: 5, maxLength: 30 }), kept: fc.nat(1_000) });

/** All but what counts changes: one of them is a time, and the others count what was refused as well. */
const comparable = async () => {
  const all = await past.contents();
  return Object.fromEntries(Object.entries(all).filter(([key]) => !/flowbook-revision$|:writes:/.test(key)));
};

/** Tells a story and has all but its beginning lost. */
async function tell({ deeds, kept }: { deeds: readonly Deed[]; kept: number }, leads: Opened, takes: Opened) {
  const token = (await leads.store.dialer.lead(ACME, 'me', 60_000)) ?? 0;
  const moments: Past[] = [await past.now()];
  for (const [n, one] of deeds.entries()) {
    await DEEDS[one.what]({ leads: leads.store, takes: takes.store, token }, one, n + 1);
    moments.push(await past.now());
  }
  const before = await comparable();
  const moment = moments[kept % moments.length] ?? [];
  await lose(moment, ...new Set([leads, takes]));
  expect(await comparable()).toEqual(before);
  for (const { faults, redone } of new Set([leads, takes])) {
    expect(faults).toEqual([]);
    expect(redone.some((r) => r.more)).toBe(false);
    if (moment === moments.at(-1)) expect(redone).toEqual([]);
  }
}

describe('what Redis has lost of everything else that is written', () => {
  it(
    'is there again, whatever it was and however much of it was lost',
    () =>
      fc.assert(
        fc
          .asyncProperty(story, async (told) => {
            await past.goBack([]);
            const one = await open();
            await tell(told, one, one);
          })
          .afterEach(async () => {
            await Promise.all(opened.splice(0).map(({ store }) => store.close()));
          }),
        stories(40),
      ),
    STORIES_MS,
  );

  it(
    'is there again where two instances had written it in turn, whichever comes back first',
    () =>
      fc.assert(
        fc
          .asyncProperty(story, async (told) => {
            await past.goBack([]);
            await tell(told, await open(), await open());
          })
          .afterEach(async () => {
            await Promise.all(opened.splice(0).map(({ store }) => store.close()));
          }),
        stories(40),
      ),
    STORIES_MS,
  );

  it('is done again with the next loss too, and nothing twice', async () => {
    await past.goBack([]);
    const one = await open();
    const { dialer } = one.store;
    const token = (await dialer.lead(ACME, 'me', 60_000)) ?? 0;
    const atFirst = await past.now();
    const scene = { leads: one.store, takes: one.store, token };
    await DEEDS.accept(scene, { what: 'accept', a: 0, b: 0 }, 1);
    // Tells a message, counts, and takes one off what is paid for.
    await DEEDS.balance(scene, { what: 'balance', a: 9, b: 0 });
    await DEEDS.step(scene, { what: 'step', a: 0, b: 0 }, 2);
    const before = await comparable();
    await lose(atFirst, one);
    await lose(await past.now(), one);
    await lose(atFirst, one);
    expect(await comparable()).toEqual(before);
    expect(one.redone).toEqual([
      { writes: 3, held: 0, more: false },
      { writes: 3, held: 0, more: false },
    ]);
    expect(await dialer.balance(ACME, 'main', 9)).toBe(8);
  });

  it('is what leaders and desks hold where it is more than is remembered', async () => {
    await past.goBack([]);
    const crowded: number[] = [];
    const one = await open((writes) => void crowded.push(writes));
    const { dialer, contacts } = one.store;
    const token = (await dialer.lead(ACME, 'me', 60_000)) ?? 0;
    const entry = { uuid: 'u1', flowId: FLOW, active: false };
    const request = { json: '{}', flowId: FLOW };
    await dialer.accept(ACME, { ...request, id: 'r', checksum: 'r' }, [{ ...entry, json: '{}', queue: NOW }], 600);
    const waiting = await past.now();
    const live = { ...entry, active: true, json: '{"live":1}' };
    await dialer.commit({ ...live, companyId: ACME, token, version: 1 });
    await contacts.commit({ companyId: ACME, id: 'k1', json: '{"k":1}', version: 0 });
    dialer.holding(ACME, () => [{ ...live, version: 2 }]);
    const letGo = contacts.holding(ACME, () => [{ id: 'k1', json: '{"k":1}', version: 1 }]);
    contacts.holding(ACME, () => [{ id: 'k2', json: '{"k":2}', version: 5 }])();
    // More than is kept in memory.
    const large = 'x'.repeat(8 * 1024 * 1024);
    for (let i = 0; i < 9; i++) {
      await dialer.accept(ACME, { ...request, json: large, id: `${i}`, checksum: `${i}` }, [], 600);
    }
    expect(crowded).toHaveLength(1);
    await lose(waiting, one);
    expect(one.redone).toMatchObject([{ held: 2, more: true }]);
    expect(await dialer.active(ACME)).toEqual([{ uuid: 'u1', json: '{"live":1}', version: 2 }]);
    expect(await dialer.waiting(ACME, FLOW)).toBe(0);
    expect(await contacts.live(ACME)).toEqual([{ id: 'k1', json: '{"k":1}', version: 1 }]);
    // The newest are among what is remembered.
    expect(await dialer.request(ACME, '8')).toBe(large);
    letGo();
  });

  it('of a script that Redis refuses keeps nothing else from coming back', async () => {
    await past.goBack([]);
    const one = await open();
    const atFirst = await past.now();
    await one.store.dialer.setFlowState(ACME, FLOW, '{"state":"paused"}');
    await one.store.contacts.commit({ companyId: ACME, id: 'k1', json: '{}', version: 0 });
    await past.do('SET', 'redo:{acme}:dialer:flows', 'no hash');
    const broken = (await past.now()).filter(([key]) => key.toString().endsWith(':flows'));
    await lose([...atFirst, ...broken], one);
    expect(one.faults.map((f) => f.message)).toEqual([expect.stringContaining('WRONGTYPE')]);
    expect(await one.store.contacts.live(ACME)).toHaveLength(1);
  });
});

describe('the lead of a company’s dialler', () => {
  it('goes on under its token where Redis has lost it, or where it ran out meanwhile', async () => {
    await past.goBack([]);
    const [mine, yours] = [await open(), await open()];
    const token = await mine.store.dialer.lead(ACME, 'me', 60_000);
    await lose([], mine, yours);
    expect(await yours.store.dialer.lead(ACME, 'you', 60_000)).toBeUndefined();
    expect(await mine.store.dialer.lead(ACME, 'me', 60_000)).toBe(token);
    await lose(
      (await past.now()).filter(([key]) => key.toString() !== LEAD),
      mine,
      yours,
    );
    expect(await mine.store.dialer.lead(ACME, 'me', 60_000)).toBe(token);
  });

  it('does not come back where somebody has had it since, or where it was given back', async () => {
    await past.goBack([]);
    const [mine, yours] = [await open(), await open()];
    const token = (await mine.store.dialer.lead(ACME, 'me', 60_000)) ?? 0;
    const led = await past.now();
    await past.do('DEL', LEAD);
    const next = (await yours.store.dialer.lead(ACME, 'you', 60_000)) ?? 0;
    expect(next).toBeGreaterThan(token);
    // Whoever is first: the newer one has it in the end.
    await lose(led, mine, yours);
    expect(await past.do('HGET', LEAD, 'token')).toBe(String(next));
    await lose([], mine, yours);
    expect(await past.do('HGET', LEAD, 'token')).toBe(String(next));
    await yours.store.dialer.resign(ACME, next);
    await lose(await past.now(), mine, yours);
    expect([await past.do('EXISTS', LEAD), await past.do('GET', TOKEN)]).toEqual([0, String(next)]);
  });

  it('has a higher token each time, also in a Redis that has lost its counter', async () => {
    await past.goBack([]);
    const one = await open();
    const first = (await one.store.dialer.lead(ACME, 'me', 60_000)) ?? 0;
    await one.store.dialer.resign(ACME, first);
    await lose([], one);
    expect(await past.do('EXISTS', TOKEN)).toBe(0);
    expect(await one.store.dialer.lead(ACME, 'me', 60_000)).toBeGreaterThan(first);
  });
});
