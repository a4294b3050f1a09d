import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { Command } from '../../src/calls/command.ts';
import { type CallID, nodeOfCallID } from '../../src/cti/ids.ts';
import { Directory } from '../../src/engine/directory.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { NodeBoard } from '../../src/engine/node-board.ts';
import type { Arrival, Caller, NodeContents, NodeDrain, NodeReport } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { CallAdmission } from '../../src/switch/admission.ts';
import { company, newStore } from '../support/store-kit.ts';
import { storedEngine } from '../support/stored-engine.ts';

const ACME = company('acme');
const CALLER: Caller = { companyId: ACME, keyName: 'desk', scopes: new Set(['call']) };
const EMPTY: NodeContents = { channels: [], bridges: [], underWay: new Set(), busy: new Set(), startedAt: 0 };
const FROM_OUTSIDE: Arrival = {
  channel: '1700000000.1',
  origin: 'trunk',
  dialled: '911140001000',
  caller: '911140099001',
  endpoint: 'carrier-a',
};

/** Looks until it is so: a busy machine takes its time. */
const until = (so: () => unknown): Promise<unknown> => vi.waitFor(so, { timeout: 15_000, interval: 10 });

/** A node of which the test says how it is. */
class Node {
  readonly done: Command[] = [];
  serving = true;

  constructor(
    readonly node: string,
    readonly number: number,
  ) {}

  resync(): void {}

  perform(_callID: string, commands: readonly Command[]): void {
    this.done.push(...commands);
  }

  hungUp(): unknown[] {
    return this.done.flatMap((c) => (c.do === 'hang-up' ? [[c.channel, c.q850]] : []));
  }
}

