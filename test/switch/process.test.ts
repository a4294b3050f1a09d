import { request } from 'undici';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { customerTone } from '../../lab/standing.ts';
import { expectWhole, only, told } from '../support/call-events.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { nothingLeft } from '../support/ringmaster.ts';
import { RingmasterProcess } from '../support/ringmaster-process.ts';
import { RpcClient } from '../support/rpc-client.ts';

const AGENT = '1018';
const CUSTOMER = '91114001007';

describe('the command', () => {
  let lab: Lab;
  const started: RingmasterProcess[] = [];
  const clients: RpcClient[] = [];
  const phones: Phone[] = [];

  beforeAll(async () => {
    lab = await testLab();
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await Promise.all(started.splice(0).map((process) => process.stop()));
    await Promise.all(phones.splice(0).map((phone) => phone.close()));
  });

  function start(...options: ConstructorParameters<typeof RingmasterProcess> extends [Lab, ...infer Rest] ? Rest : []) {
    const process = new RingmasterProcess(lab, ...options);
    started.push(process);
    return process;
  }

  async function subscriber(ws: string): Promise<RpcClient> {
    const client = await RpcClient.open(ws, lab.file.companies[0]?.keys[0]?.key);
    clients.push(client);
    await client.call('Subscribe', {});
    return client;
  }

  async function agentPhone(): Promise<Phone> {
    const phone = await openAgentPhone(lab, AGENT);
    phones.push(phone);
    return phone;
  }

  /** A call that talks, on a process that serves. */
  async function talking(client: RpcClient) {
    const phone = await agentPhone();
    const { callID } = await client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await phone.nextCall();
    await agent.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === CUSTOMER);
    return { callID, agent };
  }

  test('--check says whether the configuration is right, and starts nothing', async () => {
    const right = await start({ args: ['--check'] }).ended();
    expect(right.code).toBe(0);
    expect(right.stdout).toContain('is right: 1 node(s), 3 company(ies)');
    const wrong = await start({ args: ['--check'], text: 'listen: 127.0.0.1:0\nnodes: []\n' }).ended();
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('nodes');
    expect(wrong.stdout).toBe('');
  });

  test('SIGTERM with a live call: no new calls, the call goes on, and it ends when the call is over', async () => {
    const process = start();
    const { http, ws } = await process.listening();
    expect((await request(`${http}/readyz`)).statusCode).toBe(200);
    const client = await subscriber(ws);
    const { callID, agent } = await talking(client);

    process.kill('SIGTERM');
    await process.logged('draining: no new calls, live ones go on');
    const readiness = await request(`${http}/readyz`);
    expect(readiness.statusCode).toBe(503);
    expect(await readiness.body.json()).toMatchObject({ ready: false, draining: true });
    expect((await request(`${http}/healthz`)).statusCode).toBe(200);
    const refusal = await client.refusal('RequestMakeCall', { thisDN: '1001', otherDN: CUSTOMER });
    expect(refusal.message).toBe('NotReady');
    const caller = await openCustomerPhone(lab, '911140099001');
    phones.push(caller);
    const turnedAway = caller.call('911140001000');
    await turnedAway.waitFor('ended');
    expect(turnedAway.end).toMatchObject({ by: 'them', how: 'refused', status: 503 });

    expect(await agent.hears(customerTone(CUSTOMER))).toBe(true);
    expect(await client.call('RequestUpdateAttachedData', { callID, attachedData: { still: 'served' } })).toEqual({
      attachedData: { still: 'served' },
    });
    await agent.hangUp();
    const events = await client.ended(callID);
    expectWhole(events);
    expect(only(events, 'EventCallDeleted')).toMatchObject({
      connectionStatus: 'Connected',
      attachedData: { still: 'served' },
    });
    const { code } = await process.ended();
    expect(code).toBe(0);
    expect(process.log.at(-1)).toMatchObject({ msg: 'ended', callsLeft: 0 });
  });

  test('the deadline passes with a live call: it ends and leaves the call alone; the next start takes it up', async () => {
    const change = (settings: { [key: string]: unknown }): void => {
      settings['drain'] = { deadlineSeconds: 1 };
    };
    const first = start({ change });
    const client = await subscriber((await first.listening()).ws);
    const { callID, agent } = await talking(client);
    const position = client.events.at(-1)?.eventID ?? 0;
    first.kill('SIGTERM');
    expect((await first.ended()).code).toBe(0);
    expect(first.log.at(-1)).toMatchObject({ msg: 'ended', callsLeft: 1 });
    expect(await agent.hears(customerTone(CUSTOMER))).toBe(true);

    const second = start({ change, prefix: first.prefix });
    const { http, ws } = await second.listening();
    const resumed = await RpcClient.open(ws, lab.file.companies[0]?.keys[0]?.key);
    clients.push(resumed);
    await resumed.call('Subscribe', { after: position });
    const { calls } = await resumed.call('RequestListCalls', {});
    expect(calls.map((c) => [c.callID, c.parties.map((p) => p.partyState)])).toEqual([[callID, ['Talk', 'Talk']]]);
    expect(await agent.hears(customerTone(CUSTOMER))).toBe(true);
    await agent.hangUp();
    const events = [...client.of(callID), ...(await resumed.ended(callID))];
    expectWhole(events);
    expect(told(events).slice(-3)).toEqual([
      `EventReleased(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    await nothingLeft(lab, http, second.prefix);
    second.kill('SIGTERM');
    expect((await second.ended()).code).toBe(0);
  });
});
