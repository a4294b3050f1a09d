import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { Dial } from '../../src/calls/command.ts';
import { newCallID } from '../../src/cti/ids.ts';
import { Directory } from '../../src/engine/directory.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { NodeBoard } from '../../src/engine/node-board.ts';
import { Router } from '../../src/engine/router.ts';
import type { Caller, Member, PeerQuestion } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { CallAdmission } from '../../src/switch/admission.ts';
import { company, newStore } from '../support/store-kit.ts';
import { randomHex, storedEngine } from '../support/stored-engine.ts';

const ACME = company('acme');
const CALLER: Caller = { companyId: ACME, keyName: 'dialler', scopes: new Set(['call']) };
const PARAMS = {
  thisDN: '1001',
  otherDN: '911140001001',
  makeCallType: 'Regular',
  firstLeg: 'agent',
  ringTimeout: 5,
} as const;

describe('a call under an id that was chosen before', () => {
  let store: Store;
  let engine: Engine;
  let admission: CallAdmission;
  /** Originations that the node was asked for. */
  let dialled: string[];
  let dials: Dial[];
  let serving: boolean;

  const open = async (): Promise<Engine> => {
    const pattern = /^1\d{3}$/;
    const directory = new Directory(
      [
        {
          companyId: ACME,
          extensions: { pattern, endpoint: 'PJSIP/{dn}' },
          numbers: { pattern: /^\d{7,15}$/ },
          trunk: 'carrier',
          routes: [],
        },
      ],
      ['carrier', 'another'].map((id) => ({ id, endpoint: `PJSIP/{number}@${id}`, callerId: `9111${id.length}` })),
    );
    const made = storedEngine(store, { admission, directory });
    await made.addNode({
      id: 'pbx-1',
      number: 4,
      app: 'ringmaster',
      switch: {
        node: 'pbx-1',
        get serving() {
          return serving;
        },
        resync: () => undefined,
        perform: (_callID, commands) => {
          for (const c of commands) {
            if (c.do !== 'dial') continue;
            dialled.push(c.channel);
            dials.push(c);
          }
        },
      },
    });
    return made;
  };

  beforeEach(async () => {
    store = newStore(inject('redisUrl')).store;
    await store.connected();
    admission = new CallAdmission({ nodes: new Map([['pbx-1', { calls: 1 }]]) }, Date.now);
    dialled = [];
    dials = [];
    serving = true;
    engine = await open();
  });

  afterEach(async () => {
    engine.close();
    await store.close();
  });

  it('is placed once, however often it is asked for, also of the next process', async () => {
    const callID = engine.chooseCallID();
    if (callID === undefined) throw new Error('no node');
    expect(callID.endsWith('004')).toBe(true);
    const answer = { result: { callID, partyID: `${callID}-1` } };
    expect((await engine.traceOf(ACME, callID)).state).toBe('unknown');
    expect(await engine.place(CALLER, callID, PARAMS)).toEqual(answer);
    expect(await engine.place(CALLER, callID, PARAMS)).toEqual(answer);
    expect((await engine.traceOf(ACME, callID)).state).toBe('live');
    engine.close();
    engine = await open();
    expect(await engine.place(CALLER, callID, PARAMS)).toEqual(answer);
    expect(dialled).toHaveLength(1);
    // Its channel is made first, and its dial goes out once that is stored.
    expect(dials[0]?.hold).toBe(true);
  });

  it('is refused, and nothing begun, where there is no room; room that was taken for nothing is given back', async () => {
    const [first, second, third] = [engine.chooseCallID(), engine.chooseCallID(), engine.chooseCallID()];
    if (!first || !second || !third) throw new Error('no node');
    expect(await engine.place(CALLER, third, { ...PARAMS, thisDN: '911140001009' })).toHaveProperty('refusal');
    expect(admission.size).toBe(0);
    expect(await engine.place(CALLER, first, PARAMS)).toHaveProperty('result');
    expect(await engine.place(CALLER, second, PARAMS)).toMatchObject({ refusal: { name: 'NotReady' } });
    expect([(await engine.traceOf(ACME, second)).state, dialled.length, admission.size]).toEqual(['unknown', 1, 1]);
  });

  it.each([
    ['node', 'calls'],
    ['node', 'callsPerSecond'],
    ['trunk', 'calls'],
    ['trunk', 'callsPerSecond'],
    ['company', 'calls'],
    ['company', 'callsPerSecond'],
  ] as const)('is kept waiting by the %s’s limit of %s, and begun when there is room again', async (whose, what) => {
    let now = 0;
    const limits = (of: string, id: string) => new Map(of === whose ? [[id, { [what]: 2 }]] : []);
    const all = {
      nodes: limits('node', 'pbx-1'),
      trunks: limits('trunk', 'carrier'),
      companies: limits('company', ACME),
    };
    admission = new CallAdmission(all, () => now);
    engine.close();
    engine = await open();
    const callIDs = Array.from({ length: 3 }, () => engine.chooseCallID());
    const [first, second, third] = callIDs;
    if (!first || !second || !third) throw new Error('no node');
    expect(await engine.place(CALLER, first, PARAMS)).toHaveProperty('result');
    expect(await engine.place(CALLER, second, { ...PARAMS, thisDN: '1002' })).toHaveProperty('result');
    const over = () => engine.place(CALLER, third, { ...PARAMS, thisDN: '1003' });
    expect(await over()).toMatchObject({ refusal: { name: 'NotReady' } });
    expect(dialled).toHaveLength(2);
    // Time mends the one, the end of a call the other.
    now += 999;
    expect('refusal' in (await over())).toBe(what === 'calls');
    admission.release(first);
    expect(await over()).toHaveProperty('result');
    expect(dialled).toHaveLength(3);
  });

  it('goes by the trunk that is named, with its number and within its limits', async () => {
    const trunks = new Map([
      ['carrier', { calls: 1 }],
      ['another', { calls: 1 }],
    ]);
    admission = new CallAdmission({ trunks }, Date.now);
    engine.close();
    engine = await open();
    const params = { ...PARAMS, firstLeg: 'customer' } as const;
    const place = (n: number, trunk?: string) => {
      const callID = engine.chooseCallID();
      if (!callID) throw new Error('no node');
      return engine.place(CALLER, callID, { ...params, thisDN: String(1001 + n) }, trunk);
    };
    expect(await place(0)).toHaveProperty('result');
    expect(await place(1)).toMatchObject({ refusal: { name: 'NotReady' } });
    expect(await place(2, 'another')).toHaveProperty('result');
    expect(await place(3, 'another')).toMatchObject({ refusal: { name: 'NotReady' } });
    expect(dials.map((d) => [d.endpoint, d.trunk, d.callerId])).toEqual([
      ['PJSIP/911140001001@carrier', 'carrier', '91117'],
      ['PJSIP/911140001001@another', 'another', '91117'],
    ]);
  });

  it.each([
    ['was not reached', 'not-done', 'NotReady'],
    ['did not answer, and may have begun it', 'unknown', 'CTIException'],
  ] as const)('is refused where its owner %s, so that the caller knows which', async (_what, outcome, name) => {
    const asked: PeerQuestion[] = [];
    const there: Member = { id: 'there', says: { url: 'http://there', leaving: false } };
    const router = new Router({
      engine,
      owners: { ownerOf: () => there, refresh: async () => undefined },
      peers: {
        ask: async (_url, question) => {
          asked.push(question);
          return { outcome };
        },
      },
      contacts: () => {
        throw new Error('no contact is asked for here');
      },
      board: new NodeBoard([], () => ({ members: [], leases: [], draining: new Map() }), 'here'),
      nodes: [{ id: 'pbx-2', number: 5, shards: ['ringmaster@pbx-2'] }],
      id: 'here',
      patienceMs: 250,
      randomHex,
    });
    const callID = newCallID(randomHex(), 5);
    expect(await router.place(CALLER, callID, PARAMS, 'another')).toMatchObject({ refusal: { name } });
    // It can be asked again without harm, and was: always under this id.
    expect(asked.length).toBeGreaterThan(1);
    for (const question of asked) expect(question).toMatchObject({ ask: 'place', callID, as: { trunk: 'another' } });
  });

  it('is neither chosen nor placed where no node serves, or the service is about to end', async () => {
    const callID = engine.chooseCallID();
    serving = false;
    expect(engine.chooseCallID()).toBeUndefined();
    if (callID) expect(await engine.place(CALLER, callID, PARAMS)).toMatchObject({ refusal: { name: 'NotReady' } });
    serving = true;
    engine.drain();
    expect(engine.chooseCallID()).toBeUndefined();
    if (callID) expect(await engine.place(CALLER, callID, PARAMS)).toMatchObject({ refusal: { name: 'NotReady' } });
    expect(dialled).toEqual([]);
  });
});
