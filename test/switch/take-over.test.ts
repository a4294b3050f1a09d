import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, told } from '../support/call-events.ts';
import { leadCustomers } from '../support/conversation.ts';
import { hearing } from '../support/hearing.ts';
import { type Instances, instances } from '../support/instances.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { nothingLeft } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { talk } from '../support/talking.ts';

const AGENT = '1018';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;

/** Standing phones that answer, as do the lab's customers. */
const STANDING = ['1001', '1002', '1003', '1004', '1005', '1006', '1007', '1008'];

const WHOLE_CALL = [
  `EventCallCreated(${AGENT})`,
  `EventDialing(${AGENT})`,
  `EventRinging(${CUSTOMER})`,
  `EventOtherRinging(${AGENT})`,
  `EventEstablished(${AGENT})`,
  `EventEstablished(${CUSTOMER})`,
  `EventReleased(${CUSTOMER})`,
  `EventReleased(${AGENT})`,
  `EventCallDeleted(${AGENT})`,
];

describe('two instances on one node', () => {
  let lab: Lab;
  let agentPhone: Phone;
  let customerPhone: Phone;
  let both: Instances;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, customerPhone] = await Promise.all([openAgentPhone(lab, AGENT), openCustomerPhone(lab, CUSTOMER)]);
  });

  afterEach(() => both?.stop());

  afterAll(() => Promise.all([agentPhone?.close(), customerPhone?.close()]));

  /** @param standing the customers are the lab's own, who answer */
  const start = async (standing = false): Promise<Instances> => {
    both = await instances(lab, (settings) => {
      if (!standing) leadCustomers(settings, customerPhone);
    });
    return both;
  };

  const talking = async (client: RpcClient) => {
    const call = await talk(client, agentPhone, customerPhone, AGENT, CUSTOMER);
    const hear = () => Promise.all([call.agent.hears(CUSTOMER_TONE), call.customer.hears(agentTone(AGENT))]);
    return { ...call, hear };
  };

  test('the owner dies in mid-call: the other takes over, they talk on, and the end is told once', async () => {
    const { owner, standby } = await start();
    const [placing, listening] = [await owner.client(), await standby.subscriber()];
    await placing.call('Subscribe', {});
    const { callID, customer, hear } = await talking(placing);

    owner.process.kill('SIGKILL');
    expect(await standby.process.logged('took up live calls')).toMatchObject({ calls: 1 });
    await standby.process.logged('the shard is served');
    expect(await hear()).toEqual([true, true]);
    const { calls } = await listening.call('RequestListCalls', {});
    expect(calls.map((c) => c.callID)).toEqual([callID]);

    await customer.hangUp();
    const events = await listening.ended(callID);
    expectWhole(events);
    expect(told(events)).toEqual(WHOLE_CALL);
    expect(events.filter((e) => e.recovered)).toEqual([]);
    await nothingLeft(lab, standby.http, both.prefix);
  });

  test('the owner sleeps for longer than its lease: it lets go of everything, and is a stand-by again', async () => {
    const { owner, standby } = await start();
    const [placing, listening] = [await owner.client(), await standby.subscriber()];
    await placing.call('Subscribe', {});
    const { callID, agent, hear } = await talking(placing);

    owner.process.kill('SIGSTOP');
    await standby.served();
    owner.process.kill('SIGCONT');
    await owner.process.logged('another instance owns the shard: letting go');
    expect(await hear()).toEqual([true, true]);

    // The one that slept takes the shard back when the other one dies.
    standby.process.kill('SIGKILL');
    await owner.servedAgain();
    const again = await owner.client();
    await again.call('Subscribe', { after: listening.events.at(-1)?.eventID ?? 0 });
    expect(await hear()).toEqual([true, true]);
    await agent.hangUp();
    const events = [...listening.of(callID), ...(await again.ended(callID))];
    expectWhole(events);
    expect(told(events).slice(-3)).toEqual([
      `EventReleased(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    await nothingLeft(lab, owner.http, both.prefix);
  });

  test('the owner is to end: the other one has the shard at once, and the call with it', async () => {
    const { owner, standby } = await start();
    const [placing, listening] = [await owner.client(), await standby.subscriber()];
    await placing.call('Subscribe', {});
    const { callID, customer, hear } = await talking(placing);

    owner.process.kill('SIGTERM');
    await standby.served();
    expect((await owner.process.ended()).code).toBe(0);
    expect(await owner.process.logged('ended')).toMatchObject({ callsLeft: 0 });
    expect(await hear()).toEqual([true, true]);
    await customer.hangUp();
    const events = await listening.ended(callID);
    expectWhole(events);
    expect(told(events)).toEqual(WHOLE_CALL);
    expect(events.filter((e) => e.recovered)).toEqual([]);
    await nothingLeft(lab, standby.http, both.prefix);
  });

  test('what is asked of the instance that has not the call is done by the one that has', async () => {
    const { owner, standby } = await start();
    await vi.waitFor(async () => expect((await request(`${standby.http}/readyz`)).statusCode).toBe(200), 10_000);
    const asking = await standby.subscriber();
    // Begun there too.
    const { callID, agent, customer, hear } = await talking(asking);
    expect((await asking.call('RequestGetCallInfo', { callID })).callID).toBe(callID);
    const { calls } = await asking.call('RequestListCalls', {});
    expect(calls.map((c) => c.callID)).toEqual([callID]);

    const hears = hearing({
      agent: { call: agent, tone: agentTone(AGENT) },
      customer: { call: customer, tone: CUSTOMER_TONE },
    });
    await asking.call('RequestHoldCall', { callID, thisDN: AGENT, referenceID: 7 });
    await hears.is({ agent: [], customer: ['music'] });
    expect(await asking.event('EventHeld', (e) => e.callID === callID)).toMatchObject({ referenceID: 7 });
    const refusal = await asking.refusal('RequestHoldCall', { callID, thisDN: AGENT, referenceID: 8 });
    expect(refusal.message).toBe('HeldInProcess');
    expect(await asking.event('EventPartyError', (e) => e.referenceID === 8)).toMatchObject({ errorCode: 301010 });
    await asking.call('RequestRetrieveCall', { callID, thisDN: AGENT });
    expect(await hear()).toEqual([true, true]);

    const unknown = await asking.refusal('RequestHoldCall', { callID: '0'.repeat(35), thisDN: AGENT });
    expect(unknown.message).toBe('NotFoundCallID');

    // Agents and queues are one instance's too.
    await asking.call('RequestAgentLogin', { agentID: '7018', thisDN: AGENT });
    const agents = await Promise.all(
      [owner, standby].map(async (one) => (await (await one.client()).call('RequestListAgents', {})).agents),
    );
    expect(agents.map((list) => list.map((a) => [a.agentID, a.callID]))).toEqual([
      [['7018', callID]],
      [['7018', callID]],
    ]);
    await asking.call('RequestAgentLogout', { agentID: '7018' });

    await asking.call('RequestReleaseCall', { callID, thisDN: AGENT });
    const events = await asking.ended(callID);
    expectWhole(events.filter((e) => e.messageID !== 'EventPartyError'));
    await nothingLeft(lab, owner.http, both.prefix);
  });

  test('while the owner is dead and nobody has taken over, a request waits and is then done', async () => {
    const { owner, standby } = await start();
    const asking = await standby.subscriber();
    const { callID, customer } = await talking(asking);
    owner.process.kill('SIGKILL');
    await owner.process.ended();
    expect(await asking.call('RequestUpdateAttachedData', { callID, attachedData: { a: '1' } })).toEqual({
      attachedData: { a: '1' },
    });
    await customer.hangUp();
    expectWhole(await asking.ended(callID));
    await nothingLeft(lab, standby.http, both.prefix);
  });

  test('calls that are placed, ring and are answered while the owner is to end: none is lost, and none is different', async () => {
    const { owner, standby } = await start(true);
    const client = await standby.subscriber();
    let placed = 0;
    let over = false;
    const worker = async (agent: string): Promise<void> => {
      while (!over) {
        placed += 1;
        const customer = `91114001${String(placed).padStart(3, '0')}`;
        const { callID } = await client.call('RequestMakeCall', { thisDN: agent, otherDN: customer });
        await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === customer);
        await client.call('RequestReleaseCall', { callID, thisDN: agent });
        const events = await client.ended(callID);
        expectWhole(events);
        expect(told(events).slice(0, 6)).toEqual([
          `EventCallCreated(${agent})`,
          `EventDialing(${agent})`,
          `EventRinging(${customer})`,
          `EventOtherRinging(${agent})`,
          `EventEstablished(${agent})`,
          `EventEstablished(${customer})`,
        ]);
        expect(events.filter((e) => e.messageID === 'EventReleased').map((e) => e.connectionStatus)).toEqual([
          'Connected',
          'Connected',
        ]);
      }
    };
    const workers = Promise.all(STANDING.map(worker));
    await client.event('EventCallDeleted', () => true);
    owner.process.kill('SIGTERM');
    expect((await owner.process.ended()).code).toBe(0);
    const after = client.events.filter((e) => e.messageID === 'EventCallDeleted').length;
    await client.until((events) => events.filter((e) => e.messageID === 'EventCallDeleted').length > after + 10);
    over = true;
    await workers;
    expect(client.events.filter((e) => e.messageID === 'EventCallCreated')).toHaveLength(placed);
    await nothingLeft(lab, standby.http, both.prefix);
  });
});
