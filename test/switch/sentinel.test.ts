import { request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, told } from '../support/call-events.ts';
import { leadCustomers } from '../support/conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import type { TestRedis } from '../support/redis-server.ts';
import { type Ringmaster, ringmaster, type Settings } from '../support/ringmaster.ts';
import { RingmasterProcess } from '../support/ringmaster-process.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { command, MASTER, SentinelGroup } from '../support/sentinel-group.ts';
import { talk } from '../support/talking.ts';

const AGENT = '1018';
const OTHER_AGENT = '1019';
const CUSTOMER = '911140099001';
const CUSTOMER_TONE = 2500;
const PATIENCE = { timeout: 30_000, interval: 30 };
/** What the service may say of a Redis that is failed over. */
const FAILED_OVER =
  /^(Redis (cannot be reached|is away|was failed over|had lost what was written last)|a sentinel does not tell)/;

/** Events of a call whose customer hung up in the end. */
const talkedUntilCustomerLeft = (agent: string): string[] => [
  `EventCallCreated(${agent})`,
  `EventDialing(${agent})`,
  `EventRinging(${CUSTOMER})`,
  `EventOtherRinging(${agent})`,
  `EventEstablished(${agent})`,
  `EventEstablished(${CUSTOMER})`,
  `EventReleased(${CUSTOMER})`,
  `EventReleased(${agent})`,
  `EventCallDeleted(${agent})`,
];

