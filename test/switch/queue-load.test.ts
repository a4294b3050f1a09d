import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import type { EventOf } from '../../src/cti/events.ts';
import { expectWhole, only } from '../support/call-events.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { type Ringmaster, ringmaster } from '../support/ringmaster.ts';
import type { RpcClient } from '../support/rpc-client.ts';

const DNS = ['1018', '1019', '1020', '1094', '1095'];
const CALLER = '911140099001';
const QUEUE = { id: '8007', did: '911140001007' };
const CALLS = 30;
/** Every fifth caller leaves before it is his turn. */
const leaves = (n: number): boolean => n % 5 === 4;
/** ms within which what a call has told must have reached the agents and queues; far more than it takes. */
const TELLING_MS = 500;

describe('a queue of many callers and few agents', () => {
  let rm: Ringmaster;
  let client: RpcClient;
  let phones: Phone[] = [];
  let callerPhone: Phone;

  beforeAll(async () => {
    const lab = await testLab();
    phones = await Promise.all(DNS.map((dn) => openAgentPhone(lab, dn)));
    callerPhone = await openCustomerPhone(lab, CALLER);
    rm = await ringmaster(lab, (settings) => {
      const [main] = settings.companies;
      if (!main) throw new Error('the lab has no company');
      main.queues = [{ id: QUEUE.id, ringTimeout: 1, wrapUp: 0 }];
      main.routes = [{ did: QUEUE.did, to: { queue: QUEUE.id } }];
    });
    client = await rm.subscriber();
  });

  afterEach((context) => rm.afterTest(context));

  afterAll(async () => {
    await rm?.close();
    await Promise.all([...phones, callerPhone].map((p) => p.close()));
  });

  const idOf = (dn: string): string => `7${dn}`;

  test('callers who hang up just as their agent answers, 50 times: no agent and no call is left behind', async () => {
    for (const dn of DNS) {
      await client.call('RequestAgentLogin', { agentID: idOf(dn), thisDN: dn, agentState: 1, thisQueues: [QUEUE.id] });
    }
    for (let round = 0; round < 10; round += 1) {
      const from = client.events.length;
      const callers = DNS.map(() => callerPhone.call(QUEUE.did));
      const rung = await Promise.all(phones.map((phone) => phone.nextCall()));
      for (const agent of rung) agent.ring();
      // Either may come first, or both at once: what is asked of a call that is over is refused by the phone itself.
      await Promise.allSettled([...rung.map((agent) => agent.answer()), ...callers.map((caller) => caller.hangUp())]);
      const ended = (events: readonly { messageID: string }[]): number =>
        events.slice(from).filter((e) => e.messageID === 'EventCallDeleted').length;
      await client.until((events) => ended(events) === DNS.length);
      await expect
        .poll(async () => (await client.call('RequestListAgents', {})).agents.map((a) => [a.state, a.agentStatus]))
        .toEqual(DNS.map(() => ['Ready', 'AVAILABLE']));
    }
    for (const callID of new Set(client.events.flatMap((e) => ('callID' in e && e.callID ? [e.callID] : [])))) {
      expectWhole(client.of(callID));
    }
    for (const dn of DNS) await client.call('RequestAgentLogout', { agentID: idOf(dn) });
  });

  /** Calls come in one after the other, so that it is known who was first. */
  async function arrive(): Promise<{ caller: PhoneCall; callID: string }[]> {
    const arrived: { caller: PhoneCall; callID: string }[] = [];
    const before = new Set(client.events.flatMap((e) => (e.messageID === 'EventCallCreated' ? [e.callID] : [])));
    for (let n = 0; n < CALLS; n += 1) {
      const known = new Set([...before, ...arrived.map((a) => a.callID)]);
      const caller = callerPhone.call(QUEUE.did);
      const created = await client.event('EventCallCreated', (e) => !known.has(e.callID));
      await caller.waitFor('answered');
      arrived.push({ caller, callID: created.callID });
    }
    return arrived;
  }

  /** An agent at work until nobody calls any more: answers, lets every third call go by, and one goes home early. */
  async function work(phone: Phone, dn: string, until: Promise<unknown>): Promise<void> {
    let over = false;
    void until.then(() => {
      over = true;
    });
    for (let n = 1; ; n += 1) {
      const call = await Promise.race([phone.nextCall(60_000), until.then(() => undefined)]);
      if (!call || over) return;
      call.ring();
      if (dn !== DNS[0] && n % 3 === 0) {
        const from = client.events.length;
        if (n % 2) await call.refuse(486);
        await call.waitFor('ended');
        const notReady = (e: { messageID: string; thisDN?: string | undefined }) =>
          e.messageID === 'EventAgentNotReady' && e.thisDN === dn;
        await client.until((events) => events.slice(from).some((e) => notReady(e as never)));
        await client.call('RequestAgentReady', { agentID: idOf(dn) });
        continue;
      }
      await Promise.race([call.answer(), call.waitFor('ended')]);
      if (!call.end) await call.hangUp();
      if (dn === DNS[4] && n === 4) {
        await client.call('RequestAgentLogout', { agentID: idOf(dn) });
        return;
      }
    }
  }

  test('30 callers and 5 agents who answer, miss and leave: longest waiting first, nobody lost', async () => {
    const arrived = await arrive();
    const ended = Promise.all(arrived.map(({ callID }) => client.ended(callID, 50_000)));
    for (const [n, { caller }] of arrived.entries()) if (leaves(n)) await caller.hangUp();
    for (const dn of DNS) {
      await client.call('RequestAgentLogin', { agentID: idOf(dn), thisDN: dn, agentState: 1, thisQueues: [QUEUE.id] });
    }
    const working = phones.map((phone, i) => work(phone, DNS[i] ?? '', ended));
    const calls = await ended;
    await Promise.all(working);

    for (const events of calls) expectWhole(events);
    const talked = calls.filter((events) => events.some((e) => e.messageID === 'EventEstablished'));
    // Everybody who stayed has talked to exactly one agent, and nobody who left.
    expect(calls.map((events) => events.some((e) => e.messageID === 'EventEstablished'))).toEqual(
      arrived.map((_, n) => !leaves(n)),
    );
    for (const events of talked) {
      const established = events.filter((e) => e.messageID === 'EventEstablished');
      expect(established).toHaveLength(2);
    }
    const missed = calls.flat().filter((e) => e.messageID === 'EventReleased' && e.agentStatus === 'Missed');
    expect(missed.length).toBeGreaterThan(3);

    const legs = calls.map((events) =>
      events.filter((e): e is EventOf<'EventReleased'> => e.messageID === 'EventReleased' && e.partyRole === 'Agent'),
    );
    // Nobody is rung while somebody waits who has waited longer: seen from the moments at which phones were dialled.
    const overtaken: string[] = [];
    const waits = calls.map((events, n) => {
      const customer = only(events, 'EventReleased', CALLER);
      const free = [customer.answerUepoch ?? 0, ...(legs[n] ?? []).map((l) => l.endUepoch)];
      const taken = [...(legs[n] ?? []).map((l) => l.startUepoch), customer.endUepoch];
      return free.slice(0, taken.length).map((from, i) => ({ from, to: taken[i] ?? 0 }));
    });
    legs.forEach((all, n) => {
      for (const { startUepoch } of all) {
        for (let older = 0; older < n; older += 1) {
          const left = waits[older]?.find((w) => w.from < startUepoch - TELLING_MS && w.to > startUepoch);
          if (left) overtaken.push(`call ${n} was rung for while call ${older} waited`);
        }
      }
    });
    expect(overtaken).toEqual([]);

    // No agent in two calls at once.
    const twice: string[] = [];
    for (const dn of DNS) {
      const own = legs.flat().filter((l) => l.thisDN === dn);
      for (const a of own) {
        for (const b of own) {
          if (a !== b && a.startUepoch < b.endUepoch && b.startUepoch < a.endUepoch) twice.push(dn);
        }
      }
    }
    expect(twice).toEqual([]);
    // Everybody had a share of the work.
    expect(DNS.filter((dn) => !legs.flat().some((l) => l.thisDN === dn && l.answerUepoch !== undefined))).toEqual([]);
    const { agents } = await client.call('RequestListAgents', { queue: QUEUE.id });
    expect(agents.filter((a) => a.callID !== undefined)).toEqual([]);
  });
});
