import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, plain, told } from '../support/call-events.ts';
import { CUSTOMER_TONE, customersAt } from '../support/conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import type { Ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { expectHeard, talk } from '../support/talking.ts';

const AGENT = '1018';
const TARGET = '1019';
const CUSTOMER = '911140099001';
const OTHER_CUSTOMER = '911140099055';
const OTHER_TONE = 2900;
const ACCEPTED = 202;
/** How often each race is run. */
const RACES = 50;
const AT_ONCE = 5;

/** A call of two on the agent's phone: his side, and the other's. */
interface Line {
  readonly callID: string;
  readonly agent: PhoneCall;
  readonly other: PhoneCall;
}

describe('an attended transfer between two calls of an agent’s phone', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let agentPhone: Phone;
  let targetPhone: Phone;
  let customerPhone: Phone;

  beforeAll(async () => {
    lab = await testLab();
    [agentPhone, targetPhone, customerPhone] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openAgentPhone(lab, TARGET),
      openCustomerPhone(lab, CUSTOMER, { tone: CUSTOMER_TONE }),
    ]);
    rm = await customersAt(lab, customerPhone);
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([agentPhone?.close(), targetPhone?.close(), customerPhone?.close()]);
  });

  /** Agent and customer talk, and the agent's phone puts the customer on hold. */
  const onHold = async (): Promise<Line> => {
    const { callID, agent, customer } = await talk(client, agentPhone, customerPhone, AGENT, CUSTOMER);
    await agent.hold();
    await client.event('EventHeld', (e) => e.callID === callID);
    return { callID, agent, other: customer };
  };

  /** The agent dials somebody on the phone's second line, whose phone rings. */
  const dials = async (number: string, phone: Phone): Promise<Line> => {
    const known = new Set(client.events.flatMap((e) => (e.messageID === 'EventCallCreated' ? e.callID : [])));
    const agent = agentPhone.call(number);
    const other = await phone.nextCall();
    other.ring();
    const { callID } = await client.event('EventOtherRinging', (e) => e.thisDN === AGENT && !known.has(e.callID));
    return { callID, agent, other };
  };

  const secondLine = async (number = TARGET, phone = targetPhone): Promise<Line> => {
    const line = await dials(number, phone);
    await line.other.answer();
    await client.event('EventEstablished', (e) => e.callID === line.callID && e.thisDN === number);
    // Asterisk counts a call as up before the phone has its answer: no phone transfers one that it does not know as such.
    await line.agent.waitFor('answered');
    return line;
  };

  /** The final status that the phone is told of its REFER. */
  const outcome = async (call: PhoneCall): Promise<string> => {
    for (;;) {
      const { detail = '' } = await call.waitFor('refer-notify');
      if (!detail.startsWith('1')) return detail;
    }
  };

  const allHear = (one: Line, two: Line, joined: boolean, tone = agentTone(TARGET)) =>
    expectHeard(
      [
        { name: 'customer', call: one.other, tone: CUSTOMER_TONE },
        { name: 'guest', call: two.other, tone },
        ...(joined ? [] : [{ name: 'agent', call: two.agent, tone: agentTone(AGENT) }]),
      ],
      joined
        ? { customer: ['guest'], guest: ['customer'] }
        : { customer: ['music'], guest: ['agent'], agent: ['guest'] },
    );

  /** Both calls are over, and everybody was told so once. */
  const whole = async (...lines: readonly Line[]): Promise<void> => {
    for (const { callID } of lines) expectWhole(await client.ended(callID));
  };

  test('the two talk in the first call, the second ends, and the phone is told that it worked', async () => {
    const one = await onHold();
    const two = await secondLine();
    await allHear(one, two, false);
    const told200 = outcome(one.agent);
    expect(await one.agent.referReplaces(two.agent)).toBe(ACCEPTED);
    expect(await told200).toBe('200');
    await Promise.all([one.agent.waitFor('ended'), two.agent.waitFor('ended')]);
    await allHear(one, two, true);
    const second = await client.ended(two.callID);
    expectWhole(second);
    expect(told(second).slice(-3)).toEqual([
      `EventReleased(${TARGET})`,
      `EventReleased(${AGENT})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(plain(second).at(-3)).toMatchObject({
      partyID: `${two.callID}-2`,
      otherDN: AGENT,
      thirdDN: CUSTOMER,
      thirdDNRole: 'TransferTo',
      callState: 'Transferred',
      connectionStatus: 'Connected',
      moments: 'start progress answer bridge end',
    });
    await two.other.hangUp();
    await one.other.waitFor('ended');
    const first = await client.ended(one.callID);
    expectWhole(first);
    const from = first.findIndex((e) => e.messageID === 'EventHeld') + 1;
    expect(told(first.slice(from))).toEqual([
      `EventReleased(${AGENT})`,
      `EventPartyChanged(${TARGET})`,
      `EventReleased(${TARGET})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    const [agentLeft, changed, guestLeft, customerLeft] = plain(first.slice(from));
    expect(agentLeft).toMatchObject({ otherDN: CUSTOMER, thirdDN: TARGET, callState: 'Transferred' });
    expect(changed).toEqual({
      messageID: 'EventPartyChanged',
      referenceID: 0,
      companyId: rm.companyId,
      callID: one.callID,
      callType: 'Outbound',
      ANI: '911140001000',
      DNIS: CUSTOMER,
      attachedData: {},
      partyID: `${one.callID}-3`,
      partyRole: 'Agent',
      thisDN: TARGET,
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'TransferBy',
      callState: 'OK',
      agentStatus: 'Connected',
    });
    expect(guestLeft).toMatchObject({
      partyID: `${one.callID}-3`,
      otherDN: CUSTOMER,
      hangupCause: 'BY_AGENT',
      connectionStatus: 'Connected',
      moments: 'start progress answer bridge end',
    });
    expect(customerLeft).toMatchObject({ otherDN: TARGET });
  });

  test('asked for in the second call, it is that one which goes on', async () => {
    const one = await onHold();
    const two = await secondLine();
    const told200 = outcome(two.agent);
    expect(await two.agent.referReplaces(one.agent)).toBe(ACCEPTED);
    expect(await told200).toBe('200');
    await Promise.all([one.agent.waitFor('ended'), two.agent.waitFor('ended')]);
    await allHear(one, two, true);
    expectWhole(await client.ended(one.callID));
    await one.other.hangUp();
    await two.other.waitFor('ended');
    await whole(two);
  });

  test('somebody outside is handed the customer, while both are on hold', async () => {
    const one = await onHold();
    const two = await secondLine(OTHER_CUSTOMER, customerPhone);
    await two.other.sendTone(OTHER_TONE);
    await two.agent.hold();
    await client.event('EventHeld', (e) => e.callID === two.callID);
    const told200 = outcome(one.agent);
    expect(await one.agent.referReplaces(two.agent)).toBe(ACCEPTED);
    expect(await told200).toBe('200');
    await allHear(one, two, true, OTHER_TONE);
    await one.other.hangUp();
    await two.other.waitFor('ended');
    await whole(one, two);
  });

  test('the phone hangs up both lines as soon as its transfer is accepted', async () => {
    const one = await onHold();
    const two = await secondLine();
    expect(await one.agent.referReplaces(two.agent)).toBe(ACCEPTED);
    await Promise.all([one.agent.hangUp(), two.agent.hangUp()]);
    await allHear(one, two, true);
    await one.other.hangUp();
    await two.other.waitFor('ended');
    await whole(one, two);
  });

  test('in a call of three: the phone is told no, and both calls go on', async () => {
    const one = await onHold();
    const two = await secondLine();
    await client.call('RequestSingleStepConference', {
      callID: two.callID,
      thisDN: AGENT,
      otherDN: OTHER_CUSTOMER,
    });
    const third = await customerPhone.nextCall();
    await third.answer();
    await client.event('EventEstablished', (e) => e.callID === two.callID && e.thisDN === OTHER_CUSTOMER);
    const declined = outcome(one.agent);
    expect(await one.agent.referReplaces(two.agent)).toBe(ACCEPTED);
    expect(await declined).toBe('603');
    await third.hangUp();
    await allHear(one, two, false);
    await Promise.all([one.agent.hangUp(), two.agent.hangUp()]);
    await whole(one, two);
  });

  test('while the second phone only rings: the phone is told no, and both calls go on', async () => {
    const one = await onHold();
    const two = await dials(TARGET, targetPhone);
    const declined = outcome(one.agent);
    expect(await one.agent.referReplaces(two.agent)).toBe(ACCEPTED);
    expect(await declined).toBe('603');
    await two.other.answer();
    await allHear(one, two, false);
    await Promise.all([one.agent.hangUp(), two.agent.hangUp()]);
    await whole(one, two);
  });

  const races: readonly (readonly [string, (one: Line, two: Line) => Promise<void>])[] = [
    ['the guest', (_, two) => two.other.hangUp()],
    ['the customer', (one) => one.other.hangUp()],
  ];

  test.each(races)(
    `%s hangs up meanwhile, ${RACES} times: nobody is left alone`,
    async (_, hangsUp) => {
      const lines: (readonly [Line, Line])[] = [];
      const race = async (one: Line, two: Line): Promise<void> => {
        const asked = one.agent.referReplaces(two.agent);
        // Anywhere between the asking and its end: what matters is that the moments differ.
        for (let turns = Math.floor(Math.random() * 40); turns > 0; turns--) await new Promise(setImmediate);
        const answered = Promise.any([outcome(one.agent), one.agent.waitFor('ended')]);
        await Promise.all([asked, hangsUp(one, two)]);
        // A phone waits for what becomes of its transfer. Asterisk 22.10.1 dies now and then of one that hangs up both
        // lines before it knows, and nothing of ours can keep it from that.
        await answered;
        // What has not been joined goes on by itself, and is ended as a user would.
        await Promise.all([one.agent.hangUp(), two.agent.hangUp()]);
        await whole(one, two);
      };
      for (let done = 0; done < RACES; done += AT_ONCE) {
        lines.length = 0;
        // One after the other, because one phone's calls are told apart by the order in which they come.
        for (let i = 0; i < AT_ONCE; i++) lines.push([await onHold(), await secondLine()]);
        await Promise.all(lines.map(([one, two]) => race(one, two)));
      }
    },
    60_000,
  );
});
