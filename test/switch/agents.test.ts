import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import type { ResultOf } from '../../src/cti/requests.ts';
import { expectWhole, only, plain } from '../support/call-events.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster, type Settings } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const AGENT = '1018';
const CALLER = '911140099001';
const CALLER_TONE = 2500;
const DID = '911140001007';
const QUEUE = '8007';

type Agent = ResultOf<'RequestListAgents'>['agents'][number];

describe('an agent', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let callerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, callerPhone] = await Promise.all([openAgentPhone(lab, AGENT), openCustomerPhone(lab, CALLER)]);
    rm = await ringmaster(lab, (settings) => {
      const [main] = settings.companies;
      if (!main) throw new Error('the lab has no company');
      main.queues = [...(main.queues ?? []), { id: QUEUE, ringTimeout: 5, wrapUp: 2 }];
      main.routes = [...(main.routes ?? []), { did: DID, to: { queue: QUEUE } }];
    });
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone.close(), callerPhone.close()]);
  });

  const agent = async (agentID: string): Promise<Agent> => {
    const { agents } = await client.call('RequestListAgents', {});
    const found = agents.find((a) => a.agentID === agentID);
    if (!found) throw new Error(`there is no agent ${agentID}`);
    return found;
  };

  test('logs in, is ready and not ready, and logs out: each answered and told with the fields of the seed', async () => {
    const from = client.events.length;
    const info = await client.call('RequestAgentLogin', {
      referenceID: 1001,
      agentID: '7001',
      thisDN: AGENT,
      thisQueues: [QUEUE, '8001'],
      phoneType: 4,
      agentState: 2,
      reasonCode: 2,
    });
    expect(info).toMatchObject({ agentID: '7001', state: 'NotReady', agentState: 2, agentStatus: 'PAUSED' });
    await client.call('RequestAgentReady', { agentID: '7001', referenceID: 1002 });
    await client.call('RequestAgentNotReady', { thisDN: AGENT, reasonCode: 11, referenceID: 1003 });
    const out = await client.call('RequestAgentLogout', { agentID: '7001', thisDN: AGENT, referenceID: 1004 });
    expect(out).toMatchObject({ state: 'Logout', agentStatus: 'RELEASED' });
    await client.event('EventAgentLogout');
    const all = {
      companyId: rm.companyId,
      agentID: '7001',
      agentUUID: info.agentUUID,
      thisDN: AGENT,
      thisQueues: [QUEUE, '8001'],
    };
    expect(info.agentUUID).toMatch(/^[0-9a-f]{32}$/);
    expect(plain(client.events.slice(from))).toEqual(
      [
        {
          messageID: 'EventAgentLogin',
          ...all,
          creationTime: expect.any(Number),
          referenceID: 1001,
          phoneType: 4,
          agentState: 2,
          reasonCode: 2,
          agentStatus: 'PAUSED',
        },
        { messageID: 'EventAgentReady', ...all, referenceID: 1002, reasonCode: 0, agentStatus: 'AVAILABLE' },
        { messageID: 'EventAgentNotReady', ...all, referenceID: 1003, reasonCode: 11, agentStatus: 'PAUSED' },
        { messageID: 'EventAgentLogout', ...all, referenceID: 1004, agentStatus: 'RELEASED' },
      ].map(({ creationTime: _, ...e }: Record<string, unknown>) => e),
    );
    const again = await client.call('RequestAgentLogin', { agentID: '7001', thisDN: AGENT });
    expect(again).toMatchObject({ agentUUID: info.agentUUID, state: 'NotReady', thisQueues: [QUEUE, '8001'] });
    await client.call('RequestAgentLogout', { agentID: '7001' });
  });

  test('is refused what cannot be, and the refusal is published', async () => {
    await client.call('RequestAgentLogin', { agentID: '7002', thisDN: AGENT });
    const refusals: [string, Record<string, unknown>, number, string][] = [
      ['RequestAgentLogin', { agentID: '7009', thisDN: '911140099001' }, 301026, 'RegisterDNNotMatch'],
      ['RequestAgentLogin', { agentID: '7002', thisDN: '1019' }, 301026, 'RegisterDNNotMatch'],
      ['RequestAgentLogin', { agentID: '7009', thisDN: AGENT }, 302000, 'Unknown'],
      ['RequestAgentLogin', { agentID: '7009', thisDN: '1019', thisQueues: ['9'] }, 301018, 'InvalidParams'],
      ['RequestAgentReady', { agentID: '7009' }, 302001, 'NotFoundAgentID'],
      ['RequestAgentReady', { thisDN: '1019' }, 301014, 'NotFoundAgent'],
      ['RequestAgentNotReady', { agentID: '7002', thisDN: '1019' }, 301026, 'RegisterDNNotMatch'],
      ['RequestDelayAfterCallWork', { agentID: '7002', seconds: 5 }, 301006, 'InvalidAgentState'],
    ];
    for (const [i, [method, params, code, name]] of refusals.entries()) {
      const referenceID = 5000 + i;
      const refused = await client.refusal(method, { ...params, referenceID });
      expect([method, refused.code, refused.message]).toEqual([method, code, name]);
      const event = await client.event(
        code >= 302000 ? 'EventAgentError' : 'EventPartyError',
        (e) => e.referenceID === referenceID,
      );
      expect(event).toMatchObject({ errorCode: code, errorMessage: name, request: method });
    }
    expect(only(client.events, 'EventAgentError', AGENT).agentUUID).toMatch(/^[0-9a-f]{32}$/);
    await client.call('RequestAgentLogout', { agentID: '7002' });
  });

  test('has the statuses of his own calls, and is available again after them', async () => {
    await client.call('RequestAgentLogin', { agentID: '7003', thisDN: AGENT, agentState: 1, thisQueues: [QUEUE] });
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: '91114001001' });
    const phone = await agentPhone.nextCall();
    phone.ring();
    await phone.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === AGENT);
    await expect.poll(() => agent('7003')).toMatchObject({ callID, agentStatus: 'UserCallConnected', state: 'Ready' });
    await client.call('RequestReleaseCall', { callID, thisDN: '91114001001' });
    const events = await client.ended(callID);
    expectWhole(events);
    const statuses = events.flatMap((e) => ('agentStatus' in e && e.agentStatus ? [[e.messageID, e.agentStatus]] : []));
    expect(statuses.toSorted()).toEqual(
      [
        ['EventDialing', 'Dialed'],
        ['EventOtherRinging', 'UserCallDialed'],
        ['EventEstablished', 'UserCallConnected'],
        ['EventReleased', 'UserCallCompleted'],
        ['EventReleased', 'Completed'],
      ].toSorted(),
    );
    await expect.poll(() => agent('7003')).toMatchObject({ agentStatus: 'AVAILABLE' });
    await client.call('RequestAgentLogout', { agentID: '7003' });
  });

  test('does after-call work at the release of a queue’s call, and is ready again when its time is up', async () => {
    await client.call('RequestAgentLogin', { agentID: '7004', thisDN: AGENT, agentState: 1, thisQueues: [QUEUE] });
    const caller = callerPhone.call(DID);
    await caller.waitFor('answered');
    const phone = await agentPhone.nextCall();
    phone.ring();
    await phone.answer();
    expect(await Promise.all([phone.hears(CALLER_TONE), caller.hears(agentTone(AGENT))])).toEqual([true, true]);
    await caller.hangUp();
    const notReady = await client.event('EventAgentNotReady', (e) => e.agentID === '7004');
    const { callID } = notReady.attachedData as { callID: string };
    expect(notReady).toMatchObject({ reasonCode: 4, attachedData: { loginState: '1', callID }, agentStatus: 'PAUSED' });
    const { expirationTime } = await client.call('RequestDelayAfterCallWork', {
      agentID: '7004',
      seconds: 1,
      referenceID: 77,
    });
    const delayed = await client.event('EventDelayAfterCallWork');
    expect(delayed).toMatchObject({ callID, partyID: `${callID}-2`, expirationTime, referenceID: 77, thisDN: AGENT });
    const ready = await client.event('EventAgentReady', (e) => e.agentID === '7004');
    expect(ready).toMatchObject({ reasonCode: 4, attachedData: { callID }, agentStatus: 'AVAILABLE' });
    expect(ready.creationTime).toBeGreaterThanOrEqual(expirationTime);
    const released = only(await client.ended(callID), 'EventReleased', AGENT);
    expect(released).toMatchObject({ wrapUpDuration: 2, thisQueue: QUEUE, agentStatus: 'Completed' });
    await client.call('RequestAgentLogout', { agentID: '7004' });
  });

  test('is not ready when his phone is lost, told once, and not made ready by its return', async () => {
    const phone = await openAgentPhone(lab, '1019');
    await client.call('RequestAgentLogin', { agentID: '7005', thisDN: '1019', agentState: 1, thisQueues: [QUEUE] });
    await phone.close();
    const lost = await client.event('EventAgentNotReady', (e) => e.agentID === '7005');
    expect(lost).toMatchObject({ reasonCode: 98, thisDN: '1019', agentStatus: 'PAUSED', referenceID: 0 });
    const back = await openAgentPhone(lab, '1019');
    expect(await agent('7005')).toMatchObject({ state: 'NotReady', reasonCode: 98 });
    await client.call('RequestAgentReady', { agentID: '7005' });
    await back.close();
    await client.until(
      (events) => events.filter((e) => e.messageID === 'EventAgentNotReady' && e.agentID === '7005').length === 2,
    );
    await client.call('RequestAgentLogout', { agentID: '7005' });
  });

  test('goes on with after-call work when the service is started again, and its time ends it', async () => {
    const change = (settings: Settings) => {
      const [main] = settings.companies;
      if (!main) throw new Error('the lab has no company');
      main.queues = [{ id: QUEUE, ringTimeout: 5, wrapUp: 3 }];
      main.routes = [{ did: DID, to: { queue: QUEUE } }];
    };
    const prefix = `restart${process.pid}x${Date.now()}`;
    await rm.close();
    let again = await ringmaster(lab, change, prefix);
    const before = await again.subscriber();
    await before.call('RequestAgentLogin', { agentID: '7006', thisDN: AGENT, agentState: 1, thisQueues: [QUEUE] });
    const caller = callerPhone.call(DID);
    const phone = await agentPhone.nextCall();
    await phone.answer();
    await before.event('EventEstablished', (e) => e.thisDN === AGENT);
    await phone.hangUp();
    const working = await before.event('EventAgentNotReady', (e) => e.reasonCode === 4);
    const { callID } = working.attachedData as { callID: string };
    await before.ended(callID);
    await caller.waitFor('ended');
    const { agents } = await before.call('RequestListAgents', {});
    const [was] = agents;
    await again.close();

    again = await ringmaster(lab, change, prefix);
    const after = await again.client();
    const found = (await after.call('RequestListAgents', {})).agents;
    expect(found).toEqual([was]);
    await after.call('Subscribe', { after: working.eventID });
    const ready = await after.event('EventAgentReady', (e) => e.agentID === '7006');
    expect(ready).toMatchObject({ reasonCode: 4, attachedData: { callID }, agentStatus: 'AVAILABLE' });
    expect(ready.creationTime).toBeGreaterThanOrEqual(was?.expirationTime ?? Number.POSITIVE_INFINITY);
    await again.close();
    rm = await ringmaster(lab, change);
  });
});
