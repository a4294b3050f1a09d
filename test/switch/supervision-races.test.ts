import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import type { MethodName } from '../../src/cti/requests.ts';
import { expectWhole } from '../support/call-events.ts';
import { Exchange } from '../support/exchange.ts';
import { testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import { Refused, type RpcClient } from '../support/rpc-client.ts';

/** Things that happen at the same moment, fifty times each, ten calls at a time. */
const TIMES = 50;
const AT_ONCE = 10;

const MODES = ['RequestMonitor', 'RequestWhisper', 'RequestBargein', 'RequestIntercept'] as const;

interface Race {
  readonly n: number;
  readonly callID: string;
  readonly agentDN: string;
  readonly customerDN: string;
  /** Phones of nobody else's. */
  readonly thirdDN: string;
  readonly fourthDN: string;
  readonly agent: PhoneCall;
  readonly customer: PhoneCall;
}

describe('at the same moment', () => {
  let lab: Lab;
  let rm: Ringmaster;
  let client: RpcClient;
  let exchange: Exchange;
  let nextNumber = 2000;

  beforeAll(async () => {
    lab = await testLab();
    exchange = await Exchange.open(lab);
    rm = await ringmaster(lab, exchange.lead);
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await exchange?.close();
  });

  const picksUp = async (dn: string): Promise<PhoneCall> => {
    const call = await exchange.call(dn);
    call.ring();
    await call.answer();
    return call;
  };

  /** Fifty calls between an agent and a customer, in each of which something happens; all end, and end properly. */
  async function fiftyTimes(happens: (race: Race) => Promise<unknown>): Promise<void> {
    // Each race has numbers of its own: what one of them left unanswered must not be taken for a call of the next.
    const third = nextNumber;
    nextNumber += 2 * TIMES;
    for (let from = 0; from < TIMES; from += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, i) => {
          const n = from + i;
          const agentDN = `1${String(n).padStart(3, '0')}`;
          const customerDN = `91114009${String(9000 + n)}`;
          const { callID } = await client.call('RequestMakeCall', { thisDN: agentDN, otherDN: customerDN });
          const agent = await picksUp(agentDN);
          const customer = await picksUp(customerDN);
          await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === customerDN);
          const race = { n, callID, agentDN, customerDN, agent, customer };
          await happens({ ...race, thirdDN: `${third + n}`, fourthDN: `${third + TIMES + n}` });
          expectWhole(await client.ended(callID));
        }),
      );
    }
    await rm.quiet();
  }

  const of = (callID: string): CtiEvent[] => client.of(callID);
  const modeOf = (n: number) => MODES[n % MODES.length] ?? 'RequestMonitor';
  /** Spreads the moments of a race over what a phone and the service take. */
  const aMoment = (n: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, n % 12));
  /** The result of a request, or the name of its refusal. */
  const outcome = async (method: MethodName, params: object): Promise<string> => {
    try {
      return JSON.stringify(await client.ask(method, params));
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  };

  test('a supervisor’s phone answers as the call ends', () =>
    fiftyTimes(async ({ n, callID, agentDN, thirdDN, agent, customer }) => {
      await client.ask(modeOf(n), { callID, thisDN: thirdDN, otherDN: agentDN });
      const supervisor = await exchange.call(thirdDN);
      supervisor.ring();
      const ends = n % 3;
      await Promise.all([
        aMoment(n).then(() => supervisor.answer()),
        aMoment(n * 7).then(async () => {
          if (ends === 0) await agent.hangUp();
          else if (ends === 1) await customer.hangUp();
          else await outcome('RequestReleaseCall', { callID, thisDN: agentDN });
        }),
      ]);
      if (modeOf(n) !== 'RequestIntercept') return;
      // Where the supervisor was in time he has the customer, and nobody but a request ends that.
      await client.event('EventReleased', (e) => e.callID === callID && e.thisDN === agentDN);
      await outcome('RequestClearCall', { callID });
    }));

  test('a supervisor is asked for as the call ends', () =>
    fiftyTimes(async ({ n, callID, agentDN, thirdDN, agent }) => {
      const [asked] = await Promise.all([
        aMoment(n).then(() => outcome(modeOf(n), { callID, thisDN: thirdDN, otherDN: agentDN })),
        aMoment(n * 5).then(() => agent.hangUp()),
      ]);
      expect(asked).toMatch(/partyID|NotFoundCallID|NotFoundOtherParty|InvalidAgentState/);
    }));

  test('two supervisors at once: one of them is at the agent', () =>
    fiftyTimes(async ({ n, callID, agentDN, thirdDN, fourthDN, customer }) => {
      const asked = await Promise.all(
        [thirdDN, fourthDN].map((thisDN, i) => outcome(modeOf(n + i), { callID, thisDN, otherDN: agentDN })),
      );
      expect(asked.filter((a) => a.includes('partyID'))).toHaveLength(1);
      const refused = asked.find((a) => !a.includes('partyID'));
      expect([
        'AgentMonitoredBy',
        'AgentIsInMonitorScene',
        'AgentIsInBargedInScene',
        'AgentIsInInterceptScene',
      ]).toContain(refused);
      const one = asked[0]?.includes('partyID') ? thirdDN : fourthDN;
      await picksUp(one);
      await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === one);
      expect(of(callID).filter((e) => e.messageID === 'EventRinging')).toHaveLength(2);
      await customer.hangUp();
    }));

  test('the same request twice at once: one phone rings, once', () =>
    fiftyTimes(async ({ n, callID, agentDN, thirdDN, customer }) => {
      const params = { callID, thisDN: thirdDN, otherDN: agentDN };
      const asked = await Promise.all([outcome(modeOf(n), params), outcome(modeOf(n), params)]);
      expect(asked).toEqual([JSON.stringify({ partyID: `${callID}-3` }), asked[0]]);
      await picksUp(thirdDN);
      await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === thirdDN);
      const stops = ['RequestMonitor', 'RequestWhisper', 'RequestBargein'].includes(modeOf(n));
      if (stops) {
        const stop = { callID, thisDN: thirdDN };
        const stopped = await Promise.all([1, 2].map(() => outcome('RequestStopSupervision', stop)));
        expect(stopped).toEqual(['{}', '{}']);
      }
      await customer.hangUp();
    }));

  test('a third answers as one of the two leaves', () =>
    fiftyTimes(async ({ n, callID, agentDN, thirdDN, agent, customer }) => {
      await client.ask('RequestSingleStepConference', { callID, thisDN: agentDN, otherDN: thirdDN });
      const third = await exchange.call(thirdDN);
      third.ring();
      await Promise.all([
        aMoment(n).then(() => third.answer()),
        aMoment(n * 7).then(() => (n % 2 === 0 ? agent : customer).hangUp()),
      ]);
      // Who answered in time talks on with the one who stayed; else the call is over.
      await Promise.race([client.ended(callID), client.event('EventPartyDeleted', (e) => e.callID === callID)]);
      if (!of(callID).some((e) => e.messageID === 'EventCallDeleted')) {
        await outcome('RequestClearCall', { callID });
      }
    }));

  test('two conferences with the same third at once, and two requests to drop him at once', () =>
    fiftyTimes(async ({ callID, agentDN, thirdDN, customer }) => {
      const add = { callID, thisDN: agentDN, otherDN: thirdDN };
      const added = await Promise.all([1, 2].map(() => outcome('RequestSingleStepConference', add)));
      expect(added.toSorted()).toEqual(['TargetPartyInCall', JSON.stringify({ partyID: `${callID}-3` })]);
      const third = await picksUp(thirdDN);
      await client.event('EventPartyAdded', (e) => e.callID === callID);
      const dropped = await Promise.all([1, 2].map(() => outcome('RequestDeleteFromConference', add)));
      expect(dropped[0]).toBe('{}');
      // The second finds him on his way out, or gone.
      expect(['{}', 'NotFoundOtherParty', 'InvalidCallType']).toContain(dropped[1]);
      await third.waitFor('ended');
      await client.event('EventPartyDeleted', (e) => e.callID === callID);
      await customer.hangUp();
    }));
});