describe('Redis with Sentinel is failed over under live calls', () => {
  let lab: Lab;
  let group: SentinelGroup;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let otherPhone: Phone;
  let customerPhone: Phone;
  let master: TestRedis;

  const withSentinel = (settings: Settings, name = MASTER): void => {
    const nodes = group.at.nodes.map(({ host, port }) => `${host}:${port}`);
    const { keyPrefix } = settings.redis as { keyPrefix?: string };
    settings['redis'] = { keyPrefix, sentinel: { name, nodes } } as unknown as Settings['redis'];
  };

  beforeAll(async () => {
    lab = await testLab();
    group = await SentinelGroup.start();
    [agentPhone, otherPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openAgentPhone(lab, OTHER_AGENT),
      openCustomerPhone(lab, CUSTOMER),
    ]);
    rm = await ringmaster(lab, (settings) => {
      withSentinel(settings);
      leadCustomers(settings, customerPhone);
    });
    client = await rm.subscriber();
  });

  beforeEach(async () => {
    await group.settled();
    master = await group.master();
  });

  afterEach((context) => rm.afterTest(context, FAILED_OVER));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone?.close(), otherPhone?.close(), customerPhone?.close(), group?.stop()]);
  });

  const ready = async () => (await request(`${rm.base}/readyz`)).statusCode;
  const talking = async (phone: Phone, dn: string) => {
    const call = await talk(client, phone, customerPhone, dn, CUSTOMER);
    const hear = () => Promise.all([call.agent.hears(CUSTOMER_TONE), call.customer.hears(agentTone(dn))]);
    return { ...call, hear };
  };

  /** The whole log, as somebody is told it who comes now, is what was told meanwhile; ids have no hole. */
  async function expectLog(): Promise<void> {
    const late = await rm.client();
    await late.call('Subscribe', { after: 0 });
    const last = client.events.at(-1)?.eventID ?? 0;
    await late.until((events) => (events.at(-1)?.eventID ?? 0) >= last);
    const ids = client.events.map((e) => e.eventID);
    expect(ids).toEqual(ids.map((_, i) => i + (ids[0] ?? 0)));
    expect(late.events.filter((e) => ids.includes(e.eventID))).toEqual(client.events);
    expect(late.events.map((e) => e.eventID)).toEqual(late.events.map((_, i) => i + 1));
  }

  /** The new master holds nothing of any call. */
  const expectNothingLeft = (at: TestRedis) =>
    vi.waitFor(async () => expect(await command(at.port, 'KEYS', '*:live:*')).toEqual([]), PATIENCE);

  test('the master dies: they talk on, a phone rings on and is answered, and every party is released once', async () => {
    const call = await talking(agentPhone, AGENT);
    const { callID: ringingID } = await client.call('RequestMakeCall', { thisDN: OTHER_AGENT, otherDN: CUSTOMER });
    const otherAgent = await otherPhone.nextCall();
    await otherAgent.answer();
    const otherCustomer = await customerPhone.nextCall();
    otherCustomer.ring();
    await client.event('EventOtherRinging', (e) => e.callID === ringingID);

    process.kill(master.pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await ready()).toBe(503), PATIENCE);
    expect(await call.hear()).toEqual([true, true]);
    // What happens meanwhile is told once Redis is back.
    await otherCustomer.answer();
    const next = await group.master(master);
    await client.event('EventEstablished', (e) => e.callID === ringingID && e.thisDN === CUSTOMER, 30_000);
    await rm.serving();
    expect(await call.hear()).toEqual([true, true]);
    const heard = [otherAgent.hears(CUSTOMER_TONE), otherCustomer.hears(agentTone(OTHER_AGENT))];
    expect(await Promise.all(heard)).toEqual([true, true]);

    await call.customer.hangUp();
    await otherCustomer.hangUp();
    for (const [callID, dn] of [
      [call.callID, AGENT],
      [ringingID, OTHER_AGENT],
    ] as const) {
      const events = await client.ended(callID);
      expectWhole(events);
      expect(told(events)).toEqual(talkedUntilCustomerLeft(dn));
      expect(events.filter((e) => e.recovered)).toEqual([]);
    }
    expect(await rm.metric('ringmaster_redis_failovers_total')).toBe(1);
    await expectLog();
    await expectNothingLeft(next);
    await group.startAgain(master, next);
  });

  test('the master is frozen while a call ends: its end is told, and new calls are possible at the new one', async () => {
    const call = await talking(agentPhone, AGENT);
    process.kill(master.pid, 'SIGSTOP');
    try {
      await call.customer.hangUp();
      const events = await client.ended(call.callID, 30_000);
      expectWhole(events);
      expect(told(events)).toEqual(talkedUntilCustomerLeft(AGENT));
      await rm.serving();
      const another = await talking(otherPhone, OTHER_AGENT);
      expect(await another.hear()).toEqual([true, true]);
      await another.customer.hangUp();
      expect(told(await client.ended(another.callID))).toEqual(talkedUntilCustomerLeft(OTHER_AGENT));
    } finally {
      process.kill(master.pid, 'SIGCONT');
    }
    await expectLog();
    await expectNothingLeft(await group.master(master));
  });

  test('to a replica that had got nothing of the last two calls: one that has ended stays so, the other goes on', async () => {
    await group.cutReplication(master);
    const lasting = await talking(agentPhone, AGENT);
    const ended = await talking(otherPhone, OTHER_AGENT);
    await ended.customer.hangUp();
    await client.ended(ended.callID);
    process.kill(master.pid, 'SIGKILL');
    const next = await group.master(master);
    await vi.waitFor(() => {
      const lost = rm.log.filter((line) => line.msg === 'Redis had lost what was written last: it is written again');
      expect(lost).toMatchObject([{ calls: 2 }]);
    }, PATIENCE);
    await rm.serving();
    expect(await lasting.hear()).toEqual([true, true]);
    const { calls } = await client.call('RequestListCalls', {});
    expect(calls.map((c) => c.callID)).toEqual([lasting.callID]);
    await lasting.customer.hangUp();
    for (const [callID, dn] of [
      [lasting.callID, AGENT],
      [ended.callID, OTHER_AGENT],
    ] as const) {
      const events = await client.ended(callID);
      expectWhole(events);
      expect(told(events)).toEqual(talkedUntilCustomerLeft(dn));
    }
    await expectLog();
    await expectNothingLeft(next);
    await group.mendReplication();
    await group.startAgain(master, next);
  });

  test('the sentinels know no such name: it is said, nothing is served, and it comes back by itself', async () => {
    const wrong = new RingmasterProcess(lab, { change: (settings) => withSentinel(settings, 'another') });
    try {
      for (const { port } of group.sentinels) await command(port, 'SENTINEL', 'REMOVE', MASTER);
      await vi.waitFor(() => {
        const away = rm.log.filter((line) => line.msg === 'a sentinel does not tell who is the master');
        expect(away.slice(-3).map((line) => (line['err'] as Error).message)).toEqual(
          Array(3).fill(`it knows no master named "${MASTER}"`),
        );
      }, PATIENCE);
      // Who is connected stays so; a connection that is lost leads nowhere.
      expect(await ready()).toBe(200);
      await command(master.port, 'CLIENT', 'KILL', 'TYPE', 'normal');
      await vi.waitFor(async () => expect(await ready()).toBe(503), PATIENCE);
      for (const { port } of group.sentinels) {
        await command(port, 'SENTINEL', 'MONITOR', MASTER, '127.0.0.1', String(master.port), '2');
      }
      await rm.serving();
      await vi.waitFor(async () => expect(await rm.metric('ringmaster_redis_sentinels')).toBe(3), PATIENCE);
      const said = await wrong.logged('Redis cannot be reached');
      expect(said['err']).toMatchObject({ message: 'no sentinel knows a master named "another"' });
      expect(wrong.log.filter((line) => line.msg === 'Ringmaster is listening')).toEqual([]);
    } finally {
      await wrong.stop();
    }
  });
});
