import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import type { CtiEvent, EventOf } from '../../src/cti/events.ts';
import { expectWhole, only, plain } from '../support/call-events.ts';
import { leadCustomers } from '../support/conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const FIRST = '1018';
const NEXT = '1019';
const CALLER = '911140099001';
const CUSTOMER = '911140099002';
const CALLER_TONE = 2500;
/** The lab's music on hold is one tone. */
const MUSIC = 1700;
const QUEUE = { id: '8007', did: '911140001007' };
const SMALL = { id: '8005', did: '911140001005' };
const TO_QUEUE = { id: '8006', did: '911140001006' };
const TO_NUMBER = { id: '8004', did: '911140001004' };
const ELSEWHERE = '91114001005';

const start = (lab: Lab, customer: Phone, prefix: string): Promise<Ringmaster> =>
  ringmaster(
    lab,
    (settings) => {
      const [main] = settings.companies;
      if (!main) throw new Error('the lab has no company');
      main.queues = [
        { id: QUEUE.id, ringTimeout: 2, wrapUp: 0 },
        { id: SMALL.id, ringTimeout: 2, wrapUp: 0, maxWaiting: 1 },
        { id: TO_QUEUE.id, ringTimeout: 2, wrapUp: 0, overflow: { afterSeconds: 1, to: { queue: QUEUE.id } } },
        { id: TO_NUMBER.id, ringTimeout: 5, wrapUp: 0, overflow: { afterSeconds: 1, to: { number: ELSEWHERE } } },
      ] as typeof main.queues;
      main.routes = [QUEUE, SMALL, TO_QUEUE, TO_NUMBER].map(({ did, id }) => ({ did, to: { queue: id } }));
      leadCustomers(settings, customer);
    },
    prefix,
  );

