import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import type { CompanyConfig } from '../../src/config.ts';
import type { NewCtiEvent } from '../../src/cti/events.ts';
import { newCallID } from '../../src/cti/ids.ts';
import type { DialerDeps } from '../../src/dialer/index.ts';
import type { EventLog, LoggedEvent } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { type End, type Instance, instance, SimulatedSwitch } from '../support/dialer-harness.ts';
import { companyOf, type FlowSettings, SECURITY_ID } from '../support/dialer-kit.ts';
import { RedisPast } from '../support/redis-past.ts';
import { company, newStore } from '../support/store-kit.ts';

/** What the dialler makes of calls of whose end the event log tells nothing any more: the switch knows what was dialled. */

const BASE = '/kairos-apis/outbounddialer';
const ACME = company('acme');
const SOON = { timeout: 15_000, interval: 10 };

/** The log, from which events are taken while it is deaf. */
class Holey {
  deaf = false;
  dropped = 0;
  readonly #lost = new Set<() => void>();

  of(events: EventLog): EventLog {
    return {
      lastEventID: (companyId) => events.lastEventID(companyId),
      read: (companyId, after, limit) => events.read(companyId, after, limit),
      tail: (companyId, listener, lost) => {
        const told = (some: readonly LoggedEvent[]): void => {
          if (this.deaf) this.dropped += some.length;
          else listener(some);
        };
        if (lost) this.#lost.add(lost);
        return events.tail(companyId, told, lost);
      },
    };
  }

