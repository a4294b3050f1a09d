import { afterEach, describe, expect, it } from 'vitest';
import { type CallID, CompanyId } from '../../../src/cti/ids.ts';
import { Directory } from '../../../src/engine/directory.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { NodeBoard } from '../../../src/engine/node-board.ts';
import { Router } from '../../../src/engine/router.ts';
import type { Caller, Member } from '../../../src/ports.ts';
import { CallAdmission } from '../../../src/switch/admission.ts';
import { bareEngine } from '../../support/bare-engine.ts';

/** A shard that has just come to an instance, whose event socket is on its way: what needs the node waits for it. */

const ACME = CompanyId.parse('acme');
const CALLER: Caller = { companyId: ACME, keyName: 'k', scopes: new Set(['call']) };
const NODE = 'pbx-1';
const SHARD = 'ringmaster@pbx-1';
const ME: Member = { id: 'me', says: { leaving: false } };
const AGENT = '1001';
const CUSTOMER = '911140000001';

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

async function arriving() {
  const asterisk = { node: NODE, serving: true, perform: () => {}, resync: () => {} };
  const state = { arriving: false };
  const directory = new Directory(
    [
      {
        companyId: ACME,
        extensions: { pattern: /^1\d{3}$/, endpoint: 'PJSIP/{dn}' },
        numbers: { pattern: /^\d{7,15}$/ },
        trunk: 'carrier',
        routes: [],
        queues: [],
      },
    ],
    [{ id: 'carrier', endpoint: 'PJSIP/{number}@carrier' }],
  );
  const now = () => 1_700_000_000_000;
  const engine = bareEngine({
    directory,
    now,
    admission: new CallAdmission({}, now),
  });
  open.push(engine);
  const node = { id: NODE, number: 1, app: 'ringmaster', switch: asterisk, arriving: () => state.arriving };
  await engine.addNode(node);
  const looks: (() => void)[] = [];
  const router = new Router({
    engine,
    owners: {
      ownerOf: () => ME,
      refresh: () => {
        looks.shift()?.();
        return Promise.resolve();
      },
    },
    peers: undefined,
    contacts: () => {
      throw new Error('no contact is asked for here');
    },
    nodes: [{ id: NODE, number: 1, shards: [SHARD] }],
    board: new NodeBoard([], () => ({ members: [ME], leases: [], draining: new Map() }), ME.id),
    id: ME.id,
    patienceMs: 400,
    randomHex: () => '0'.repeat(32),
  });
  const request = async (method: string, params: object): Promise<unknown> => {
    const answer = await router.request(CALLER, method, params);
    return 'refusal' in answer ? answer.refusal.name : answer.result;
  };
  const make = { thisDN: AGENT, otherDN: CUSTOMER, makeCallType: 'Regular', firstLeg: 'agent', ringTimeout: 30 };
  const { callID } = (await request('RequestMakeCall', make)) as { callID: CallID };
  for (const leg of [1, 2]) {
    engine.onFact(NODE, { kind: 'leg-answered', channel: `${callID}-${leg}` });
    // The second is dialled when the first has answered.
    for (let i = 0; i < 200; i += 1) await Promise.resolve();
  }
  /** The shard has just come, and its node does not serve yet. */
  const comes = (): void => {
    asterisk.serving = false;
    state.arriving = true;
  };
  const serves = (): void => {
    asterisk.serving = true;
    state.arriving = false;
  };
  const leaves = (): void => engine.removeNode(NODE);
  const comesBack = (): void => void engine.addNode(node);
  const acting = { callID, thisDN: AGENT };
  return { asterisk, looks, request, make, acting, comes, serves, leaves, comesBack };
}

describe('a shard that has just come', () => {
  it('has a request that needs the node wait until it serves', async () => {
    const { looks, request, acting, comes, serves } = await arriving();
    comes();
    looks.push(serves);
    expect(await request('RequestHoldCall', acting)).toEqual({});
  });

  it('has a new call wait until it serves', async () => {
    const { looks, request, make, comes, serves } = await arriving();
    comes();
    looks.push(serves);
    expect(await request('RequestMakeCall', make)).toMatchObject({ callID: expect.any(String) });
    expect(looks).toHaveLength(0);
  });

  it('is waited for by a new call, where its lease is here and itself is not yet', async () => {
    const { looks, request, make, leaves, comesBack } = await arriving();
    leaves();
    looks.push(comesBack);
    expect(await request('RequestMakeCall', make)).toMatchObject({ callID: expect.any(String) });
    expect(looks).toHaveLength(0);
  });

  it('refuses with NotReady what waited for as long as a take-over may last', async () => {
    const { request, acting, make, comes } = await arriving();
    comes();
    expect(await request('RequestHoldCall', acting)).toBe('NotReady');
    expect(await request('RequestMakeCall', make)).toBe('NotReady');
  });

  it('has what needs no node done at once', async () => {
    const { looks, request, acting, comes, serves } = await arriving();
    comes();
    looks.push(serves);
    await request('RequestUpdateAttachedData', { callID: acting.callID, attachedData: { vip: 'yes' } });
    expect(looks).toHaveLength(1);
  });

  it('is not confused with a node that has gone: what needs that one is refused at once', async () => {
    const { asterisk, looks, request, acting, serves } = await arriving();
    asterisk.serving = false;
    looks.push(serves);
    expect(await request('RequestHoldCall', acting)).toBe('PBXError');
    expect(looks).toHaveLength(1);
  });
});
