import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { startSippUas } from '../../lab/sipp.ts';
import { agentTone, customerTone } from '../../lab/standing.ts';
import { about, amiAction, BareAri, openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';

/** The lab itself, with nothing of the product in between. */
describe('the lab', () => {
  let lab: Lab;
  let ari: BareAri;
  const phones: Phone[] = [];
  const channels: string[] = [];
  const bridges: string[] = [];
  let n = 0;

  beforeAll(async () => {
    lab = await testLab();
    ari = await BareAri.open(lab);
  });

  afterEach(async () => {
    for (const id of channels.splice(0)) await ari.ask('DELETE', `/channels/${id}`);
    for (const id of bridges.splice(0)) await ari.ask('DELETE', `/bridges/${id}`);
    for (const phone of phones.splice(0)) await phone.close();
  });

  afterAll(async () => {
    await ari.close();
  });

  /** Creates a leg and waits until it may be used. */
  async function create(endpoint: string): Promise<string> {
    n += 1;
    const channelId = `lab-test-${process.pid}-${n}`;
    const created = await ari.ask('POST', '/channels/create', { endpoint, app: lab.file.asterisk.ari.app, channelId });
    expect(created.status).toBe(200);
    channels.push(channelId);
    await ari.event('StasisStart', about(channelId));
    return channelId;
  }

  async function bridge(...legs: string[]): Promise<string> {
    n += 1;
    const bridgeId = `lab-test-bridge-${process.pid}-${n}`;
    bridges.push(bridgeId);
    expect((await ari.ask('POST', `/bridges?type=mixing&bridgeId=${bridgeId}`)).status).toBe(200);
    expect((await ari.ask('POST', `/bridges/${bridgeId}/addChannel?channel=${legs.join(',')}`)).status).toBe(204);
    return bridgeId;
  }

  async function dial(channelId: string): Promise<void> {
    expect((await ari.ask('POST', `/channels/${channelId}/dial?timeout=20`)).status).toBe(204);
  }

  const up = (channelId: string) =>
    ari.event(
      'ChannelStateChange',
      (event) => about(channelId)(event) && (event['channel'] as { state: string }).state === 'Up',
    );

  test('an agent is rung, answers, and both sides of a bridge hear each other', async () => {
    const phone = await openAgentPhone(lab, '1018');
    phones.push(phone);
    const customer = await openCustomerPhone(lab, '911140099001');
    phones.push(customer);

    const agentLeg = await create('PJSIP/1018');
    await dial(agentLeg);
    const agent = await phone.nextCall();
    agent.ring();
    await agent.answer();
    await up(agentLeg);

    const customerLeg = await create(`PJSIP/carrier-a/sip:911140099001@127.0.0.1:${customer.port}`);
    await dial(customerLeg);
    const other = await customer.nextCall();
    expect(other.dialled).toBe('911140099001');
    await other.answer();
    await up(customerLeg);
    await bridge(agentLeg, customerLeg);

    expect(await Promise.all([agent.hears(2500), other.hears(agentTone('1018'))])).toEqual([true, true]);
    expect(await agent.hearsNothingOf(lab.file.asterisk.musicTone, 500)).toBe(true);

    await agent.sendDtmf('12#');
    await other.waitFor('dtmf');
    await other.waitFor('dtmf');
    await other.waitFor('dtmf');
    expect(other.dtmf).toBe('12#');

    await agent.hold();
    await ari.event('ChannelHold', about(agentLeg));
    expect(await other.hears(lab.file.asterisk.musicTone)).toBe(true);
    await agent.retrieve();
    await ari.event('ChannelUnhold', about(agentLeg));
    expect(await other.hears(agentTone('1018'))).toBe(true);

    await other.hangUp();
    const destroyed = await ari.event('ChannelDestroyed', about(customerLeg));
    expect(destroyed['cause']).toBe(16);
  });

  test('standing telephones answer by themselves, and the carrier asks for a password', async () => {
    const agentLeg = await create('PJSIP/1001');
    const customerLeg = await create('PJSIP/91114001007@carrier-a');
    await bridge(agentLeg, customerLeg);
    const listener = await openAgentPhone(lab, '1019');
    phones.push(listener);
    const listenerLeg = await create('PJSIP/1019');
    await dial(listenerLeg);
    await (await listener.nextCall()).answer();
    await up(listenerLeg);
    await Promise.all([dial(agentLeg), dial(customerLeg)]);
    await Promise.all([up(agentLeg), up(customerLeg)]);
    const conference = bridges[0] ?? '';
    expect((await ari.ask('POST', `/bridges/${conference}/addChannel?channel=${listenerLeg}`)).status).toBe(204);
    const [call] = listener.calls;
    if (!call) throw new Error('the listener has no call');
    expect(await Promise.all([call.hears(agentTone('1001')), call.hears(customerTone('91114001007'))])).toEqual([
      true,
      true,
    ]);
    const heard = [...(await call.heard(600)).keys()].sort((a, b) => a - b);
    expect(heard).toEqual([agentTone('1001'), customerTone('91114001007')]);
  });

  test('NOTIFY with Event: talk makes a telephone answer', async () => {
    const leg = await create('PJSIP/1011');
    await dial(leg);
    await ari.event(
      'ChannelStateChange',
      (event) => about(leg)(event) && (event['channel'] as { state: string }).state === 'Ringing',
    );
    const answer = await amiAction(lab, ['Action: PJSIPNotify', 'Endpoint: 1011', 'Variable: Event=talk']);
    expect(answer).toContain('Response: Success');
    await up(leg);
  });

  test('early media is heard before the answer', async () => {
    const phone = await openAgentPhone(lab, '1020');
    phones.push(phone);
    const agentLeg = await create('PJSIP/1020');
    await dial(agentLeg);
    const agent = await phone.nextCall();
    await agent.answer();
    await up(agentLeg);
    const customerLeg = await create('PJSIP/91114009003@carrier-a');
    await bridge(agentLeg, customerLeg);
    await dial(customerLeg);
    expect(await agent.hears(customerTone('91114009003'))).toBe(true);
    const channel = (await ari.ask('GET', `/channels/${customerLeg}`)).body as { state: string };
    expect(channel.state).not.toBe('Up');
  });

  test('a call that comes in while no application listens hears the fallback and is hung up with cause 41', async () => {
    await ari.close();
    try {
      const customer = await openCustomerPhone(lab, '911140099002');
      phones.push(customer);
      const call = customer.call('911140001000');
      await call.waitFor('answered');
      expect(await call.hears(lab.file.asterisk.fallbackTone)).toBe(true);
      await call.waitFor('ended');
      expect(call.end).toMatchObject({ by: 'them', how: 'BYE' });
      expect(call.end?.reasons.join()).toContain('cause=41');
    } finally {
      ari = await BareAri.open(lab);
    }
  });

  test('a call that comes in reaches the application with the number that was dialled', async () => {
    const customer = await openCustomerPhone(lab, '911140099003');
    phones.push(customer);
    const call = customer.call('911140001000');
    const start = await ari.event('StasisStart', (event) => (event['args'] as string[])[1] === '911140001000');
    const channel = start['channel'] as { id: string; caller: { number: string } };
    channels.push(channel.id);
    expect(start['args']).toEqual(['inbound', '911140001000']);
    expect(channel.caller.number).toBe('911140099003');
    // A channel that came through the dialplan leaves the application's sight with StasisEnd: to hear of its end, one has
    // to subscribe to it. Channels that the application creates need no such thing.
    await ari.ask('POST', `/applications/${lab.file.asterisk.ari.app}/subscription?eventSource=channel:${channel.id}`);
    await ari.ask('POST', `/channels/${channel.id}/ring`);
    await call.waitFor('ringing');
    await call.cancel();
    const destroyed = await ari.event('ChannelDestroyed', about(channel.id));
    expect([destroyed['cause'], destroyed['tech_cause']]).toEqual([127, 487]);
    await call.waitFor('ended');
    expect(call.end).toMatchObject({ by: 'us', how: 'CANCEL', status: 487 });
  });

  test.each([
    ['91114000486', 17, 486],
    ['91114000404', 1, 404],
    ['91114000480', 19, 480],
    ['91114000503', 34, 503],
    ['91114000603', 21, 603],
    ['91114000607', 127, 607],
  ])('the customer %s ends with cause %i and SIP %i', async (number, cause, sip) => {
    const leg = await create(`PJSIP/${number}@carrier-a`);
    await dial(leg);
    const destroyed = await ari.event('ChannelDestroyed', about(leg));
    expect([destroyed['cause'], destroyed['tech_cause']]).toEqual([cause, sip]);
  });

  test('SIPp answers as a customer under load, and ends when it is told to', async () => {
    const logs = mkdtempSync(join(tmpdir(), 'ringmaster-sipp-'));
    const sipp = await startSippUas({ port: 25_060 + (process.pid % 1000), mediaPort: 26_500, seconds: 60, logs });
    try {
      const leg = await create(`PJSIP/carrier-a/sip:load@127.0.0.1:${sipp.port}`);
      await dial(leg);
      await up(leg);
    } finally {
      await sipp.stop();
      rmSync(logs, { recursive: true });
    }
    expect(() => process.kill(sipp.pid, 0)).toThrow('ESRCH');
  });

  test('REFER from a telephone is left to the application', async () => {
    const phone = await openAgentPhone(lab, '1094');
    phones.push(phone);
    const leg = await create('PJSIP/1094');
    await dial(leg);
    const call = await phone.nextCall();
    await call.answer();
    await up(leg);
    await bridge(leg);
    expect(await call.refer('1002')).toBe(202);
    const transfer = await ari.event('ChannelTransfer');
    expect(JSON.stringify(transfer)).toContain('"destination":"1002"');
    await ari.ask('POST', `/channels/${leg}/transfer_progress?states=channel_answered`);
    let status = '';
    while (status !== '200') status = (await call.waitFor('refer-notify')).detail ?? '';
    expect(status).toBe('200');
  });
});
