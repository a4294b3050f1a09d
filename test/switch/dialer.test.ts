import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { Campaigncall } from '../../src/dialer/campaigncall.ts';
import { testLab } from '../support/lab.ts';
import { addDialer, type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const SECURITY_ID = 'd'.repeat(64);
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const AGENTS = ['1001', '1002'];
const RINGS_OUT = '1090';
const TALKS = '91114007001';
const TALKS_TOO = '91114007002';
const BUSY = '91114000486';
const BASE = '/kairos-apis/outbounddialer';

interface CallStatus {
  readonly 'client-identifier': string;
  readonly status: string;
  readonly history: readonly { readonly status: string; readonly at: string }[];
  readonly callDetails: readonly {
    readonly calleeNumber: string;
    readonly callConnectionStatus: string;
    readonly startTime: string;
    readonly endTime: string;
  }[];
}

describe('the Make Call API', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    lab = await testLab();
    receiver = await WebhookReceiver.open(SECRET);
    rm = await ringmaster(lab, (settings) => {
      addDialer(settings, SECURITY_ID, [
        {
          id: 'LabFlow1',
          agents: [...AGENTS, RINGS_OUT],
          agentKey: 'agent',
          ringTimeout: 2,
          shortCall: 0,
          agentAttempts: { attempts: 2, intervals: [1] },
          webhook: { url: receiver.url, secret: SECRET, firstRetry: 1 },
        },
      ]);
    });
  });

  afterEach((context) => rm.afterTest(context, /webhook message/));

  afterAll(async () => {
    await rm?.close();
    await receiver?.close();
  });

  const ask = async (path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await request(`${rm.base}${BASE}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await answer.body.json()) as Record<string, unknown>;
  };
  const create = (calls: unknown[]) =>
    ask('/create', { 'api-version': '1.0', 'security-id': SECURITY_ID, 'flow-id': 'LabFlow1', calls });
  const key = (name: string, value: string) => ({ name: `$flow.key.${name}`, value });

  test('three calls: one connects, one by its other number, one finds no agent', async () => {
    const client = await rm.subscriber();
    const answer = await create([
      { 'client-identifier': 'talks', 'contact-numbers': [TALKS], keys: [key('agent', '1001'), key('Name', 'Ankit')] },
      { 'client-identifier': 'other', 'contact-numbers': [BUSY, TALKS_TOO], keys: [key('agent', '1002')] },
      { 'client-identifier': 'nobody', 'contact-numbers': [TALKS], keys: [key('agent', RINGS_OUT)] },
    ]);
    expect(answer).toMatchObject({ 'api-response-code': 200, 'api-response-message': 'Success' });
    const details = answer['call-details'] as { 'client-identifier': string; 'phonon-uuid': string }[];
    expect(details.map((d) => d['client-identifier'])).toEqual(['talks', 'other', 'nobody']);

    await receiver.until((r) => r.taken.filter((m) => m.body.final).length === 3);
    expect(receiver.received.every((r) => r.valid)).toBe(true);
    const told = (name: string) =>
      receiver.taken.filter((m) => m.body['client-identifier'] === name).map((m) => m.body['flow-status']);
    expect(told('talks')).toEqual(['COMPLETED']);
    expect(told('other')).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(told('nobody')).toEqual(['AGENT_REATTEMPT_SCHEDULED', 'AGENT_FAILURE']);

    const status = await ask(`/status/${String(answer['request-id'])}`);
    const calls = status['call-details'] as CallStatus[];
    expect(calls.map((c) => [c['client-identifier'], c.status])).toEqual([
      ['talks', 'COMPLETED'],
      ['other', 'COMPLETED'],
      ['nobody', 'AGENT_FAILURE'],
    ]);
    const legs = calls.map((c) => c.callDetails.map((l) => [l.calleeNumber, l.callConnectionStatus]));
    expect(legs[0]?.toSorted()).toEqual([
      ['1001', 'Connected'],
      [TALKS, 'Connected'],
    ]);
    expect(legs[1]?.filter(([number]) => number !== '1002')).toEqual([
      [BUSY, 'Busy'],
      [TALKS_TOO, 'Connected'],
    ]);
    expect(legs[2]).toEqual([
      [RINGS_OUT, 'User Not Answered'],
      [RINGS_OUT, 'User Not Answered'],
    ]);
    // The agent was tried again when the plan said so, and not before.
    const [first, second] = calls[2]?.callDetails ?? [];
    const waited = Date.parse(second?.startTime ?? '') - Date.parse(first?.endTime ?? '');
    expect(waited).toBeGreaterThanOrEqual(1_000);
    expect(calls[2]?.history.map((h) => h.status)).toEqual([
      'UNPROCESSED',
      'IN_PROGRESS',
      'AGENT_REATTEMPT_SCHEDULED',
      'IN_PROGRESS',
      'AGENT_FAILURE',
    ]);
    const created = client.events.find((e) => e.messageID === 'EventCallCreated' && e.DNIS === TALKS);
    expect(created?.attachedData).toEqual({ agent: '1001', Name: 'Ankit' });
    // Every number that was dialled is a campaigncall, with the attempt and what came of it.
    const listed = await request(`${rm.base}/v1.0/campaigncalls?campaign_id=LabFlow1`, {
      headers: { authorization: `Bearer ${rm.key('everything')}` },
    });
    const { result } = (await listed.body.json()) as { result: unknown };
    const dialled = Campaigncall.array().parse(result).toReversed();
    const campaigncallsOf = (nth: number) =>
      dialled
        .filter((c) => c.outdial_target_id === details[nth]?.['phonon-uuid'])
        .map((c) => [c.destination.target, c.destination_index, c.try_count, c.status, c.result]);
    expect(campaigncallsOf(0)).toEqual([[TALKS, 0, 1, 'done', 'success']]);
    expect(campaigncallsOf(1)).toEqual([
      [BUSY, 0, 1, 'done', 'fail'],
      [TALKS_TOO, 1, 1, 'done', 'success'],
    ]);
    expect(campaigncallsOf(2)).toEqual([
      [TALKS, 0, 1, 'done', 'fail'],
      [TALKS, 0, 2, 'done', 'fail'],
    ]);
    const one = await ask(`/status/${details[0]?.['phonon-uuid']}`);
    expect((one['call-details'] as CallStatus[]).map((c) => c.status)).toEqual(['COMPLETED']);
  });

  test('a receiver that fails for a while is told everything once it is back, in order', async () => {
    const before = receiver.received.length;
    receiver.status = 503;
    await create([{ 'client-identifier': 'later', 'contact-numbers': [BUSY, TALKS], keys: [key('agent', '1001')] }]);
    await receiver.until((r) => r.received.length > before + 1);
    receiver.status = 204;
    const mine = () => receiver.taken.filter((m) => m.body['client-identifier'] === 'later');
    await receiver.until(() => mine().some((m) => m.body.final));
    expect(mine().map((m) => m.body['flow-status'])).toEqual(['IN_PROGRESS', 'COMPLETED']);
    const ids = receiver.received.slice(before).map((m) => m.id);
    expect(new Set(ids).size).toBe(2);
    expect(ids.filter((id) => id === ids[0]).length).toBeGreaterThan(1);
  });

  test('a flow that is paused places nothing until it is resumed; one that is stopped gives up what waits', async () => {
    const flow = (what: string) => ask(`/flows/LabFlow1/${what}`, {}, { 'security-id': SECURITY_ID });
    expect(await flow('pause')).toMatchObject({ 'api-response-code': 200, state: 'paused' });
    const call = (name: string) => ({
      'client-identifier': name,
      'contact-numbers': [TALKS],
      keys: [key('agent', '1002')],
    });
    const paused = String((await create([call('paused')]))['request-id']);
    const statusOf = async (id: string) => ((await ask(`/status/${id}`))['call-details'] as CallStatus[])[0]?.status;
    expect(await statusOf(paused)).toBe('PAUSE');
    await flow('resume');
    const final = (name: string) =>
      receiver.until((r) => r.taken.some((m) => m.body['client-identifier'] === name && m.body.final));
    await final('paused');
    expect(await statusOf(paused)).toBe('COMPLETED');
    await flow('pause');
    const stopped = String((await create([call('stopped')]))['request-id']);
    await flow('stop');
    await final('stopped');
    expect(await statusOf(stopped)).toBe('PARTIAL_COMPLETE');
    expect(await create([call('refused')])).toEqual({
      'api-response-code': 304,
      'api-response-message': 'Invalid Flow Version',
    });
    await flow('resume');
  });
});