  /** Tells what is dropped no more, that it was. */
  async tellLost(atLeast: number): Promise<void> {
    await vi.waitFor(() => expect(this.dropped).toBeGreaterThanOrEqual(atLeast), SOON);
    this.deaf = false;
    for (const lost of this.#lost) lost();
  }
}

describe('where the event log has a hole', () => {
  const stores: Store[] = [];
  const instances: Instance[] = [];
  const prefix = (): string => `t${randomBytes(6).toString('hex')}`;
  let under = '';
  let sim: SimulatedSwitch;

  const open = async (): Promise<Store> => {
    const { store } = newStore(inject('redisUrl'), { prefix: under });
    stores.push(store);
    await store.connected();
    return store;
  };
  const begin = async (): Promise<void> => {
    under = prefix();
    sim = new SimulatedSwitch(await open());
    sim.holding = true;
  };
  const dialler = async (flow: FlowSettings = {}, change: (store: Store) => Partial<DialerDeps> = () => ({})) => {
    const store = await open();
    const made = await instance(store, sim, [companyOf([flow])], change(store));
    instances.push(made);
    return made;
  };
  const stop = async (one: Instance): Promise<void> => {
    instances.splice(instances.indexOf(one), 1);
    await one.close();
  };
  const ask = async (at: Instance, number: string, start?: number): Promise<string> => {
    const call = {
      'client-identifier': number,
      'contact-numbers': [number],
      ...(start !== undefined && { 'start-time': new Date(start).toISOString() }),
    };
    const payload = { 'api-version': '1.0', 'security-id': SECURITY_ID, 'flow-id': 'flow0001', calls: [call] };
    const answer = (await at.http.inject({ method: 'POST', url: `${BASE}/create`, payload })).json();
    expect(answer).toMatchObject({ 'api-response-code': 200 });
    return String(answer['request-id']);
  };
  const becomes = (at: Instance, id: string, status: string): Promise<void> =>
    vi.waitFor(async () => {
      const answer = (await at.http.inject({ method: 'GET', url: `${BASE}/status/${id}` })).json();
      expect(answer['call-details'][0].status).toBe(status);
    }, SOON);
  const numbers = (): string[] => sim.placed.map((p) => p.number);
  /** The log keeps nothing of what was told so far. */
  const loseLog = async (): Promise<void> => {
    const redis = await RedisPast.open(inject('redisUrl'));
    const [stream] = (await redis.do('KEYS', `${under}:*events`)) as string[];
    expect(await redis.do('XTRIM', stream ?? '', 'MAXLEN', '0')).toBeGreaterThan(0);
    redis.close();
  };

  afterEach(async () => {
    await Promise.all(instances.splice(0).map((i) => i.close()));
    await Promise.all(stores.splice(0).map((s) => s.close()));
  });

  const twice = {
    customerAttempts: { attempts: 2, intervals: [600] },
    agentAttempts: { attempts: 2, intervals: [600] },
  };

  it.each<[End, string]>([
    ['talk', 'COMPLETED'],
    ['short', 'SHORT_HANGUP'],
    ['no-answer', 'CUSTOMER_REATTEMPT_SCHEDULED'],
    ['no-agent', 'AGENT_REATTEMPT_SCHEDULED'],
  ])(
    'a call that ended meanwhile (%s) is judged by what is stored of it: %s, and not dialled again',
    async (end, status) => {
      await begin();
      sim.endOf = () => end;
      const first = await dialler(twice);
      const id = await ask(first, '918000000001');
      await sim.until(() => sim.placed.length === 1);
      await stop(first);
      await sim.hangUp();
      await loseLog();
      const second = await dialler(twice);
      await becomes(second, id, status);
      const legs = (await second.http.inject({ method: 'GET', url: `${BASE}/status/${id}` })).json()['call-details'][0];
      expect(JSON.stringify(legs)).toContain('918000000001');
      expect(numbers()).toEqual(['918000000001']);
      expect(second.warnings).toEqual([]);
    },
  );

  it('a call of which nothing is stored any more may have been dialled: it ends, and is not dialled again', async () => {
    await begin();
    const first = await dialler(twice);
    const id = await ask(first, '918000000001');
    await sim.until(() => sim.placed.length === 1);
    await stop(first);
    await sim.hangUp();
    await loseLog();
    sim.forgetEnded();
    const second = await dialler(twice);
    await becomes(second, id, 'FAILURE');
    expect(numbers()).toEqual(['918000000001']);
    expect(second.warnings.join()).toContain('has left no trace');
  });

  it('a leader that lives through it finds out what became of its calls, and who is free', async () => {
    await begin();
    const holey = new Holey();
    const one = await dialler({ agents: ['1001'] }, (store) => ({ events: holey.of(store.events) }));
    const first = await ask(one, '918000000001');
    await sim.until(() => sim.placed.length === 1);
    // Somebody else's call rings the agent, and its end is told to nobody.
    const callID = newCallID(randomBytes(16).toString('hex'), 1);
    const of = { companyId: ACME, callID, partyID: `${callID}-1`, thisDN: '1001' };
    await one.store.calls.append(ACME, [{ messageID: 'EventDialing', ...of } as unknown as NewCtiEvent]);
    await vi.waitFor(async () => {
      const seen = (await one.store.dialer.seen(ACME)) ?? 0;
      expect(seen).toBe(await one.store.events.lastEventID(ACME));
    }, SOON);
    holey.deaf = true;
    await sim.hangUp();
    await holey.tellLost(3);
    await becomes(one, first, 'COMPLETED');
    const second = await ask(one, '918000000002');
    await sim.until(() => sim.placed.length === 2);
    await sim.hangUp();
    await becomes(one, second, 'COMPLETED');
    expect(numbers()).toEqual(['918000000001', '918000000002']);
  });

  it('an event that cannot be taken into account keeps neither its call nor those after it', async () => {
    await begin();
    let fails = false;
    const failing = (store: Store): Partial<DialerDeps> => ({
      store: new Proxy(store.dialer, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (name !== 'commit' || !fails) return Reflect.apply(value, target, args);
            fails = false;
            return Promise.reject(new Error('the script answered nonsense'));
          };
        },
      }),
    });
    const one = await dialler({ agents: ['1001', '1002'], limits: { calls: 10, callsPerSecond: 100 } }, failing);
    const ids = [await ask(one, '918000000001'), await ask(one, '918000000002')];
    await sim.until(() => sim.placed.length === 2);
    await vi.waitFor(async () => {
      const active = await one.store.dialer.active(ACME);
      expect(active.map((d) => JSON.parse(d.json).phase)).toEqual(['live', 'live']);
    }, SOON);
    fails = true;
    await sim.hangUp();
    for (const id of ids) await becomes(one, id, 'COMPLETED');
    expect(fails).toBe(false);
    expect(numbers().toSorted()).toEqual(['918000000001', '918000000002']);
  });

  it('a call that may have been begun is not asked for under another id while nobody has its shard', async () => {
    await begin();
    sim.unsure = 1;
    sim.unowned = 2;
    const one = await dialler();
    const id = await ask(one, '918000000001');
    await vi.waitFor(() => expect([sim.unsure, sim.unowned]).toEqual([0, 0]), SOON);
    await vi.waitFor(() => sim.hangUp(), SOON);
    await becomes(one, id, 'COMPLETED');
    expect(numbers()).toEqual(['918000000001']);
  });

  it('a call of whose end the log has told is not asked for any more, though nobody has ever answered for it', async () => {
    await begin();
    sim.holding = false;
    sim.unsure = Number.POSITIVE_INFINITY;
    const one = await dialler();
    const id = await ask(one, '918000000001');
    await becomes(one, id, 'COMPLETED');
    sim.forgetEnded();
    sim.unsure = 0;
    const later = await ask(one, '918000000002', Date.now() + 1_500);
    await becomes(one, later, 'COMPLETED');
    expect(numbers()).toEqual(['918000000001', '918000000002']);
  });
});

