import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import type { CtiEvent, EventOf } from '../../src/cti/events.ts';
import { expectWhole, only, plain, told } from '../support/call-events.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const AGENT = '1018';
const CALLER = '911140099001';
const CALLER_TONE = 2500;
const DID = '911140001018';
const RINGS_OUT = { did: '911140001090', dn: '1090' };
const BUSY = { did: '911140001091', dn: '1091' };
const DECLINES = { did: '911140001092', dn: '1092' };
const ABSENT = { did: '911140001093', dn: '1093' };
const NOWHERE = '911140001999';

/** Hertz of the tones that a caller is played, busy and congestion alike (indications.conf). */
const TONE_TO_THE_CALLER = 400;

/** A Ringmaster whose first company has the trunk, the phones and a route to each kind of agent. */
const start = (lab: Lab): Promise<Ringmaster> =>
  ringmaster(lab, (settings) => {
    const [main, ...others] = settings.companies;
    if (!main) throw new Error('the lab has no company');
    main.routes = [
      { did: DID, to: { agent: AGENT } },
      ...[RINGS_OUT, BUSY, DECLINES, ABSENT].map(({ did, dn }) => ({ did, to: { agent: dn }, ringTimeout: 1 })),
    ];
    // One company alone has the trunk and the phones: what comes from them is that company's, whatever was dialled.
    for (const other of others) {
      other.trunk = 'carrier-silent';
      other.extensions = { pattern: '^9\\d{3}$', endpoint: 'PJSIP/{dn}' };
      other.routes = [];
    }
  });

/** Calls, and waits until the call has begun. @param from the DN or number that calls */
async function callFrom(
  client: RpcClient,
  phone: Phone,
  from: string,
  dialled: string,
): Promise<{ caller: PhoneCall; callID: string }> {
  const before = client.events.length;
  const isNew = (e: CtiEvent): e is EventOf<'EventCallCreated'> =>
    e.messageID === 'EventCallCreated' && e.thisDN === from;
  const caller = phone.call(dialled);
  await client.until((events) => events.slice(before).some(isNew));
  const created = client.events.slice(before).find(isNew);
  if (!created) throw new Error('the event has vanished');
  return { caller, callID: created.callID };
}