describe('an engine with two nodes', () => {
  let store: Store;
  let engine: Engine;
  let nodes: { a: Node; b: Node };
  let draining: Map<string, NodeDrain>;
  let elsewhere: Record<string, NodeReport>;

  beforeEach(async () => {
    store = newStore(inject('redisUrl')).store;
    await store.connected();
    draining = new Map();
    elsewhere = {};
    const limits = { a: { calls: 4, callsPerSecond: 100 }, b: { calls: 8, callsPerSecond: 100 } };
    const board = new NodeBoard(
      Object.entries(limits).map(([id, of]) => ({ id, limits: of })),
      () => ({ members: [{ id: 'other', says: { leaving: false, nodes: elsewhere } }], leases: [], draining }),
      'me',
    );
    engine = storedEngine(store, {
      admission: new CallAdmission({ nodes: new Map(Object.entries(limits)) }, Date.now),
      directory: new Directory(
        [
          {
            companyId: ACME,
            extensions: { pattern: /^1\d{3}$/, endpoint: 'PJSIP/{dn}' },
            numbers: { pattern: /^\d{7,15}$/ },
            routes: [{ did: '911140001000', agent: '1001' }],
          },
        ],
        [],
      ),
      board,
    });
    nodes = { a: new Node('a', 0), b: new Node('b', 1) };
    for (const node of Object.values(nodes)) {
      await engine.addNode({ id: node.node, number: node.number, app: 'ringmaster', switch: node });
    }
  });

  afterEach(async () => {
    engine.close();
    await store.close();
  });

  let dn = 1000;
  const make = () => {
    dn += 2;
    return engine.request(CALLER, 'RequestMakeCall', {
      thisDN: String(dn),
      otherDN: String(dn + 1),
      makeCallType: 'Regular',
      firstLeg: 'agent',
      ringTimeout: 5,
    });
  };
  const callIDOf = (outcome: unknown): CallID => (outcome as { result: { callID: CallID } }).result.callID;
  /** Which node a new call is placed on. */
  const placed = async (): Promise<string> => (nodeOfCallID(callIDOf(await make())) === 0 ? 'a' : 'b');
  const drain = (...ids: string[]) => {
    for (const id of ids) draining.set(id, { since: 1, by: 'ann' });
  };

  it('shares calls by what each may carry, calls of other instances included', async () => {
    const first: string[] = [];
    for (let i = 0; i < 6; i++) first.push(await placed());
    expect(first.filter((n) => n === 'a')).toHaveLength(2);
    elsewhere = { b: { serving: true, calls: 4, room: true, silent: [], dead: false } };
    expect(await placed()).toBe('a');
    expect(engine.freest).toEqual({ calls: 3, limit: 4, room: true });
  });

  it('begins nothing on a node that is drained, whoever asks, and turns its callers from outside back to the carrier', async () => {
    const before = engine.chooseCallID();
    drain('b');
    expect([await placed(), await placed(), await placed()]).toEqual(['a', 'a', 'a']);
    expect(nodeOfCallID(engine.chooseCallID() ?? ('' as CallID))).toBe(0);
    engine.onArrival('b', FROM_OUTSIDE);
    expect(nodes.b.hungUp()).toEqual([[FROM_OUTSIDE.channel, 42]]);
    expect(engine.callsOn('b')).toBe(0);
    drain('a');
    const params = {
      thisDN: '1900',
      otherDN: '1901',
      makeCallType: 'Regular',
      firstLeg: 'agent',
      ringTimeout: 5,
    } as const;
    for (const refused of [await make(), before && (await engine.place(CALLER, before, params))]) {
      expect(refused).toMatchObject({ refusal: { name: 'NotReady' } });
    }
    expect([engine.mayBegin, engine.chooseCallID()]).toEqual([false, undefined]);
    expect(engine.readiness(true)).toMatchObject({ ready: false, nodes: { a: 'draining', b: 'draining' } });
  });

  it('a call that lives on a node that is drained goes on', async () => {
    drain('a');
    const callID = callIDOf(await make());
    drain('b');
    engine.onFact('b', { kind: 'leg-answered', channel: `${callID}-1` });
    await until(() => expect(nodes.b.done.filter((c) => c.do === 'dial')).toHaveLength(2));
  });

  it('a node that died: its calls have ended Failed and recovered, told twice as once; those of the other go on', async () => {
    const calls = [callIDOf(await make()), callIDOf(await make()), callIDOf(await make())];
    const lost = calls.filter((c) => nodeOfCallID(c) === 1);
    nodes.b.serving = false;
    engine.onNodeDied('b');
    engine.onNodeDied('b');
    await until(() => expect(engine.callsOn('b')).toBe(0));
    expect(engine.callsOn('a')).toBe(calls.length - lost.length);
    const events = await store.events.read(ACME, 0, 1000);
    if (events === 'expired') throw new Error('the log has lost events');
    const ends = events.map((e) => JSON.parse(e.json)).filter((e) => /Released|Deleted/.test(e.messageID));
    expect(ends).toHaveLength(2 * lost.length);
    for (const e of ends) {
      expect(lost).toContain(e.callID);
      expect(e).toMatchObject({ recovered: true, connectionStatus: 'Failed' });
    }
  });

  it('what is left of them when it is back is hung up, and a caller from outside is not taken for a new one', async () => {
    engine.onArrival('b', FROM_OUTSIDE);
    await until(() => expect(nodes.b.done.some((c) => c.do === 'dial')).toBe(true));
    const rung = nodes.b.done.flatMap((c) => (c.do === 'dial' ? c.channel : []));
    engine.onNodeDied('b');
    await until(() => expect(engine.callsOn('b')).toBe(0));
    nodes.b.done.length = 0;
    const left = [
      { channel: FROM_OUTSIDE.channel, state: 'Up', ours: true, arrival: FROM_OUTSIDE },
      ...rung.map((channel) => ({ channel, state: 'Up', ours: true })),
    ];
    engine.onResync('b', { ...EMPTY, channels: left });
    expect(nodes.b.hungUp()).toEqual(left.map(({ channel }) => [channel, 16]));
    expect(engine.callsOn('b')).toBe(0);
    // The same number calls again: that is a new call.
    engine.onArrival('b', { ...FROM_OUTSIDE, channel: '1700000000.2' });
    await until(() => expect(engine.callsOn('b')).toBe(1));
  });
});
