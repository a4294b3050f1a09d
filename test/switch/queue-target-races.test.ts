import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { expectWhole } from '../support/call-events.ts';
import { Exchange } from '../support/exchange.ts';
import { testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import { Refused, type RpcClient } from '../support/rpc-client.ts';

/** Each race is run so often, so many at a time. */
const TIMES = 50;
const AT_ONCE = 10;
const LANES = Array.from({ length: AT_ONCE }, (_, i) => String(i).padStart(3, '0'));

/** One call of a race: its parties and its queue are its own, and the queue has one agent. */
interface Scene {
  readonly n: number;
  readonly callID: string;
  readonly thisDN: string;
  readonly guestDN: string;
  readonly queue: string;
  readonly agent: PhoneCall;
  readonly customer: PhoneCall;
}

/** Puts the two things that race a little apart, now the one and now the other first. */
const apart = (n: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, n % 7));

describe('races of one who waits in a queue for an agent that an agent wanted', () => {
  let exchange: Exchange;
  let rm: Ringmaster;
  let client: RpcClient;

  beforeAll(async () => {
    const lab = await testLab();
    exchange = await Exchange.open(lab);
    rm = await ringmaster(lab, (settings) => {
      exchange.lead(settings);
      const [main] = settings.companies;
      if (!main) throw new Error('the lab has no company');
      main.queues = LANES.map((lane) => ({ id: `8${lane}`, ringTimeout: 20, wrapUp: 0 })) as typeof main.queues;
      main.routes = [];
    });
    client = await rm.subscriber();
  });

  beforeEach(async () => {
    for (const lane of LANES) {
      const thisDN = `2${lane}`;
      const [agentID, thisQueues] = [`7${lane}`, [`8${lane}`]];
      await client.call('RequestAgentLogin', { agentID, thisDN, agentState: 1, thisQueues });
    }
  });

  afterEach(async (context) => {
    for (const lane of LANES) await client.call('RequestAgentLogout', { agentID: `7${lane}` });
    await rm.afterTest(context);
  });

  afterAll(async () => {
    await rm?.close();
    await exchange?.close();
  });

  /** Agent and customer of the n-th scene talk. */
  const scene = async (n: number): Promise<Scene> => {
    const lane = LANES[n % AT_ONCE] ?? '000';
    const thisDN = `1${lane}`;
    const number = `911140099${lane}`;
    const { callID } = await client.call('RequestMakeCall', { thisDN, otherDN: number });
    const agent = await exchange.call(thisDN);
    await agent.answer();
    const customer = await exchange.call(number);
    await customer.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === number);
    return { n, callID, thisDN, guestDN: `2${lane}`, queue: `8${lane}`, agent, customer };
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
  const hand = (s: Scene) => ask('RequestSingleStepTransfer', s, { otherDN: s.queue });
  const consult = (s: Scene) => ask('RequestInitiateConsult', s, { otherDN: s.queue });
  /** The phone of the queue's agent rings, and it has been told. */
  const ringing = async (s: Scene): Promise<PhoneCall> => {
    const guest = await exchange.call(s.guestDN);
    guest.ring();
    await client.event('EventRinging', (e) => e.callID === s.callID && e.thisDN === s.guestDN);
    return guest;
  };
  /** Ends what the race has left of the call, and checks that all of it was told. */
  const finish = async (s: Scene, still: readonly PhoneCall[] = []): Promise<void> => {
    await Promise.all(still.map((call) => call.hangUp()));
    expectWhole(await client.ended(s.callID));
  };
  /** Runs the race so often; after each round every agent of a queue is free again, and Ready. */
  const run = async (race: (s: Scene) => Promise<void>): Promise<void> => {
    for (let from = 0; from < TIMES; from += AT_ONCE) {
      await Promise.all(LANES.map(async (_, i) => race(await scene(from + i))));
      await expect
        .poll(async () => (await client.call('RequestListAgents', {})).agents.map((a) => [a.state, a.agentStatus]), {
          timeout: 10_000,
        })
        .toEqual(LANES.map(() => ['Ready', 'AVAILABLE']));
    }
  };
  /** The first of these in half of the scenes, in the others the last, a few milliseconds apart or together. */
  const both = async (n: number, one: () => Promise<unknown>, other: () => Promise<unknown>): Promise<void> => {
    const [first, second] = n % 2 === 0 ? [one, other] : [other, one];
    await Promise.all([first(), apart(n).then(second)]);
  };

  test('the customer hangs up as the agent of the queue to which he was handed answers', () =>
    run(async (s) => {
      expect(await hand(s)).toBeUndefined();
      const guest = await ringing(s);
      await both(
        s.n,
        () => guest.answer(),
        () => s.customer.hangUp(),
      );
      await finish(s);
      await guest.waitFor('ended');
    }));

  test('the customer hangs up as he is handed to a queue', () =>
    run(async (s) => {
      await both(
        s.n,
        () => hand(s),
        () => s.customer.hangUp(),
      );
      await finish(s);
      await s.agent.waitFor('ended');
    }));

  test('the agent hangs up as he hands the customer to a queue', () =>
    run(async (s) => {
      let refusal: string | undefined;
      await both(
        s.n,
        async () => {
          refusal = await hand(s);
        },
        () => s.agent.hangUp(),
      );
      if (refusal === undefined) {
        const guest = await ringing(s);
        await guest.answer();
        await client.event('EventEstablished', (e) => e.callID === s.callID && e.thisDN === s.guestDN);
        await finish(s, [guest]);
      } else {
        await finish(s);
      }
      await s.customer.waitFor('ended');
    }));

  test('the customer hangs up as the agent of the queue that is asked answers', () =>
    run(async (s) => {
      expect(await consult(s)).toBeUndefined();
      const guest = await ringing(s);
      await both(
        s.n,
        () => guest.answer(),
        () => s.customer.hangUp(),
      );
      // Where the answer came first, agent and guest go on as a call of two.
      await client.event('EventReleased', (e) => e.callID === s.callID && e.thisDN === s.customer.dialled);
      await finish(s, [s.agent]);
      await guest.waitFor('ended');
    }));

  test('the agent hangs up as the agent of the queue that he asks answers', () =>
    run(async (s) => {
      expect(await consult(s)).toBeUndefined();
      const guest = await ringing(s);
      await both(
        s.n,
        () => guest.answer(),
        () => s.agent.hangUp(),
      );
      // Where the answer came first, the guest has the customer.
      await client.event('EventReleased', (e) => e.callID === s.callID && e.thisDN === s.thisDN);
      await finish(s, [s.customer]);
      await guest.waitFor('ended');
    }));

  test('the consultation of a queue is cancelled as its agent answers', () =>
    run(async (s) => {
      expect(await consult(s)).toBeUndefined();
      const guest = await ringing(s);
      let refusal: string | undefined;
      await both(
        s.n,
        () => guest.answer(),
        async () => {
          refusal = await ask('RequestCancelConsult', s);
        },
      );
      // Answered before: it is as if nobody had cancelled, and is retrieved.
      if (refusal !== undefined) {
        expect(refusal).toBe('InvalidAgentState');
        expect(await ask('RequestRetrieveConsult', s)).toBeUndefined();
      }
      const back = await client.event(
        'EventAttachedDataChanged',
        (e) => e.callID === s.callID && [3, 5].includes(Number(e.attachedData['consultStage'])),
      );
      expect(back.attachedData['consultStage']).toBe(refusal === undefined ? 3 : 5);
      await guest.waitFor('ended');
      await finish(s, [s.agent]);
    }));

  test('the consultation of a queue is cancelled as an agent is found', () =>
    run(async (s) => {
      expect(await consult(s)).toBeUndefined();
      await apart(s.n);
      expect(await ask('RequestCancelConsult', s)).toBeUndefined();
      await client.event(
        'EventAttachedDataChanged',
        (e) => e.callID === s.callID && e.attachedData['consultStage'] === 3,
      );
      await finish(s, [s.customer]);
    }));
});