describe('a call that comes in', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let callerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, callerPhone] = await Promise.all([openAgentPhone(lab, AGENT), openCustomerPhone(lab, CALLER)]);
    rm = await start(lab);
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone.close(), callerPhone.close()]);
  });

  const callIn = (did: string) => callFrom(client, callerPhone, CALLER, did);

  test('rings the agent whom the route names; he answers, both talk, and the caller is answered only then', async () => {
    const { caller, callID } = await callIn(DID);
    const agent = await agentPhone.nextCall();
    expect(agent.callerNumber).toBe(CALLER);
    agent.ring();
    await caller.waitFor('ringing');
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    expect(caller.history).not.toContain('answered');
    await agent.answer();
    await caller.waitFor('answered');
    expect(await Promise.all([agent.hears(CALLER_TONE), caller.hears(agentTone(AGENT))])).toEqual([true, true]);
    await caller.hangUp();
    const events = await client.ended(callID);
    await agent.waitFor('ended');
    expect(agent.end).toMatchObject({ by: 'them', how: 'BYE' });

    expectWhole(events);
    const all = {
      callID,
      companyId: rm.companyId,
      callType: 'Inbound',
      ANI: CALLER,
      DNIS: DID,
      attachedData: {},
      referenceID: 0,
    };
    const asAgent = { ...all, partyID: `${callID}-2`, partyRole: 'Agent', thisDN: AGENT, otherDN: CALLER };
    const asCaller = { ...all, partyID: `${callID}-1`, partyRole: 'Customer', thisDN: CALLER, otherDN: AGENT };
    const ended = {
      messageID: 'EventReleased',
      thisQueue: '',
      wrapUpDuration: 0,
      recordedEarlymedia: false,
      earlyDetectCause: 200,
      connectionStatus: 'Connected',
      hangupCause: 'BY_CUSTOMER',
      q850: 16,
    };
    expect(plain(events)).toEqual([
      { messageID: 'EventCallCreated', ...all, thisDN: CALLER },
      {
        messageID: 'EventRinging',
        ...asAgent,
        thisDNRole: 'Destination',
        otherDNRole: 'Origination',
        thisQueue: '',
        agentStatus: 'Dialed',
      },
      { messageID: 'EventOtherRinging', ...asCaller },
      { messageID: 'EventEstablished', ...asCaller, thisQueue: '' },
      { messageID: 'EventEstablished', ...asAgent, thisQueue: '', agentStatus: 'Connected' },
      { ...asCaller, ...ended, hangupDisposition: 'recv_bye', moments: 'start answer bridge end' },
      {
        ...asAgent,
        ...ended,
        hangupDisposition: 'send_bye',
        agentStatus: 'Completed',
        moments: 'start progress answer bridge end',
      },
      {
        messageID: 'EventCallDeleted',
        ...all,
        thisDN: CALLER,
        otherDN: AGENT,
        moments: 'start bridge end',
        connectionStatus: 'Connected',
        q850: 16,
      },
    ]);
  });

  test('the caller gives up while the agent’s phone rings: it stops ringing, and both are told Hang Up', async () => {
    const { caller, callID } = await callIn(DID);
    const agent = await agentPhone.nextCall();
    agent.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    await caller.cancel();
    const events = await client.ended(callID);
    await agent.waitFor('ended');
    expect(agent.end).toMatchObject({ by: 'them', how: 'CANCEL' });
    expectWhole(events);
    expect(told(events)).toEqual([
      `EventCallCreated(${CALLER})`,
      `EventRinging(${AGENT})`,
      `EventOtherRinging(${CALLER})`,
      `EventReleased(${CALLER})`,
      `EventReleased(${AGENT})`,
      `EventCallDeleted(${CALLER})`,
    ]);
    expect(only(events, 'EventReleased', CALLER)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'recv_cancel',
      sipCode: 487,
    });
    expect(only(events, 'EventReleased', AGENT)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'send_cancel',
    });
  });

  test('an agent dials a colleague on the phone itself: DirectAgent', async () => {
    const { caller: own, callID } = await callFrom(client, agentPhone, AGENT, '1002');
    await own.waitFor('answered');
    expect(await own.hears(agentTone('1002'))).toBe(true);
    await own.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(events)).toEqual([
      `EventCallCreated(${AGENT})`,
      `EventDialing(${AGENT})`,
      'EventRinging(1002)',
      `EventOtherRinging(${AGENT})`,
      `EventEstablished(${AGENT})`,
      'EventEstablished(1002)',
      `EventReleased(${AGENT})`,
      'EventReleased(1002)',
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(only(events, 'EventDialing')).toMatchObject({
      callType: 'Internal',
      makeCallType: 'DirectAgent',
      partyRole: 'Agent',
      thisDNRole: 'Origination',
      otherDN: '1002',
    });
    for (const e of events) expect(e).not.toHaveProperty('ANI');
  });

  test('an agent dials a number on the phone itself: it goes out over the trunk', async () => {
    const number = '91114001001';
    const { caller: own, callID } = await callFrom(client, agentPhone, AGENT, number);
    await own.waitFor('answered');
    await own.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(only(events, 'EventDialing')).toMatchObject({
      callType: 'Outbound',
      makeCallType: 'DirectAgent',
      ANI: '911140001000',
      DNIS: number,
      otherDN: number,
    });
    expect(only(events, 'EventReleased', number)).toMatchObject({
      partyRole: 'Customer',
      connectionStatus: 'Connected',
      hangupCause: 'BY_AGENT',
    });
  });

  test('with Ringmaster away the dialplan’s fallback is heard; with it back, calls reach agents again', async () => {
    await rm.close();
    const unheard = callerPhone.call(DID);
    await unheard.waitFor('answered');
    expect(await unheard.hears(lab.file.asterisk.fallbackTone)).toBe(true);
    await unheard.hangUp();

    rm = await start(lab);
    client = await rm.subscriber();
    const { caller, callID } = await callIn(DID);
    const agent = await agentPhone.nextCall();
    await agent.answer();
    await caller.waitFor('answered');
    await agent.hangUp();
    await caller.waitFor('ended');
    expectWhole(await client.ended(callID));
  });
});

