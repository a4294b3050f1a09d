import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import { expectWhole, only, told } from '../support/call-events.ts';
import type { Hears } from '../support/hearing.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { expectHeard, talk } from '../support/talking.ts';

const AGENT = '1018';
const NEXT = '1019';
const THIRD = '1020';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
const ELSEWHERE = '911140099056';
const ELSEWHERE_TONE = 2750;
const QUEUE = '8007';
const SMALL = '8005';
const TO_NUMBER = '8004';
const ACCEPTED = 202;

const start = (lab: Lab, customer: Phone, prefix: string): Promise<Ringmaster> =>
  ringmaster(
    lab,
    (settings) => {
      const [main] = settings.companies;
      if (!main) throw new Error('the lab has no company');
      main.queues = [
        { id: QUEUE, ringTimeout: 2, wrapUp: 0 },
        { id: SMALL, ringTimeout: 20, wrapUp: 0, maxWaiting: 1 },
        { id: TO_NUMBER, ringTimeout: 20, wrapUp: 0, overflow: { afterSeconds: 1, to: { number: ELSEWHERE } } },
      ] as typeof main.queues;
      main.routes = [];
      for (const trunk of settings.trunks) {
        if (trunk.id === 'carrier-a') trunk.endpoint = `PJSIP/carrier-a/sip:{number}@127.0.0.1:${customer.port}`;
      }
    },
    prefix,
  );

