import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import type { GivenParamsOf } from '../../src/cti/requests.ts';
import { expectWhole, only, told } from '../support/call-events.ts';
import { testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

/** Standing phones: 1001 and 1002 answer. */
const AGENT = '1001';
const RINGS_OUT = '1090';
const BUSY = '1091';
const DECLINES = '1092';
const ABSENT = '1093';
const NO_ANSWER_NUMBER = '91114002001';

/** Each SIP refusal, with the status and the Q.850 cause that the table gives it, hangupCause and earlyDetectCause. */
const REFUSALS = [
  [486, 'Busy', 17, 'USER_BUSY', 109],
  [404, 'Unallocated Number', 1, 'UNALLOCATED', 104],
  [603, 'User Rejected', 21, 'CALL_REJECTED', 0],
  [480, 'User Not Answered', 19, 'NO_ANSWER', 115],
  [408, 'No User Responding', 18, 'NO_USER_RESPONSE', 115],
  [484, 'Invalid Number', 28, 'INVALID_NUMBER_FORMAT', 104],
  [500, 'Temporary Failure', 38, 'NETWORK_OUT_OF_ORDER', 119],
  [503, 'Operator Congestion', 34, 'NORMAL_CIRCUIT_CONGESTION', 119],
  [403, 'User Rejected', 21, 'CALL_REJECTED', 0],
  [410, 'Unallocated Number', 22, 'NUMBER_CHANGED', 103],
  [600, 'Busy', 17, 'USER_BUSY', 109],
  [607, 'User Rejected', 127, 'INTERWORKING', 0],
  [488, 'Failed', 58, 'BEARERCAPABILITY_NOTAVAIL', 0],
] as const;

describe('what a call that is not answered ends with', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;

  beforeAll(async () => {
    lab = await testLab();
    rm = await ringmaster(lab);
    client = await rm.subscriber();
  });

  // Many calls at once: what is left can be seen when the last has ended.
  afterAll(async () => {
    await rm.quiet();
    await rm.close();
  });

  /** Makes a call, waits for its end, and holds what is true of every call against it. */
  async function call(params: GivenParamsOf<'RequestMakeCall'>): Promise<CtiEvent[]> {
    const { callID } = await client.call('RequestMakeCall', params);
    const events = await client.ended(callID);
    expectWhole(events);
    return events;
  }

  const deletedStatus = (events: readonly CtiEvent[]) => only(events, 'EventCallDeleted').connectionStatus;

  describe.each([
    ['before it rings', '91114000', false],
    ['after it rang', '91114010', true],
  ] as const)('the customer refuses %s', (_, prefix, rang) => {
    test.concurrent.each(REFUSALS)('with %i: %s', async (sip, connectionStatus, q850, hangupCause, early) => {
      const number = `${prefix}${sip}`;
      const events = await call({ thisDN: AGENT, otherDN: number });
      const ringing = rang ? [`EventRinging(${number})`, `EventOtherRinging(${AGENT})`] : [];
      expect(told(events)).toEqual([
        `EventCallCreated(${AGENT})`,
        `EventDialing(${AGENT})`,
        ...ringing,
        `EventReleased(${number})`,
        `EventReleased(${AGENT})`,
        `EventCallDeleted(${AGENT})`,
      ]);
      const released = only(events, 'EventReleased', number);
      expect(released).toMatchObject({
        connectionStatus,
        sipCode: sip,
        q850,
        hangupCause,
        earlyDetectCause: early,
        hangupDisposition: 'recv_refuse',
        billsec: 0,
        answersec: 0,
      });
      expect('progressUepoch' in released).toBe(rang);
      expect('answerUepoch' in released || 'bridgeUepoch' in released).toBe(false);
      expect(only(events, 'EventReleased', AGENT)).toMatchObject({
        connectionStatus: 'Connected',
        hangupCause,
        hangupDisposition: 'send_bye',
      });
      expect(only(events, 'EventCallDeleted')).toMatchObject({ connectionStatus, sipCode: sip, q850 });
    });
  });

  test('the same where the customer is rung first: no agent’s phone is touched', async () => {
    const number = '91114000486';
    const events = await call({ thisDN: AGENT, otherDN: number, firstLeg: 'customer' });
    expect(told(events)).toEqual([
      `EventCallCreated(${AGENT})`,
      `EventDialing(${number})`,
      `EventReleased(${number})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(only(events, 'EventReleased')).toMatchObject({ connectionStatus: 'Busy', sipCode: 486 });
  });

  test.concurrent('the customer rings out: Ring Timeout, and no SIP status is made up', async () => {
    const events = await call({ thisDN: AGENT, otherDN: NO_ANSWER_NUMBER, ringTimeout: 2 });
    const released = only(events, 'EventReleased', NO_ANSWER_NUMBER);
    expect(released).toMatchObject({
      connectionStatus: 'Ring Timeout',
      hangupCause: 'NO_ANSWER',
      hangupDisposition: 'send_cancel',
      earlyDetectCause: 115,
      q850: 19,
    });
    expect(released).not.toHaveProperty('sipCode');
    expect(deletedStatus(events)).toBe('Ring Timeout');
  });

  test.concurrent('the agent rings out: User Not Answered, and the customer is never called', async () => {
    const events = await call({ thisDN: RINGS_OUT, otherDN: '91114001001', ringTimeout: 2 });
    expect(told(events)).toEqual([
      `EventCallCreated(${RINGS_OUT})`,
      `EventDialing(${RINGS_OUT})`,
      `EventReleased(${RINGS_OUT})`,
      `EventCallDeleted(${RINGS_OUT})`,
    ]);
    const released = only(events, 'EventReleased');
    expect(released).toMatchObject({
      connectionStatus: 'User Not Answered',
      hangupCause: 'NO_ANSWER',
      hangupDisposition: 'send_cancel',
      earlyDetectCause: 115,
    });
    expect(released).not.toHaveProperty('sipCode');
    expect(deletedStatus(events)).toBe('User Not Answered');
  });

  test.concurrent.each([
    ['is busy', BUSY, 'User Busy', 486, 'USER_BUSY', 'recv_refuse'],
    ['declines', DECLINES, 'User Rejected', 603, 'CALL_REJECTED', 'recv_refuse'],
    ['is not registered', ABSENT, 'Channel Unavailable', undefined, 'BY_SYSTEM', 'send_cancel'],
  ] as const)('the agent %s (%s): %s', async (_, dn, connectionStatus, sip, hangupCause, hangupDisposition) => {
    const events = await call({ thisDN: dn, otherDN: '91114001001' });
    expect(told(events)).toEqual([
      `EventCallCreated(${dn})`,
      `EventDialing(${dn})`,
      `EventReleased(${dn})`,
      `EventCallDeleted(${dn})`,
    ]);
    const released = only(events, 'EventReleased');
    expect(released).toMatchObject({ connectionStatus, hangupCause, hangupDisposition });
    expect(released.sipCode).toBe(sip);
    expect(deletedStatus(events)).toBe(connectionStatus);
  });

  test.concurrent.each([
    ['is busy', BUSY, 'User Busy'],
    ['declines', DECLINES, 'User Rejected'],
    ['is not registered', ABSENT, 'Channel Unavailable'],
    ['rings out', RINGS_OUT, 'User Not Answered'],
  ] as const)('an internal call whose colleague %s: %s', async (_, dn, connectionStatus) => {
    const events = await call({ thisDN: AGENT, otherDN: dn, ringTimeout: 2 });
    expect(only(events, 'EventReleased', dn).connectionStatus).toBe(connectionStatus);
    expect(only(events, 'EventReleased', AGENT).connectionStatus).toBe('Connected');
    expect(deletedStatus(events)).toBe(connectionStatus);
  });

  test.concurrent('the customer answers and hangs up at once: no conversation that is not told, one end each', async () => {
    const number = '91114006001';
    const events = await call({ thisDN: AGENT, otherDN: number });
    const names = told(events);
    // Asterisk tells the answer before the hang-up, and the customer was in the bridge from the start: they talked.
    expect(names).toEqual([
      `EventCallCreated(${AGENT})`,
      `EventDialing(${AGENT})`,
      `EventRinging(${number})`,
      `EventOtherRinging(${AGENT})`,
      `EventEstablished(${AGENT})`,
      `EventEstablished(${number})`,
      `EventReleased(${number})`,
      `EventReleased(${AGENT})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(only(events, 'EventReleased', number)).toMatchObject({
      connectionStatus: 'Connected',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'recv_bye',
    });
  });

  test.concurrent('customer first: he answers and hangs up before the agent has answered: Hang Up', async () => {
    const number = '91114007001';
    const events = await call({ thisDN: RINGS_OUT, otherDN: number, firstLeg: 'customer' });
    expect(told(events)).toEqual([
      `EventCallCreated(${RINGS_OUT})`,
      `EventDialing(${number})`,
      `EventRinging(${RINGS_OUT})`,
      `EventOtherRinging(${number})`,
      `EventReleased(${number})`,
      `EventReleased(${RINGS_OUT})`,
      `EventCallDeleted(${RINGS_OUT})`,
    ]);
    expect(only(events, 'EventReleased', number)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'recv_bye',
      q850: expect.any(Number),
    });
    expect(only(events, 'EventReleased', RINGS_OUT)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'send_cancel',
    });
  });

  test.concurrent('a malformed number: Invalid Number, and nobody’s phone rings', async () => {
    const events = await call({ thisDN: AGENT, otherDN: '12345' });
    expect(told(events)).toEqual([`EventCallCreated(${AGENT})`, 'EventReleased(12345)', `EventCallDeleted(${AGENT})`]);
    expect(only(events, 'EventReleased')).toMatchObject({
      connectionStatus: 'Invalid Number',
      hangupCause: 'BY_SYSTEM',
      earlyDetectCause: 104,
      hangupDisposition: 'send_cancel',
    });
    expect(deletedStatus(events)).toBe('Invalid Number');
  });
});

