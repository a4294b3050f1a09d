import { beforeEach, describe, expect, it } from 'vitest';
import { type CallID, type CompanyId, nodeOfCallID } from '../../../src/cti/ids.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { NodeBoard } from '../../../src/engine/node-board.ts';
import { Router } from '../../../src/engine/router.ts';
import type { Caller, NodeDrain, NodeLoad, NodeReport, Overview, PeerAnswer } from '../../../src/ports.ts';

const CALLER: Caller = { companyId: 'acme' as CompanyId, keyName: 'desk', scopes: new Set(['call']) };
const LIMITS = { calls: 100, callsPerSecond: 10 };
const HERE = '0'.repeat(32).concat('000') as CallID;
const report = (change: Partial<NodeReport> = {}): NodeReport => ({
  serving: true,
  calls: 0,
  room: true,
  silent: [],
  dead: false,
  ...change,
});
const load = (calls: number, room = true): NodeLoad => ({ calls, limit: 100, room });

describe('where a new call begins: here on node a, or at the other instance on node b', () => {
  let here: NodeLoad | undefined;
  let there: NodeReport;
  let draining: Map<string, NodeDrain>;
  let answers: PeerAnswer[];
  let asked: string[];
  let router: Router;

  beforeEach(() => {
    here = load(50);
    there = report({ calls: 50 });
    draining = new Map();
    answers = [];
    asked = [];
    const overview = (): Overview => ({
      members: [{ id: 'other', says: { leaving: false, url: 'http://other', nodes: { b: there } } }],
      leases: [{ shard: 'app@b', owner: 'other', freeInMs: 1_000 }],
      draining,
    });
    const ownerOf = (shard: string) => (shard === 'app@b' ? overview().members[0] : undefined);
    // Of the engine only what decides where a call begins.
    const engine = {
      mayChoose: true,
      get mayBegin() {
        return here !== undefined;
      },
      get freest() {
        return here;
      },
      callsOn: () => 0,
      chooseCallID: () => (here ? HERE : undefined),
      publishRefusal: () => {},
      request: async () => {
        asked.push('here');
        return { result: 'here' };
      },
    };
    router = new Router({
      engine: engine as unknown as Engine,
      owners: { ownerOf, refresh: async () => undefined },
      peers: {
        ask: async (url) => {
          asked.push(url);
          return answers.shift() ?? { outcome: 'answered', body: { result: 'there' } };
        },
      },
      contacts: () => {
        throw new Error('no contact is asked for here');
      },
      nodes: [
        { id: 'a', number: 0, shards: ['app@a'] },
        { id: 'b', number: 1, shards: ['app@b'] },
      ],
      board: new NodeBoard(
        ['a', 'b'].map((id) => ({ id, limits: LIMITS })),
        overview,
        'me',
      ),
      id: 'me',
      patienceMs: 1_000,
      randomHex: () => '1'.repeat(32),
    });
  });

  const make = () => router.request(CALLER, 'RequestMakeCall', {});
  const chosen = () => {
    const callID = router.chooseCallID();
    return callID === undefined ? undefined : nodeOfCallID(callID) === 0 ? 'here' : 'there';
  };

  it.each([
    ['here, where both are alike', load(50), report({ calls: 50 }), 'here'],
    ['here, where the other is a little freer', load(50), report({ calls: 45 }), 'here'],
    ['there, where the other is much freer', load(50), report({ calls: 30 }), 'there'],
    ['there, where there is no room here', load(100, false), report({ calls: 99 }), 'there'],
    ['here, to be refused, where there is room nowhere', load(100, false), report({ calls: 100 }), 'here'],
    ['here, where the other has used up its second', load(90), report({ calls: 0, room: false }), 'here'],
    ['here, where the other does not serve', load(90), report({ serving: false }), 'here'],
    ['there, where nothing serves here', undefined, report({ calls: 99 }), 'there'],
    [
      'there, where nothing serves here and the other has just taken over',
      undefined,
      report({ serving: false }),
      'there',
    ],
  ] as const)('%s', async (_, mine, theirs, where) => {
    here = mine;
    there = theirs;
    expect(await make()).toEqual({ result: where });
    expect(chosen()).toBe(where);
  });

  it('here, where the other is drained, and nowhere else is asked where nothing serves here either', async () => {
    draining.set('b', { since: 1, by: 'ann' });
    there = report();
    expect([await make(), chosen()]).toEqual([{ result: 'here' }, 'here']);
    here = undefined;
    await make();
    expect([asked, chosen()]).toEqual([['here', 'here'], undefined]);
  });

  it('here after all, where the other has done nothing', async () => {
    there = report();
    answers = [{ outcome: 'not-done' }];
    expect(await make()).toEqual({ result: 'here' });
    expect(asked).toEqual(['http://other', 'here']);
  });

  it('not twice, where the other may have begun it and did not answer', async () => {
    there = report();
    answers = [{ outcome: 'unknown' }];
    expect(await make()).toMatchObject({ refusal: { name: 'CTIException' } });
    expect(asked).toEqual(['http://other']);
  });
});