describe('a queue that is handed a call, is asked or is called', () => {
  const prefix = `queuetarget${process.pid}x${Date.now()}`;
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let nextPhone: Phone;
  let thirdPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, nextPhone, thirdPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openAgentPhone(lab, NEXT),
      openAgentPhone(lab, THIRD),
      openCustomerPhone(lab, CUSTOMER, { tone: (dialled) => (dialled === ELSEWHERE ? ELSEWHERE_TONE : CUSTOMER_TONE) }),
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
    await Promise.all([agentPhone, nextPhone, thirdPhone, customerPhone].map((p) => p?.close()));
  });

  const talking = () => talk(client, agentPhone, customerPhone, AGENT, CUSTOMER);
  const login = (thisDN: string, queue = QUEUE) =>
    client.call('RequestAgentLogin', { agentID: `7${thisDN}`, thisDN, agentState: 1, thisQueues: [queue] });
  const hand = (callID: string, otherDN = QUEUE) =>
    client.call('RequestSingleStepTransfer', { referenceID: 7, callID, thisDN: AGENT, otherDN });
  const ask = (callID: string, otherDN = QUEUE) =>
    client.call('RequestInitiateConsult', { referenceID: 7, callID, thisDN: AGENT, otherDN });
  const established = (callID: string, dn: string) =>
    client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === dn);
  const rung = (callID: string, dn: string) =>
    client.event('EventRinging', (e) => e.callID === callID && e.thisDN === dn);
  const stage = (callID: string, consultStage: number) =>
    client.event(
      'EventAttachedDataChanged',
      (e) => e.callID === callID && e.attachedData['consultStage'] === consultStage,
    );
  /** Who hears whom, by DN; the customer is `customer`. */
  const heard = (calls: Readonly<Record<string, PhoneCall>>, hears: Hears) => {
    const tone = (name: string): number =>
      ({ customer: CUSTOMER_TONE, elsewhere: ELSEWHERE_TONE })[name] ?? agentTone(name);
    return expectHeard(
      Object.entries(calls).map(([name, call]) => ({ name, call, tone: tone(name) })),
      hears,
    );
  };
  const hearEachOther = (customer: PhoneCall, name: string, other: PhoneCall) =>
    heard({ customer, [name]: other }, { customer: [name], [name]: ['customer'] });
  /** What has been told of a call since both talked. */
  const since = (events: readonly CtiEvent[]) =>
    events.slice(events.findLastIndex((e) => e.messageID === 'EventEstablished' && e.thisDN === CUSTOMER) + 1);
  const ended = async (callID: string): Promise<readonly CtiEvent[]> => {
    const events = await client.ended(callID);
    expectWhole(events);
    return events;
  };
  /** The final status that a phone is told of its REFER. */
  const outcome = async (call: PhoneCall): Promise<string> => {
    for (;;) {
      const { detail = '' } = await call.waitFor('refer-notify');
      if (!detail.startsWith('1')) return detail;
    }
  };
  /** An agent's status as Redis keeps it. */
  const kept = async (thisDN: string): Promise<string> => {
    const { url } = lab.settings().redis;
    const redis = createClient({ url });
    await redis.connect();
    try {
      const agent = JSON.parse((await redis.hGet(`${prefix}:{${rm.companyId}}:agents`, `7${thisDN}`)) ?? '{}') as {
        status?: string;
      };
      return agent.status ?? 'unknown';
    } finally {
      redis.destroy();
    }
  };

  describe('is handed a call', () => {
    test('the customer has music until an agent of the queue has answered, and then talks to him', async () => {
      const { callID, agent, customer } = await talking();
      await hand(callID);
      await agent.waitFor('ended');
      await heard({ customer }, { customer: ['music'] });
      await login(NEXT);
      const next = await nextPhone.nextCall();
      expect(next.callerNumber).toBe(CUSTOMER);
      next.ring();
      await rung(callID, NEXT);
      await expect.poll(() => kept(NEXT), { timeout: 10_000 }).toBe('Dialed');
      await heard({ customer }, { customer: ['music'] });
      await next.answer();
      await established(callID, NEXT);
      await hearEachOther(customer, NEXT, next);
      await expect.poll(() => kept(NEXT), { timeout: 10_000 }).toBe('Connected');
      await customer.hangUp();
      const events = since(await ended(callID));
      expect(told(events)).toEqual([
        `EventReleased(${AGENT})`,
        `EventRinging(${NEXT})`,
        `EventEstablished(${NEXT})`,
        `EventReleased(${CUSTOMER})`,
        `EventReleased(${NEXT})`,
        `EventCallDeleted(${AGENT})`,
      ]);
      expect(events[0]).toMatchObject({ callState: 'Transferred', thirdDN: QUEUE, thirdDNRole: 'TransferTo' });
      const ofNext = { referenceID: 7, otherDN: CUSTOMER, thirdDN: AGENT, thirdDNRole: 'TransferBy', thisQueue: QUEUE };
      expect(events[1]).toMatchObject({ ...ofNext, agentStatus: 'Dialed' });
      expect(events[2]).toMatchObject({ ...ofNext, agentStatus: 'Connected' });
      expect(events[3]).toMatchObject({ otherDN: NEXT, thisQueue: QUEUE });
      expect(events[4]).toMatchObject({ otherDN: CUSTOMER, agentStatus: 'Completed' });
    });

    test('on the phone, by the queue’s number', async () => {
      const { callID, agent, customer } = await talking();
      const taken = outcome(agent);
      expect(await agent.refer(QUEUE)).toBe(ACCEPTED);
      expect(await taken).toBe('200');
      await agent.waitFor('ended');
      await heard({ customer }, { customer: ['music'] });
      await login(NEXT);
      const next = await nextPhone.nextCall();
      await next.answer();
      await hearEachOther(customer, NEXT, next);
      await next.hangUp();
      expect(since(await ended(callID))[0]).toMatchObject({ callState: 'Transferred', thirdDN: QUEUE });
    });

    test('the next agent is rung after one who does not come, and the customer keeps hearing music', async () => {
      const { callID, customer } = await talking();
      await login(NEXT);
      await login(THIRD);
      await hand(callID);
      const missed = await nextPhone.nextCall();
      missed.ring();
      await missed.waitFor('ended');
      const third = await thirdPhone.nextCall();
      third.ring();
      await client.event('EventAgentNotReady', (e) => e.thisDN === NEXT && e.reasonCode === 97);
      await heard({ customer }, { customer: ['music'] });
      await third.answer();
      await hearEachOther(customer, THIRD, third);
      await third.hangUp();
      expect(only(await ended(callID), 'EventReleased', NEXT)).toMatchObject({
        agentStatus: 'Missed',
        connectionStatus: 'User Not Answered',
        thisQueue: QUEUE,
      });
    });

    test('he who handed it on is given it only when he is ready and nobody else is', async () => {
      const { callID, customer } = await talking();
      await login(AGENT);
      await client.call('RequestAgentNotReady', { thisDN: AGENT, reasonCode: 11 });
      await hand(callID);
      await heard({ customer }, { customer: ['music'] });
      await client.call('RequestAgentReady', { thisDN: AGENT });
      const again = await agentPhone.nextCall();
      await again.answer();
      await hearEachOther(customer, AGENT, again);
      await customer.hangUp();
      await ended(callID);
    });

    test('the customer hangs up while he waits, and while an agent is rung for him', async () => {
      const alone = await talking();
      await hand(alone.callID);
      await alone.agent.waitFor('ended');
      await heard({ customer: alone.customer }, { customer: ['music'] });
      await alone.customer.hangUp();
      expect(since(await ended(alone.callID)).map((e) => e.messageID)).toEqual([
        'EventReleased',
        'EventReleased',
        'EventCallDeleted',
      ]);

      const { callID, customer } = await talking();
      await login(NEXT);
      await hand(callID);
      const next = await nextPhone.nextCall();
      next.ring();
      await rung(callID, NEXT);
      await customer.hangUp();
      await next.waitFor('ended');
      await ended(callID);
      await expect
        .poll(async () => (await client.call('RequestListAgents', {})).agents.map((a) => [a.state, a.agentStatus]), {
          timeout: 10_000,
        })
        .toContainEqual(['Ready', 'AVAILABLE']);
    });

    test('a full one refuses, by request and on the phone, and both talk on', async () => {
      const first = await talking();
      await hand(first.callID, SMALL);
      await first.agent.waitFor('ended');
      const { callID, agent, customer } = await talking();
      for (const method of ['RequestSingleStepTransfer', 'RequestInitiateConsult']) {
        const refusal = await client.refusal(method, { callID, thisDN: AGENT, otherDN: SMALL });
        expect(refusal).toMatchObject({ code: 301027, data: { reason: 'queue-full' } });
      }
      const declined = outcome(agent);
      expect(await agent.refer(SMALL)).toBe(ACCEPTED);
      expect(await declined).toBe('603');
      await hearEachOther(customer, AGENT, agent);
      const called = await client.refusal('RequestMakeCall', { thisDN: NEXT, otherDN: SMALL });
      expect(called).toMatchObject({ code: 301027, data: { reason: 'queue-full' } });
      const added = await client.refusal('RequestSingleStepConference', { callID, thisDN: AGENT, otherDN: QUEUE });
      expect(added.code).toBe(301018);
      await first.customer.hangUp();
      await ended(first.callID);
      await hand(callID, SMALL);
      await agent.waitFor('ended');
      await heard({ customer }, { customer: ['music'] });
      await customer.hangUp();
      await ended(callID);
    });

    test('its overflow does not come: the customer is back with the agent, and has music until then', async () => {
      const { callID, customer } = await talking();
      await hand(callID, TO_NUMBER);
      const elsewhere = await customerPhone.nextCall();
      elsewhere.ring();
      await heard({ customer }, { customer: ['music'] });
      await elsewhere.refuse(486);
      const again = await agentPhone.nextCall();
      expect(again.callerNumber).toBe(CUSTOMER);
      again.ring();
      await heard({ customer }, { customer: ['music'] });
      await again.answer();
      await hearEachOther(customer, AGENT, again);
      await customer.hangUp();
      const events = since(await ended(callID));
      expect(told(events).slice(0, 5)).toEqual([
        `EventReleased(${AGENT})`,
        `EventRinging(${ELSEWHERE})`,
        `EventReleased(${ELSEWHERE})`,
        `EventRinging(${AGENT})`,
        `EventEstablished(${AGENT})`,
      ]);
      expect(events[3]).toMatchObject({ thirdDN: TO_NUMBER, thirdDNRole: 'TransferTo', partyID: `${callID}-4` });
    });

    test('its overflow comes, and may not hand the call on', async () => {
      const { callID, customer } = await talking();
      await hand(callID, TO_NUMBER);
      const elsewhere = await customerPhone.nextCall();
      await elsewhere.answer();
      await established(callID, ELSEWHERE);
      await heard({ customer, elsewhere }, { customer: ['elsewhere'], elsewhere: ['customer'] });
      const refusal = await client.refusal('RequestSingleStepTransfer', { callID, thisDN: ELSEWHERE, otherDN: NEXT });
      expect(refusal.message).toBe('CustomerAddByConference');
      await elsewhere.hangUp();
      await ended(callID);
    });

    test('who waits goes on waiting when the service is started again, and gets his agent', async () => {
      const { callID, agent, customer } = await talking();
      await hand(callID);
      await agent.waitFor('ended');
      await heard({ customer }, { customer: ['music'] });
      await rm.close();
      rm = await start(lab, customerPhone, prefix);
      client = await rm.subscriber();
      await heard({ customer }, { customer: ['music'] });
      await login(NEXT);
      const next = await nextPhone.nextCall();
      await next.answer();
      await hearEachOther(customer, NEXT, next);
      await next.hangUp();
      const events = await client.ended(callID);
      expect(events.find((e) => e.messageID === 'EventRinging')).toMatchObject({ thirdDN: AGENT, thisQueue: QUEUE });
    });
  });

  describe('is asked', () => {
    /** Agent and customer have music, and the agent of the queue is rung. */
    const ringing = async () => {
      const { callID, agent, customer } = await talking();
      const { partyID } = await ask(callID);
      expect(partyID).toBe(`${callID}-1`);
      await stage(callID, 1);
      await heard({ [AGENT]: agent, customer }, { [AGENT]: ['music'], customer: ['music'] });
      await login(NEXT);
      const guest = await nextPhone.nextCall();
      expect(guest.callerNumber).toBe(AGENT);
      guest.ring();
      await stage(callID, 2);
      await heard({ [AGENT]: agent, customer }, { [AGENT]: ['music'], customer: ['music'] });
      return { callID, agent, customer, guest };
    };
    const asked = async () => {
      const scene = await ringing();
      await scene.guest.answer();
      await stage(scene.callID, 4);
      const { agent, customer, guest } = scene;
      const hears = { [AGENT]: [NEXT], [NEXT]: [AGENT], customer: ['music'] };
      await heard({ [AGENT]: agent, [NEXT]: guest, customer }, hears);
      return scene;
    };

    test('its agent is consulted, and takes the customer over', async () => {
      const { callID, agent, customer, guest } = await asked();
      await client.call('RequestTransferConsult', { referenceID: 8, callID, thisDN: AGENT });
      await agent.waitFor('ended');
      await hearEachOther(customer, NEXT, guest);
      await customer.hangUp();
      const events = since(await ended(callID));
      expect(told(events)).toEqual([
        `EventAttachedDataChanged(${AGENT})`,
        `EventRinging(${NEXT})`,
        `EventAttachedDataChanged(${AGENT})`,
        `EventEstablished(${NEXT})`,
        `EventAttachedDataChanged(${AGENT})`,
        `EventReleased(${AGENT})`,
        `EventPartyChanged(${NEXT})`,
        `EventReleased(${CUSTOMER})`,
        `EventReleased(${NEXT})`,
        `EventCallDeleted(${AGENT})`,
      ]);
      expect(events.map((e) => e.attachedData?.['consultStage'])).toEqual([
        ...[1, '2', 2, '4', 4, 6, 6],
        undefined,
        undefined,
        undefined,
      ]);
      expect(events[0]).toMatchObject({ otherDN: QUEUE, referenceID: 7, agentStatus: 'ConsultationDialed' });
      expect(events[1]).toMatchObject({
        otherDN: AGENT,
        otherDNRole: 'ConsultBy',
        thirdDN: CUSTOMER,
        callState: 'Consult',
        thisQueue: QUEUE,
        referenceID: 7,
        agentStatus: 'ConsultationGuestDialed',
      });
      expect(events[3]).toMatchObject({ thisQueue: QUEUE, agentStatus: 'ConsultationGuestConnected' });
      expect(events[4]).toMatchObject({ otherDN: NEXT, agentStatus: 'ConsultationConnected' });
      expect(events[8]).toMatchObject({ otherDN: CUSTOMER, agentStatus: 'Completed' });
    });

    test('the agent goes back to the customer, who has heard nothing of it', async () => {
      const { callID, agent, customer, guest } = await asked();
      await client.call('RequestRetrieveConsult', { callID, thisDN: AGENT });
      await guest.waitFor('ended');
      await stage(callID, 5);
      await hearEachOther(customer, AGENT, agent);
      await agent.hangUp();
      await ended(callID);
    });

    test('all three talk', async () => {
      const { callID, agent, customer, guest } = await asked();
      await client.call('RequestConferenceConsult', { callID, thisDN: AGENT });
      await client.event('EventPartyChanged', (e) => e.callID === callID);
      const hears = { [AGENT]: [NEXT, 'customer'], [NEXT]: [AGENT, 'customer'], customer: [AGENT, NEXT] };
      await heard({ [AGENT]: agent, [NEXT]: guest, customer }, hears);
      await client.call('RequestClearCall', { callID });
      await ended(callID);
    });

    test('it is called off while nobody rings', async () => {
      const { callID, agent, customer } = await talking();
      await ask(callID);
      await heard({ [AGENT]: agent, customer }, { [AGENT]: ['music'], customer: ['music'] });
      await client.call('RequestCancelConsult', { referenceID: 9, callID, thisDN: AGENT });
      expect(await stage(callID, 3)).toMatchObject({
        otherDN: QUEUE,
        referenceID: 9,
        agentStatus: 'ConsultationReleased',
      });
      await hearEachOther(customer, AGENT, agent);
      await agent.hangUp();
      await ended(callID);
    });

    test('it is called off while an agent of it rings', async () => {
      const { callID, agent, customer, guest } = await ringing();
      await client.call('RequestCancelConsult', { callID, thisDN: AGENT });
      await guest.waitFor('ended');
      await stage(callID, 3);
      await hearEachOther(customer, AGENT, agent);
      await agent.hangUp();
      await ended(callID);
      const { agents } = await client.call('RequestListAgents', {});
      expect(agents.find((a) => a.thisDN === NEXT)?.state).toBe('Ready');
    });

    test('an agent of it does not come, and the next one does', async () => {
      const { callID, agent, customer, guest } = await ringing();
      await login(THIRD);
      await guest.refuse(486);
      const third = await thirdPhone.nextCall();
      await third.answer();
      await stage(callID, 4);
      const hears = { [AGENT]: [THIRD], [THIRD]: [AGENT], customer: ['music'] };
      await heard({ [AGENT]: agent, [THIRD]: third, customer }, hears);
      await agent.hangUp();
      await hearEachOther(customer, THIRD, third);
      await customer.hangUp();
      expect(only(await ended(callID), 'EventReleased', NEXT)).toMatchObject({
        attachedData: { consultStage: 3 },
        agentStatus: 'ConsultationGuestMissed',
      });
    });

    test.each([
      ['the agent', true],
      ['the customer', false],
    ])('%s hangs up while the agent of the queue rings: the call is over', async (_, theAgent) => {
      const { callID, agent, customer, guest } = await ringing();
      await (theAgent ? agent : customer).hangUp();
      await Promise.all([agent, customer, guest].map((call) => call.waitFor('ended')));
      await ended(callID);
    });
  });

  describe('is called by an agent', () => {
    test.each([
      ['by request', 'RequestMakeCall'],
      ['on his phone', 'dialled'],
    ])('%s: he has music, and then talks to an agent of it', async (_, how) => {
      let agent: PhoneCall;
      let callID: string;
      if (how === 'dialled') {
        const known = client.events.length;
        agent = agentPhone.call(QUEUE);
        await agent.waitFor('answered');
        await client.until((events) => events.slice(known).some((e) => e.messageID === 'EventCallCreated'));
        callID = only(client.events.slice(known), 'EventCallCreated').callID;
      } else {
        ({ callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: QUEUE, referenceID: 3 }));
        agent = await agentPhone.nextCall();
        await agent.answer();
      }
      await heard({ [AGENT]: agent }, { [AGENT]: ['music'] });
      await login(NEXT);
      const next = await nextPhone.nextCall();
      expect(next.callerNumber).toBe(AGENT);
      await next.answer();
      await established(callID, AGENT);
      await heard({ [AGENT]: agent, [NEXT]: next }, { [AGENT]: [NEXT], [NEXT]: [AGENT] });
      await agent.hangUp();
      const events = await ended(callID);
      expect(only(events, 'EventCallCreated').callType).toBe('Internal');
      expect(only(events, 'EventDialing')).toMatchObject({ thisDN: AGENT, otherDN: QUEUE });
      expect(only(events, 'EventReleased', AGENT)).toMatchObject({ agentStatus: 'Completed', thisQueue: QUEUE });
    });

    test('the queue cannot be rung first, nor can it call one of its own kind', async () => {
      const refusal = async (params: object) => (await client.refusal('RequestMakeCall', params)).message;
      expect(await refusal({ thisDN: AGENT, otherDN: QUEUE, firstLeg: 'customer' })).toBe('InvalidCallType');
      expect(await refusal({ thisDN: QUEUE, otherDN: SMALL, firstLeg: 'customer' })).toBe('InvalidCallType');
      expect(await refusal({ thisDN: AGENT, otherDN: QUEUE, callType: 'Outbound' })).toBe('InvalidCallType');
    });
  });
});
