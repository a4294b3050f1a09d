import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NodeStatus } from '../../src/ports.ts';
import { operatorKeys } from '../../src/rpc/index.ts';
import { NODE_ENDPOINTS } from '../../src/rpc/node-endpoints.ts';
import { Harness, KEYS } from '../support/rpc-harness.ts';

const OPERATOR = 'operator-secret-0001';
const NODE: NodeStatus = {
  id: 'pbx-1',
  state: 'serving',
  draining: false,
  calls: 3,
  limits: { calls: 500, callsPerSecond: 50 },
  silent: [],
  cutOff: [],
};

describe('the operators’ API', () => {
  let harness: Harness;
  let asked: unknown[][];
  let away: boolean;

  beforeEach(async () => {
    asked = [];
    away = false;
    const change = async (node: string, ...rest: unknown[]): Promise<NodeStatus | undefined> => {
      asked.push([node, ...rest]);
      if (away) throw new Error('Redis does not answer');
      return node === NODE.id ? NODE : undefined;
    };
    harness = await Harness.start({
      operators: operatorKeys([{ name: 'night-shift', key: OPERATOR }]),
      nodes: { list: () => [NODE], drain: change, resume: change },
    });
  });

  afterEach(() => harness.stop());

  const ask = async (method: string, path: string, options: { key?: string; body?: unknown; type?: string } = {}) => {
    const { key = OPERATOR, body, type = 'application/json' } = options;
    const answer = await fetch(harness.url(`/admin/nodes${path}`), {
      method,
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': type }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return [answer.status, (await answer.json()) as unknown] as const;
  };

  test('shows the nodes, drains and resumes them, in the name of the operator’s key', async () => {
    expect(await ask('GET', '')).toEqual([200, { nodes: [NODE] }]);
    expect(await ask('POST', '/pbx-1/drain', { body: { reason: 'new kernel' } })).toEqual([200, NODE]);
    expect(await ask('POST', '/pbx-1/drain')).toEqual([200, NODE]);
    expect(await ask('POST', '/pbx-1/resume')).toEqual([200, NODE]);
    expect(asked).toEqual([
      ['pbx-1', 'night-shift', 'new kernel'],
      ['pbx-1', 'night-shift', undefined],
      ['pbx-1', 'night-shift'],
    ]);
  });

  test.each([
    ['no key', ''],
    ['a company’s key, though it has the scope admin', KEYS.other],
    ['a wrong key', 'operator-secret-0002'],
  ])('is closed to %s', async (_, key) => {
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/pbx-1/drain'],
      ['POST', '/pbx-1/resume'],
    ] as const) {
      const [status, body] = await ask(method, path, { key });
      expect([status, body]).toEqual([401, { error: expect.stringContaining('operator') }]);
    }
    expect(asked).toEqual([]);
    expect(await harness.metric('ringmaster_rpc_unauthorized_total')).toBe(3);
  });

  test('an operator’s key is none of the RPC', async () => {
    const { status } = await harness.post({ jsonrpc: '2.0', id: 1, method: 'RequestListCalls' }, OPERATOR);
    expect(status).toBe(401);
  });

  test.each([
    ['a reason that is too long', { reason: 'x'.repeat(201) }],
    ['a reason that is no text', { reason: 5 }],
    ['something else', { until: 'tomorrow' }],
    ['a list', []],
    ['no JSON', '{'],
  ])('a drain with %s is refused, and nothing done', async (_, body) => {
    const [status] = await ask('POST', '/pbx-1/drain', { body });
    expect([status, asked]).toEqual([400, []]);
  });

  test.each(['drain', 'resume'] as const)(
    '%s answers a body that cannot be read as its document says',
    async (what) => {
      const bodies = [
        { body: '{', type: 'application/json' },
        { body: '<a/>', type: 'application/xml' },
        { body: `"${'x'.repeat(300_000)}"`, type: 'application/json' },
      ];
      const statuses: number[] = [];
      for (const given of bodies) statuses.push((await ask('POST', `/pbx-1/${what}`, given))[0]);
      expect(statuses).toEqual([400, 415, 413]);
      expect(Object.keys(NODE_ENDPOINTS[what].answers)).toEqual(expect.arrayContaining(statuses.map(String)));
      expect(asked).toEqual([]);
    },
  );

  test('a node that is not there is 404, and Redis that is away 503, in the log with its reason', async () => {
    expect(await ask('POST', '/pbx-9/drain')).toEqual([404, { error: 'there is no such node' }]);
    expect(await ask('POST', '/pbx-9/resume')).toEqual([404, { error: 'there is no such node' }]);
    away = true;
    expect(await ask('POST', '/pbx-1/drain')).toEqual([503, { error: 'Redis is away: nothing was changed' }]);
    await harness.logs.line('Redis does not answer');
  });
});
