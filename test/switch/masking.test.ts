import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { hearing } from '../support/hearing.ts';
import { openCustomerPhone, testLab } from '../support/lab.ts';
import { addDialer, type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const SECURITY_ID = 'm'.repeat(64);
const DID = '911140008001';
const ONE = { number: '911140099041', tone: 2100 };
const TWO = { number: '911140099042', tone: 2300 };
const STRANGER = { number: '911140099043', tone: 2500 };
const CALLED = { number: '911140099044', tone: 2700 };

describe('two numbers behind a masking number', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let one: Phone;
  let two: Phone;
  let stranger: Phone;
  /** Every number that is called rings here. */
  let called: Phone;

  beforeAll(async () => {
    lab = await testLab();
    const open = ({ number, tone }: { number: string; tone: number }) => openCustomerPhone(lab, number, { tone });
    [one, two, stranger, called] = await Promise.all([open(ONE), open(TWO), open(STRANGER), open(CALLED)]);
    rm = await ringmaster(lab, (settings) => {
      const [carrier] = settings.trunks;
      if (!carrier) throw new Error('the lab has no trunk');
      // A trunk of the flow's own: the company's would ring elsewhere.
      const endpoint = `PJSIP/carrier-a/sip:{number}@127.0.0.1:${called.port}`;
      settings.trunks.push({ ...carrier, id: 'carrier-masks', endpoint });
      const flow = { id: 'LabMasks', agents: ['1001'], maskingNumbers: [DID], trunk: 'carrier-masks' };
      addDialer(settings, SECURITY_ID, [flow]);
    });
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([one, two, stranger, called].map((phone) => phone?.close()));
  });

  const ask = async (what: 'allocate' | 'release', more: Record<string, unknown>) => {
    const { body } = await request(`${rm.base}/kairos-apis/masking/${what}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        'security-id': SECURITY_ID,
        'flow-id': 'LabMasks',
        number: ONE.number,
        counterpart: TWO.number,
        ...more,
      }),
    });
    return (await body.json()) as Record<string, unknown>;
  };

  test('whichever of them calls it reaches the other, who sees the masking number; a stranger reaches nobody', async () => {
    expect(await ask('allocate', { validity: 600 })).toMatchObject({ status: 'MASK_ALLOCATED', 'masked-number': DID });
    for (const [phone, from, to] of [
      [one, ONE, TWO],
      [two, TWO, ONE],
    ] as const) {
      const caller = phone.call(DID);
      const other = await called.nextCall();
      expect([other.dialled, other.callerNumber]).toEqual([to.number, DID]);
      other.ring();
      await other.answer();
      await caller.waitFor('answered');
      await hearing({ caller: { call: caller, tone: from.tone }, other: { call: other, tone: CALLED.tone } }).is({
        caller: ['other'],
        other: ['caller'],
      });
      await caller.hangUp();
      await other.waitFor('ended');
      const ended = await client.event('EventCallDeleted', (e) => e.thisDN === from.number);
      expect(ended.connectionStatus).toBe('Connected');
    }
    const refused = stranger.call(DID);
    await refused.waitFor('ended');
    expect(refused.end).toMatchObject({ status: 404 });
  });

  test('a caller who hangs up while it rings, and one who does so at once, leave nothing behind', async () => {
    await ask('allocate', { validity: 600 });
    const caller = one.call(DID);
    const other = await called.nextCall();
    other.ring();
    await caller.waitFor('ringing');
    await caller.hangUp();
    await other.waitFor('ended');
    for (let n = 0; n < 10; n += 1) {
      const hasty = one.call(DID);
      await hasty.hangUp();
    }
  });

  test('once the validity has ended, or the number was taken back, nobody reaches anybody', async () => {
    await ask('allocate', { validity: 1 });
    const until = Date.now() + 1_000;
    await expect.poll(() => Date.now()).toBeGreaterThan(until);
    const late = one.call(DID);
    await late.waitFor('ended');
    expect(late.end).toMatchObject({ status: 404 });
    await ask('allocate', { validity: 600 });
    expect(await ask('release', { 'masked-number': DID })).toMatchObject({ 'api-response-code': 200 });
    const after = two.call(DID);
    await after.waitFor('ended');
    expect(after.end).toMatchObject({ status: 404 });
  });
});
