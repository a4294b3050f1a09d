import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import { expectWhole } from '../support/call-events.ts';
import { customersAt } from '../support/conversation.ts';
import { openCustomerPhone, testLab } from '../support/lab.ts';
import type { Ringmaster } from '../support/ringmaster.ts';
import { Refused, type RpcClient } from '../support/rpc-client.ts';

/** Agents of the lab that answer by themselves: as many calls go on at once. */
const AGENTS = Array.from({ length: 10 }, (_, i) => String(1001 + i));
const ROUNDS = 5;

/** One of the calls that are raced. */
interface Racer {
  readonly callID: string;
  readonly thisDN: string;
  readonly number: string;
  readonly customer: PhoneCall;
  /** What this call's request is sent after, ms: some before the other event has reached the product, some after it. */
  readonly lateBy: number;
}

/** What became of a request: `ok`, or the name of its refusal. */
type Verdict = string;

/** What a party who has been told to be held may be told next, and so on: the one order that there is. */
function expectHoldsInOrder(events: readonly CtiEvent[]): void {
  const held = new Set<string>();
  for (const e of events) {
    if (e.messageID !== 'EventHeld' && e.messageID !== 'EventRetrieved') continue;
    expect(held.has(e.partyID)).toBe(e.messageID === 'EventRetrieved');
    if (e.messageID === 'EventHeld') held.add(e.partyID);
    else held.delete(e.partyID);
  }
}