describe('a leader that has much to take up', () => {
  const stores: Store[] = [];
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((s) => s.close()));
  });
  const open = (): Store => {
    const { store } = newStore(inject('redisUrl'));
    stores.push(store);
    return store;
  };

  it('renews its lead meanwhile, and that of every other company', async () => {
    const store = open();
    const beta: CompanyConfig = { ...companyOf(), companyId: 'beta' };
    const renewed = new Map<string, number>();
    let release = (): void => undefined;
    const long = new Promise<never[]>((resolve) => {
      release = () => resolve([]);
    });
    const slow = new Proxy(store.dialer, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (companyId: string, ...args: unknown[]) => {
          if (name === 'active' && companyId === ACME) return long;
          if (name === 'lead') renewed.set(companyId, (renewed.get(companyId) ?? 0) + 1);
          return Reflect.apply(value, target, [companyId, ...args]);
        };
      },
    });
    await store.connected();
    const one = await instance(store, new SimulatedSwitch(store), [companyOf(), beta], { store: slow }, 300);
    await vi.waitFor(() => {
      for (const id of ['acme', 'beta']) expect(renewed.get(id) ?? 0).toBeGreaterThan(3);
    }, SOON);
    release();
    await one.close();
  });

  it('ends when it is told to, in the middle of it', async () => {
    const store = open();
    let pages = 0;
    const endless: Pick<EventLog, 'read'> = {
      read: async (_companyId, after) => {
        pages += 1;
        await new Promise((resolve) => setImmediate(resolve));
        return [{ eventID: after + 1, messageID: 'EventHeld', json: '{}' }];
      },
    };
    await store.connected();
    const { events } = store;
    const log: EventLog = {
      lastEventID: (companyId) => events.lastEventID(companyId),
      tail: (...args) => events.tail(...args),
      ...endless,
    };
    const one = await instance(store, new SimulatedSwitch(store), [companyOf()], { events: log });
    await vi.waitFor(() => expect(pages).toBeGreaterThan(10), SOON);
    await one.close();
    expect(pages).toBeGreaterThan(10);
  });
});
