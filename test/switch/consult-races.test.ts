import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import { expectWhole } from '../support/call-events.ts';
import { Exchange } from '../support/exchange.ts';
import { testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import { Refused, type RpcClient } from '../support/rpc-client.ts';

/** Each race is run so often, so many at a time. */
const TIMES = 50;
const AT_ONCE = 10;

/** One call of a race: its parties are its own. */
interface Scene {
  readonly n: number;
  readonly callID: string;
  readonly thisDN: string;
  readonly guestDN: string;
  readonly agent: PhoneCall;
  readonly customer: PhoneCall;
}

/** Puts the two things that race a little apart, now the one and now the other first. */
const apart = (n: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, n % 7));

describe('races of consultation and transfer', () => {
  let exchange: Exchange;
  let rm: Ringmaster;
  let client: RpcClient;

  beforeAll(async () => {
    const lab = await testLab();
    exchange = await Exchange.open(lab);
    rm = await ringmaster(lab, exchange.lead);
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await exchange?.close();
  });

  let lanes = 0;
  /** Agent and customer of the n-th scene talk. */
  const scene = async (n: number): Promise<Scene> => {
    // Numbers of its own: a phone that was rung once more at a race's end must not be answered in the next.
    const lane = String(lanes++).padStart(3, '0');
    const thisDN = `1${lane}`;
    const number = `911140099${lane}`;
    const { callID } = await client.call('RequestMakeCall', { thisDN, otherDN: number });
    const agent = await exchange.call(thisDN);
    await agent.answer();
    const customer = await exchange.call(number);
    await customer.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === number);
    return { n, callID, thisDN, guestDN: `2${lane}`, agent, customer };
  };

  const consult = async ({ callID, thisDN, guestDN }: Scene): Promise<PhoneCall> => {
    await client.call('RequestInitiateConsult', { callID, thisDN, otherDN: guestDN });
    return await exchange.call(guestDN);
  };
  const asked = async (s: Scene): Promise<PhoneCall> => {
    const guest = await consult(s);
    guest.ring();
    await guest.answer();
    await client.event(
      'EventAttachedDataChanged',
      (e) => e.callID === s.callID && e.attachedData['consultStage'] === 4,
    );
    return guest;
  };
  /** A request that may come too late: the refusal's name, or nothing. */
  const ask = async (method: string, s: Scene, params: object = {}): Promise<string | undefined> => {
    try {
      await client.ask(method, { callID: s.callID, thisDN: s.thisDN, ...params });
      return undefined;
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  };
  /** Ends what the race has left of the call, and checks that all of it was told. */
  const finish = async (s: Scene, still: readonly (PhoneCall | undefined)[] = []): Promise<CtiEvent[]> => {
    await Promise.all(still.map((call) => call?.hangUp()));
    const events = await client.ended(s.callID);
    expectWhole(events);
    return events;
  };

  const run = async (race: (s: Scene) => Promise<void>): Promise<void> => {
    for (let from = 0; from < TIMES; from += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => race(await scene(from + i))));
    }
  };
  /** The first of these in half of the scenes, in the others the last, a few milliseconds apart or together. */
  const both = async (n: number, one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<void> => {
    const [first, second] = n % 2 === 0 ? [one, other] : [other, one];
    await Promise.all([first(), apart(n).then(second)]);
  };

  test('the customer hangs up while the consulted party rings', () =>
    run(async (s) => {
      const guest = await consult(s);
      await both(
        s.n,
        async () => guest.ring(),
        () => s.customer.hangUp(),
      );
      await finish(s);
      await Promise.all([guest.waitFor('ended'), s.agent.waitFor('ended')]);
    }));

  test('the customer hangs up as the consulted party answers', () =>
    run(async (s) => {
      const guest = await consult(s);
      guest.ring();
      await both(
        s.n,
        () => guest.answer(),
        () => s.customer.hangUp(),
      );
      await client.event('EventReleased', (e) => e.callID === s.callID && e.thisDN === s.customer.dialled);
      await finish(s, [s.agent]);
      await guest.waitFor('ended');
    }));

  test('the customer hangs up while the call is handed over', () =>
    run(async (s) => {
      const guest = await asked(s);
      await both(
        s.n,
        () => ask('RequestTransferConsult', s),
        () => s.customer.hangUp(),
      );
      // Where the hang-up came first, agent and guest go on as a call of two.
      await finish(s, [s.agent]);
      await guest.waitFor('ended');
    }));

  test('the agent hangs up while he hands over', () =>
    run(async (s) => {
      const guest = await asked(s);
      await both(
        s.n,
        () => ask('RequestTransferConsult', s),
        () => s.agent.hangUp(),
      );
      const changed = await client.event('EventPartyChanged', (e) => e.callID === s.callID);
      expect(changed).toMatchObject({ thisDN: s.guestDN, otherDN: s.customer.dialled, callState: 'OK' });
      const events = await finish(s, [guest]);
      expect(events.find((e) => e.messageID === 'EventReleased' && e.thisDN === s.thisDN)).toMatchObject({
        callState: 'Transferred',
        attachedData: { consultStage: 6 },
      });
    }));

  test('the consultation is cancelled as it is answered', () =>
    run(async (s) => {
      const guest = await consult(s);
      guest.ring();
      let refusal: string | undefined;
      const cancel = async (): Promise<void> => {
        refusal = await ask('RequestCancelConsult', s);
      };
      await both(s.n, () => guest.answer(), cancel);
      // Answered before: it is as if nobody had cancelled, and is retrieved.
      if (refusal !== undefined) {
        expect(refusal).toBe('InvalidAgentState');
        expect(await ask('RequestRetrieveConsult', s)).toBeUndefined();
      }
      const stage = refusal === undefined ? 3 : 5;
      const back = await client.event(
        'EventAttachedDataChanged',
        (e) => e.callID === s.callID && [3, 5].includes(Number(e.attachedData['consultStage'])),
      );
      expect(back.attachedData['consultStage']).toBe(stage);
      await guest.waitFor('ended');
      await finish(s, [s.agent]);
    }));

  test('the same request twice at once: one is carried out, one refused', () =>
    run(async (s) => {
      const target = { otherDN: s.guestDN };
      const twice = async (method: string, params: object): Promise<string[]> =>
        (await Promise.all([ask(method, s, params), ask(method, s, params)])).map((r) => r ?? 'done').toSorted();
      expect(await twice('RequestInitiateConsult', target)).toEqual(['AgentIsInConsultScene', 'done']);
      const guest = await exchange.call(s.guestDN);
      if (s.n % 3 === 0) {
        expect(await twice('RequestCancelConsult', {})).toEqual(['InvalidAgentState', 'done']);
        await guest.waitFor('ended');
        // The phone knows before the service: the consultation is over when that has been told.
        await client.event(
          'EventAttachedDataChanged',
          (e) => e.callID === s.callID && e.attachedData['consultStage'] === 3,
        );
        expect(await twice('RequestSingleStepTransfer', target)).toEqual(['InvalidAgentState', 'done']);
        const again = await exchange.call(s.guestDN);
        await again.answer();
        await client.event('EventEstablished', (e) => e.callID === s.callID && e.thisDN === s.guestDN);
        await finish(s, [s.customer]);
        return;
      }
      await guest.answer();
      await client.event(
        'EventAttachedDataChanged',
        (e) => e.callID === s.callID && e.attachedData['consultStage'] === 4,
      );
      const [method, refusal] =
        s.n % 3 === 1
          ? ['RequestRetrieveConsult', 'InvalidAgentState']
          : ['RequestTransferConsult', 'InvalidAgentState'];
      expect(await twice(method, {})).toEqual([refusal, 'done']);
      await finish(s, [s.customer]);
    }));

  test('the customer hangs up while the call is handed on without asking', () =>
    run(async (s) => {
      const hand = () => ask('RequestSingleStepTransfer', s, { otherDN: s.guestDN });
      await both(s.n, hand, () => s.customer.hangUp());
      await finish(s);
      await s.agent.waitFor('ended');
    }));

  test('the agent hangs up while he hands on without asking', () =>
    run(async (s) => {
      let refusal: string | undefined;
      const hand = async (): Promise<void> => {
        refusal = await ask('RequestSingleStepTransfer', s, { otherDN: s.guestDN });
      };
      await both(s.n, hand, () => s.agent.hangUp());
      if (refusal === undefined) {
        const guest = await exchange.call(s.guestDN);
        guest.ring();
        await guest.answer();
        await client.event('EventEstablished', (e) => e.callID === s.callID && e.thisDN === s.guestDN);
        await finish(s, [guest]);
      } else {
        await finish(s);
      }
      await s.customer.waitFor('ended');
    }));

  test('the customer hangs up as the target refuses, or answers', () =>
    run(async (s) => {
      await ask('RequestSingleStepTransfer', s, { otherDN: s.guestDN });
      const guest = await exchange.call(s.guestDN);
      guest.ring();
      await both(
        s.n,
        () => (s.n % 4 < 2 ? guest.refuse(486) : guest.answer()),
        () => s.customer.hangUp(),
      );
      await finish(s);
      await guest.waitFor('ended');
    }));
});
