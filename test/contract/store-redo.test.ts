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

async function open(): Promise<Opened> {
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
});