/** Fifty calls of each kind, ten at a time: whatever comes first, everything ends, once, and nothing is left. */
describe('hold and its races, fifty times each', () => {
  let rm: Ringmaster;
  let client: RpcClient;
  let customerPhone: Phone;
  const customers = new Map<string, (call: PhoneCall) => void>();

  beforeAll(async () => {
    const lab = await testLab();
    customerPhone = await openCustomerPhone(lab, '911140099103');
    rm = await customersAt(lab, customerPhone);
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await customerPhone?.close();
  });

  async function talk(thisDN: string, number: string, lateBy: number): Promise<Racer> {
    const arrives = new Promise<PhoneCall>((resolve) => customers.set(number, resolve));
    const { callID } = await client.call('RequestMakeCall', { thisDN, otherDN: number });
    const customer = await arrives;
    await customer.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === number);
    return { callID, thisDN, number, customer, lateBy };
  }

  const ask = async (method: string, { callID }: Racer, thisDN: string): Promise<Verdict> => {
    try {
      await client.ask(method, { callID, thisDN });
      return 'ok';
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  };

  /** The same, a moment later: sooner in one call, later in another. */
  const askLate = async (method: string, racer: Racer, thisDN: string): Promise<Verdict> => {
    await delay(racer.lateBy);
    return ask(method, racer, thisDN);
  };

  /**
   * Lets ten calls talk, races in each, and sees each to its end; five times.
   *
   * @param race returns the verdicts of its requests; the call must end by it, or go on
   * @param check what the verdicts and the call's events must be
   */
  async function fifty(
    race: (racer: Racer) => Promise<Verdict[]>,
    check: (verdicts: Verdict[], events: readonly CtiEvent[], racer: Racer) => void,
  ): Promise<void> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const taking = (async () => {
        for (let n = 0; n < AGENTS.length; n += 1) {
          const call = await customerPhone.nextCall();
          customers.get(call.dialled)?.(call);
        }
      })();
      const racers = await Promise.all(AGENTS.map((dn, i) => talk(dn, `9111400993${dn.slice(-2)}`, i)));
      await taking;
      await Promise.all(
        racers.map(async (racer) => {
          const verdicts = await race(racer);
          if (!racer.customer.end) await racer.customer.hangUp();
          const events = await client.ended(racer.callID);
          expectWhole(events);
          expectHoldsInOrder(events);
          expect(events.filter((e) => e.messageID === 'EventReleased')).toHaveLength(2);
          check(verdicts, events, racer);
        }),
      );
      await rm.quiet();
    }
  }

  const count = (events: readonly CtiEvent[], name: string): number =>
    events.filter((e) => e.messageID === name).length;

  const GONE = ['InvalidAgentState', 'NotFoundCallID', 'NotFoundParty'];

  test('hold as the customer hangs up', async () => {
    await fifty(
      async (racer) => {
        const [verdict] = await Promise.all([askLate('RequestHoldCall', racer, racer.thisDN), racer.customer.hangUp()]);
        return [verdict];
      },
      ([verdict], events) => {
        expect(['ok', ...GONE]).toContain(verdict);
        expect(count(events, 'EventHeld')).toBe(verdict === 'ok' ? 1 : 0);
      },
    );
  });

  test('hold and release of the same agent', async () => {
    await fifty(
      (racer) =>
        Promise.all([ask('RequestHoldCall', racer, racer.thisDN), ask('RequestReleaseCall', racer, racer.thisDN)]),
      ([hold, release], events) => {
        expect(['ok', ...GONE]).toContain(hold);
        expect(release).toBe('ok');
        expect(count(events, 'EventHeld')).toBe(hold === 'ok' ? 1 : 0);
      },
    );
  });

  test('the held customer, who hears music, hangs up as he is retrieved', async () => {
    await fifty(
      async (racer) => {
        await ask('RequestHoldCall', racer, racer.thisDN);
        const [verdict] = await Promise.all([
          askLate('RequestRetrieveCall', racer, racer.thisDN),
          racer.customer.hangUp(),
        ]);
        return [verdict];
      },
      ([verdict], events) => {
        expect(['ok', ...GONE]).toContain(verdict);
        expect(count(events, 'EventRetrieved')).toBe(verdict === 'ok' ? 1 : 0);
      },
    );
  });

  test('the holder is released as the customer holds too', async () => {
    await fifty(
      async (racer) => {
        await ask('RequestHoldCall', racer, racer.thisDN);
        return Promise.all([
          askLate('RequestReleaseCall', racer, racer.thisDN),
          racer.customer.hold().then(
            () => 'ok',
            () => 'the call has ended',
          ),
        ]);
      },
      ([release]) => expect(release).toBe('ok'),
    );
  });

  test('two holds at once, by request: one is carried out', async () => {
    await fifty(
      (racer) =>
        Promise.all([ask('RequestHoldCall', racer, racer.thisDN), ask('RequestHoldCall', racer, racer.thisDN)]),
      (verdicts, events) => {
        expect(verdicts).toEqual(['ok', 'HeldInProcess']);
        expect(count(events, 'EventHeld')).toBe(1);
      },
    );
  });

  test('two holds at once, by request and on the phone: one is told', async () => {
    await fifty(
      async (racer) => {
        const [verdict] = await Promise.all([askLate('RequestHoldCall', racer, racer.number), racer.customer.hold()]);
        await client.event('EventHeld', (e) => e.callID === racer.callID);
        return [verdict];
      },
      ([verdict], events) => {
        expect(['ok', 'HeldInProcess']).toContain(verdict);
        expect(count(events, 'EventHeld')).toBe(1);
      },
    );
  });

  test('hold, mute and digits, all at once with the hang-up', async () => {
    await fifty(
      async (racer) => {
        const verdicts = await Promise.all([
          askLate('RequestMuteCall', racer, racer.thisDN),
          client.ask('RequestSendDtmf', { callID: racer.callID, thisDN: racer.thisDN, dtmfDigits: '123456789' }).then(
            () => 'ok',
            (error: Error) => error.message,
          ),
          askLate('RequestHoldCall', racer, racer.thisDN),
          racer.customer.hangUp(),
        ]);
        return verdicts.slice(0, 3) as Verdict[];
      },
      ([mute, digits, hold], events) => {
        expect(count(events, 'EventMuted')).toBe(mute === 'ok' ? 1 : 0);
        expect(count(events, 'EventDtmfSent')).toBe(digits === 'ok' ? 1 : 0);
        expect(count(events, 'EventHeld')).toBe(hold === 'ok' ? 1 : 0);
      },
    );
  });
});