describe('a queue', () => {
  const prefix = `queues${process.pid}x${Date.now()}`;
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let firstPhone: Phone;
  let nextPhone: Phone;
  let callerPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [firstPhone, nextPhone, callerPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, FIRST),
      openAgentPhone(lab, NEXT),
      openCustomerPhone(lab, CALLER),
      openCustomerPhone(lab, CUSTOMER),
    ]);
    rm = await start(lab, customerPhone, prefix);
    client = await rm.subscriber();
  });

  afterEach(async (context) => {
    const { agents } = await client.call('RequestListAgents', {});
    for (const a of agents) if (a.state !== 'Logout') await client.call('RequestAgentLogout', { agentID: a.agentID });
    await rm.afterTest(context);
  });

  afterAll(async () => {
    await rm?.close();
    await Promise.all([firstPhone, nextPhone, callerPhone, customerPhone].map((p) => p.close()));
  });

  const login = (agentID: string, thisDN: string, queue = QUEUE.id) =>
    client.call('RequestAgentLogin', { agentID, thisDN, agentState: 1, thisQueues: [queue] });

  /** Calls, and waits until the call has begun. */
  async function callIn(did: string): Promise<{ caller: PhoneCall; callID: string }> {
    const before = client.events.length;
    const isNew = (e: CtiEvent): e is EventOf<'EventCallCreated'> =>
      e.messageID === 'EventCallCreated' && e.thisDN === CALLER;
    const caller = callerPhone.call(did);
    await client.until((events) => events.slice(before).some(isNew));
    const created = client.events.slice(before).find(isNew);
    if (!created) throw new Error('the event has vanished');
    return { caller, callID: created.callID };
  }

  test('plays music to the caller until an agent has answered, and tells every step', async () => {
    const { caller, callID } = await callIn(QUEUE.did);
    await caller.waitFor('answered');
    expect(await caller.hears(MUSIC)).toBe(true);
    await login('7101', FIRST);
    const agent = await firstPhone.nextCall();
    expect(agent.callerNumber).toBe(CALLER);
    agent.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    expect(await caller.hears(MUSIC)).toBe(true);
    await agent.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === CALLER);
    expect(await Promise.all([agent.hears(CALLER_TONE), caller.hears(agentTone(FIRST))])).toEqual([true, true]);
    expect(await caller.hearsNothingOf(MUSIC, 500)).toBe(true);
    await agent.hangUp();
    const events = await client.ended(callID);
    await caller.waitFor('ended');

    expectWhole(events);
    const all = {
      callID,
      companyId: rm.companyId,
      callType: 'Inbound',
      ANI: CALLER,
      DNIS: QUEUE.did,
      attachedData: {},
      referenceID: 0,
    };
    const asAgent = { ...all, partyID: `${callID}-2`, partyRole: 'Agent', thisDN: FIRST, otherDN: CALLER };
    const asCaller = { ...all, partyID: `${callID}-1`, partyRole: 'Customer', thisDN: CALLER, otherDN: FIRST };
    const thisQueue = QUEUE.id;
    const released = {
      messageID: 'EventReleased',
      thisQueue,
      wrapUpDuration: 0,
      recordedEarlymedia: false,
      earlyDetectCause: 200,
      connectionStatus: 'Connected',
      hangupCause: 'BY_AGENT',
      q850: 16,
    };
    expect(plain(events)).toEqual([
      { messageID: 'EventCallCreated', ...all, thisDN: CALLER },
      {
        messageID: 'EventRinging',
        ...asAgent,
        thisDNRole: 'Destination',
        otherDNRole: 'Origination',
        thisQueue,
        agentStatus: 'Dialed',
      },
      { messageID: 'EventOtherRinging', ...asCaller },
      { messageID: 'EventEstablished', ...asAgent, thisQueue, agentStatus: 'Connected' },
      { messageID: 'EventEstablished', ...asCaller, thisQueue },
      {
        ...asAgent,
        ...released,
        hangupDisposition: 'recv_bye',
        agentStatus: 'Completed',
        moments: 'start progress answer bridge end',
      },
      { ...asCaller, ...released, hangupDisposition: 'send_bye', moments: 'start answer bridge end' },
      {
        messageID: 'EventCallDeleted',
        ...all,
        thisDN: CALLER,
        otherDN: QUEUE.id,
        moments: 'start bridge end',
        connectionStatus: 'Connected',
        q850: 16,
      },
    ]);
  });

  test('tries the next agent after one who lets it ring, refuses or is busy: he is not ready, the caller waits on', async () => {
    await login('7101', FIRST);
    await login('7102', NEXT);
    const { caller, callID } = await callIn(QUEUE.did);
    const missed = await firstPhone.nextCall();
    missed.ring();
    const answered = await nextPhone.nextCall();
    await missed.waitFor('ended');
    const notReady = await client.event('EventAgentNotReady', (e) => e.thisDN === FIRST && e.reasonCode === 97);
    expect(notReady).toMatchObject({ attachedData: { callID }, agentStatus: 'PAUSED' });
    answered.ring();
    expect(await caller.hears(MUSIC)).toBe(true);
    await answered.refuse(486);
    await client.event('EventAgentNotReady', (e) => e.thisDN === NEXT && e.reasonCode === 97);
    expect(await caller.hears(MUSIC)).toBe(true);

    await client.call('RequestAgentReady', { agentID: '7101' });
    const atLast = await firstPhone.nextCall();
    atLast.ring();
    await atLast.answer();
    expect(await Promise.all([atLast.hears(CALLER_TONE), caller.hears(agentTone(FIRST))])).toEqual([true, true]);
    await caller.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    const statuses = events.flatMap((e) =>
      e.messageID === 'EventReleased' && e.partyRole === 'Agent' ? [[e.thisDN, e.connectionStatus, e.agentStatus]] : [],
    );
    expect(statuses).toEqual([
      [FIRST, 'User Not Answered', 'Missed'],
      [NEXT, 'User Busy', 'Missed'],
      [FIRST, 'Connected', 'Completed'],
    ]);
    expect(only(events, 'EventCallDeleted').connectionStatus).toBe('Connected');
  });

  test('lets an agent go whose caller leaves while he is rung, and gives him the next call at once', async () => {
    await login('7101', FIRST);
    const { caller, callID } = await callIn(QUEUE.did);
    const rung = await firstPhone.nextCall();
    rung.ring();
    await client.event('EventOtherRinging', (e) => e.callID === callID);
    await caller.hangUp();
    await rung.waitFor('ended');
    const events = await client.ended(callID);
    expectWhole(events);
    expect(only(events, 'EventReleased', CALLER)).toMatchObject({ connectionStatus: 'Hang Up', thisQueue: QUEUE.id });
    expect(only(events, 'EventCallDeleted').connectionStatus).toBe('Hang Up');

    const again = await callIn(QUEUE.did);
    const next = await firstPhone.nextCall();
    await next.answer();
    await client.event('EventEstablished', (e) => e.callID === again.callID && e.thisDN === FIRST);
    await again.caller.hangUp();
    await client.ended(again.callID);
  });

  test('a caller who leaves while he waits is told as Hang Up', async () => {
    const { caller, callID } = await callIn(QUEUE.did);
    expect(await caller.hears(MUSIC)).toBe(true);
    await caller.hangUp();
    const events = await client.ended(callID);
    expect(events.map((e) => e.messageID)).toEqual(['EventCallCreated', 'EventReleased', 'EventCallDeleted']);
    expect(only(events, 'EventReleased')).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause: 'BY_CUSTOMER',
      otherDN: QUEUE.id,
      thisQueue: QUEUE.id,
    });
  });

  test('is full: the next caller hears busy', async () => {
    const { caller, callID } = await callIn(SMALL.did);
    await caller.waitFor('answered');
    const second = await callIn(SMALL.did);
    await second.caller.waitFor('ended');
    expect(second.caller.end).toMatchObject({ how: 'refused', status: 486 });
    expect(second.caller.history).not.toContain('answered');
    await client.ended(second.callID);
    await caller.hangUp();
    await client.ended(callID);
  });

  test('sends on to another queue who has waited too long', async () => {
    await login('7101', FIRST);
    const { caller, callID } = await callIn(TO_QUEUE.did);
    const agent = await firstPhone.nextCall();
    await agent.answer();
    const established = await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === FIRST);
    expect(established.thisQueue).toBe(QUEUE.id);
    await caller.hangUp();
    await client.ended(callID);
  });

  test('sends on to a number; the caller has music until somebody answers there', async () => {
    const { caller, callID } = await callIn(TO_NUMBER.did);
    const elsewhere = await customerPhone.nextCall();
    elsewhere.ring();
    expect(await caller.hears(MUSIC)).toBe(true);
    await elsewhere.answer();
    expect(await Promise.all([elsewhere.hears(CALLER_TONE), caller.hears(CALLER_TONE)])).toEqual([true, true]);
    await elsewhere.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(only(events, 'EventRinging', ELSEWHERE).partyRole).toBe('ThirdPSTN');
  });

  test('takes a customer whom it has called: he has music, and then the agent', async () => {
    const { callID } = await client.call('RequestMakeCall', {
      thisDN: QUEUE.id,
      otherDN: CUSTOMER,
      firstLeg: 'customer',
      referenceID: 31,
    });
    const customer = await customerPhone.nextCall();
    customer.ring();
    await customer.answer();
    expect(await customer.hears(MUSIC)).toBe(true);
    await login('7101', FIRST);
    const agent = await firstPhone.nextCall();
    await agent.answer();
    expect(await Promise.all([agent.hears(CALLER_TONE), customer.hears(agentTone(FIRST))])).toEqual([true, true]);
    await customer.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(events.map((e) => e.messageID)).toEqual([
      'EventCallCreated',
      'EventDialing',
      'EventRinging',
      'EventOtherRinging',
      'EventEstablished',
      'EventEstablished',
      'EventReleased',
      'EventReleased',
      'EventCallDeleted',
    ]);
    expect(only(events, 'EventDialing')).toMatchObject({ thisDN: CUSTOMER, otherDN: QUEUE.id });
    const refused = await client.refusal('RequestMakeCall', { thisDN: QUEUE.id, otherDN: CUSTOMER });
    expect(refused.code).toBe(301005);
  });

  test('an agent who releases the call that rings leaves it to the next', async () => {
    await login('7101', FIRST);
    const { caller, callID } = await callIn(QUEUE.did);
    const rung = await firstPhone.nextCall();
    rung.ring();
    await client.event('EventRinging', (e) => e.callID === callID);
    await client.call('RequestReleaseCall', { callID, thisDN: FIRST });
    await rung.waitFor('ended');
    expect(await caller.hears(MUSIC)).toBe(true);
    await login('7102', NEXT);
    const next = await nextPhone.nextCall();
    await next.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === NEXT);
    await caller.hangUp();
    await client.ended(callID);
  });

  test('who waits goes on waiting when the service is started again, and gets his agent', async () => {
    const { caller, callID } = await callIn(QUEUE.did);
    expect(await caller.hears(MUSIC)).toBe(true);
    await rm.close();
    rm = await start(lab, customerPhone, prefix);
    client = await rm.subscriber();
    expect(await caller.hears(MUSIC)).toBe(true);
    await login('7101', FIRST);
    const agent = await firstPhone.nextCall();
    await agent.answer();
    expect(await Promise.all([agent.hears(CALLER_TONE), caller.hears(agentTone(FIRST))])).toEqual([true, true]);
    await agent.hangUp();
    await client.ended(callID);
  });
});