describe('a caller whom nobody answers', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  const phones: Phone[] = [];
  let callers = 0;

  beforeAll(async () => {
    lab = await testLab();
    rm = await start(lab);
    client = await rm.subscriber();
  });

  // Many callers at once: what is left can be seen when the last has gone.
  afterAll(async () => {
    await rm?.quiet();
    await rm?.close();
    await Promise.all(phones.map((phone) => phone.close()));
  });

  /** A call from a caller of the test's own. */
  async function callIn(did: string): Promise<{ caller: PhoneCall; callID: string; number: string }> {
    callers += 1;
    const number = `9111400991${String(callers).padStart(2, '0')}`;
    const phone = await openCustomerPhone(lab, number);
    phones.push(phone);
    return { number, ...(await callFrom(client, phone, number, did)) };
  }

  /** @returns the SIP answer that the caller was given in the end, having heard the tone before it */
  async function refusedAfterTone(caller: PhoneCall): Promise<number | undefined> {
    expect(await caller.hears(TONE_TO_THE_CALLER)).toBe(true);
    expect(caller.history).not.toContain('answered');
    await caller.waitFor('ended');
    expect(caller.end).toMatchObject({ by: 'them', how: 'refused' });
    return caller.end?.status;
  }

  test.concurrent.each([
    ['is busy', BUSY, 486, 'User Busy', 486, false],
    ['declines', DECLINES, 403, 'User Rejected', 603, false],
    ['rings out', RINGS_OUT, 480, 'User Not Answered', undefined, true],
    ['is not registered', ABSENT, 480, 'Channel Unavailable', undefined, false],
  ] as const)(
    'the agent %s: the caller hears a tone and is refused with the SIP answer that says so',
    async (_, to, answer, connectionStatus, sip, rang) => {
      const { caller, callID, number } = await callIn(to.did);
      expect(await refusedAfterTone(caller)).toBe(answer);
      const events = await client.ended(callID);
      expectWhole(events);
      const ringing = rang ? [`EventRinging(${to.dn})`, `EventOtherRinging(${number})`] : [];
      expect(told(events)).toEqual([
        `EventCallCreated(${number})`,
        ...ringing,
        `EventReleased(${to.dn})`,
        `EventReleased(${number})`,
        `EventCallDeleted(${number})`,
      ]);
      const released = only(events, 'EventReleased', to.dn);
      expect(released.connectionStatus).toBe(connectionStatus);
      expect(released.sipCode).toBe(sip);
      expect(only(events, 'EventReleased', number).hangupDisposition).toBe('send_refuse');
      expect(only(events, 'EventCallDeleted').connectionStatus).toBe(connectionStatus);
    },
  );

  test.concurrent('a number without a route: the caller hears a tone and is refused with 404', async () => {
    const { caller, callID, number } = await callIn(NOWHERE);
    expect(await refusedAfterTone(caller)).toBe(404);
    const events = await client.ended(callID);
    expectWhole(events);
    expect(told(events)).toEqual([
      `EventCallCreated(${number})`,
      `EventReleased(${number})`,
      `EventCallDeleted(${number})`,
    ]);
    expect(only(events, 'EventReleased')).toMatchObject({
      DNIS: NOWHERE,
      connectionStatus: 'Unallocated Number',
      hangupDisposition: 'send_refuse',
    });
  });

  test.concurrent('the caller gives up while he hears the tone', async () => {
    const { caller, callID, number } = await callIn(BUSY.did);
    expect(await caller.hears(TONE_TO_THE_CALLER)).toBe(true);
    await caller.cancel();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(only(events, 'EventReleased', number)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupDisposition: 'recv_cancel',
    });
    expect(only(events, 'EventReleased', BUSY.dn).connectionStatus).toBe('User Busy');
  });
});
