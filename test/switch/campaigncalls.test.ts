import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { Campaigncall } from '../../src/dialer/campaigncall.ts';
import { testLab } from '../support/lab.ts';
import { addDialer, type Ringmaster, ringmaster } from '../support/ringmaster.ts';

const SECURITY_ID = 'c'.repeat(64);
const FLOW = 'LabCamp1';
const TALKS = '91114007001';
const BUSY = '91114000486';
const RINGS_OUT = '91114002001';
const SHOWN = '911140001234';

describe('campaigncalls', () => {
  let lab: Lab;
  let rm: Ringmaster;

  beforeAll(async () => {
    lab = await testLab();
    rm = await ringmaster(lab, (settings) => {
      addDialer(settings, SECURITY_ID, [
        {
          id: FLOW,
          agents: ['1001', '1002'],
          ringTimeout: 3,
          shortCall: 0,
          callerId: SHOWN,
          customerAttempts: { attempts: 2, intervals: [1] },
        },
      ]);
    });
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
  });

  const ask = async (path: string, method: 'GET' | 'POST' | 'DELETE' = 'GET', body?: unknown) => {
    const answer = await request(`${rm.base}${path}`, {
      method,
      headers: { authorization: `Bearer ${rm.key('everything')}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
  };
  const create = async (numbers: readonly string[]): Promise<{ requestId: string; uuid: string }> => {
    const { body } = await ask('/kairos-apis/outbounddialer/create', 'POST', {
      'api-version': '1.0',
      'security-id': SECURITY_ID,
      'flow-id': FLOW,
      calls: [{ 'client-identifier': numbers.join(), 'contact-numbers': numbers }],
    });
    const [detail] = body['call-details'] as { 'phonon-uuid': string }[];
    return { requestId: String(body['request-id']), uuid: detail?.['phonon-uuid'] ?? '' };
  };
  /** The campaigncalls of a call of the dialler, oldest first. */
  const of = async (uuid: string): Promise<Campaigncall[]> => {
    const { body } = await ask(`/v1.0/campaigncalls?campaign_id=${FLOW}`);
    const all = Campaigncall.array().parse(body['result']);
    return all.filter((c) => c.outdial_target_id === uuid).toReversed();
  };
  const until = async (uuid: string, right: (calls: Campaigncall[]) => boolean): Promise<Campaigncall[]> => {
    let calls: Campaigncall[] = [];
    await vi.waitFor(
      async () => {
        calls = await of(uuid);
        expect(right(calls), JSON.stringify(calls)).toBe(true);
      },
      { timeout: 30_000, interval: 50 },
    );
    return calls;
  };
  const tel = (target: string) => ({ type: 'tel', target, target_name: '', name: '', detail: '' });

  test('a call that was answered and ended normally, field by field', async () => {
    const { requestId, uuid } = await create([TALKS]);
    const seen = new Set<string>();
    const [call] = await until(uuid, ([c]) => {
      if (c) seen.add(c.status);
      return c?.status === 'done';
    });
    if (!call) throw new Error('no campaigncall');
    expect(seen).toContain('progressing');
    expect(call).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      campaign_id: FLOW,
      outplan_id: FLOW,
      outdial_id: requestId,
      outdial_target_id: uuid,
      queue_id: '',
      activeflow_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      reference_type: 'call',
      reference_id: expect.stringMatching(/^[0-9a-f]{35}$/),
      status: 'done',
      result: 'success',
      source: tel(SHOWN),
      destination: tel(TALKS),
      destination_index: 0,
      try_count: 1,
      tm_create: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/),
      tm_update: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/),
    });
    expect(call.tm_update > call.tm_create).toBe(true);
    expect((await ask(`/v1.0/campaigncalls/${call.id}`)).body).toEqual(call);
    const client = await rm.client();
    expect((await client.call('RequestGetCallInfo', { callID: call.reference_id })).callID).toBe(call.reference_id);
  });

  test('alternates, and another attempt where all have failed', async () => {
    const { uuid } = await create([BUSY, RINGS_OUT]);
    const calls = await until(uuid, (c) => c.length === 4 && c.every((one) => one.status === 'done'));
    const told = calls.map((c) => [c.destination.target, c.destination_index, c.try_count, c.result]);
    expect(told).toEqual([
      [BUSY, 0, 1, 'fail'],
      [RINGS_OUT, 1, 1, 'fail'],
      [BUSY, 0, 2, 'fail'],
      [RINGS_OUT, 1, 2, 'fail'],
    ]);
    const other = await create([BUSY, TALKS]);
    const reached = await until(other.uuid, (c) => c.length === 2 && c.every((one) => one.status === 'done'));
    expect(reached.map((c) => [c.destination_index, c.try_count, c.result])).toEqual([
      [0, 1, 'fail'],
      [1, 1, 'success'],
    ]);
  });

  test('one that is asked for is placed, and hung up by DELETE', async () => {
    const made = await ask('/v1.0/campaigncalls', 'POST', { campaign_id: FLOW, destination: { target: TALKS } });
    expect(made.status).toBe(201);
    const { id, outdial_target_id } = Campaigncall.parse(made.body);
    await until(outdial_target_id, ([c]) => c?.status === 'progressing');
    expect((await ask(`/v1.0/campaigncalls/${id}`, 'DELETE')).status).toBe(200);
    const [call] = await until(outdial_target_id, ([c]) => c?.status === 'done');
    expect(call).toMatchObject({ id, status: 'done', reference_type: 'call' });
  });
});