describe('a trunk that cannot carry the call', () => {
  let rm: Ringmaster;
  let client: RpcClient;

  beforeAll(async () => {
    rm = await ringmaster(await testLab(), (settings) => {
      for (const trunk of settings.trunks) if (trunk.id === 'carrier-a') trunk.limits.calls = 1;
      for (const company of settings.companies) {
        if (company.companyId === settings.companies[1]?.companyId) company.trunk = 'carrier-silent';
      }
    });
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(() => rm?.close());

  test('its limit is reached: Channel Busy, and nobody’s phone rings; once it is free it carries the next', async () => {
    const first = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: '91114001001' });
    await client.event('EventEstablished', (e) => e.callID === first.callID);
    const second = await client.call('RequestMakeCall', { thisDN: '1002', otherDN: '91114001002' });
    const refused = await client.ended(second.callID);
    expectWhole(refused);
    expect(told(refused)).toEqual(['EventCallCreated(1002)', 'EventReleased(91114001002)', 'EventCallDeleted(1002)']);
    expect(only(refused, 'EventReleased')).toMatchObject({
      connectionStatus: 'Channel Busy',
      hangupCause: 'BY_SYSTEM',
      hangupDisposition: 'send_cancel',
    });
    const internal = await client.call('RequestMakeCall', { thisDN: '1002', otherDN: '1003' });
    await client.event('EventEstablished', (e) => e.callID === internal.callID);
    await client.call('RequestClearCall', { callID: internal.callID });
    await client.ended(internal.callID);

    await client.call('RequestClearCall', { callID: first.callID });
    await client.ended(first.callID);
    const third = await client.call('RequestMakeCall', { thisDN: '1002', otherDN: '91114001002' });
    await client.event('EventEstablished', (e) => e.callID === third.callID);
    await client.call('RequestClearCall', { callID: third.callID });
    expect(only(await client.ended(third.callID), 'EventCallDeleted').connectionStatus).toBe('Connected');
  });

  test('its machine refuses the connection: the operator’s congestion', async () => {
    const stranded = await rm.subscriber('stranded');
    const { callID } = await stranded.call('RequestMakeCall', { thisDN: '1010', otherDN: '91114001001' });
    const events = await stranded.ended(callID);
    expectWhole(events);
    expect(only(events, 'EventReleased', '91114001001')).toMatchObject({
      connectionStatus: 'Operator Congestion',
      sipCode: 503,
      q850: 34,
    });
  });

  test('nothing at all answers: our ring timer ends it', async () => {
    const other = await rm.subscriber('other');
    const { callID } = await other.call('RequestMakeCall', { thisDN: '1015', otherDN: '91114001001', ringTimeout: 1 });
    const events = await other.ended(callID);
    expectWhole(events);
    expect(told(events)).not.toContain('EventRinging(91114001001)');
    expect(only(events, 'EventReleased', '91114001001')).toMatchObject({
      connectionStatus: 'Ring Timeout',
      hangupCause: 'NO_ANSWER',
      earlyDetectCause: 115,
    });
  });
});
