import { randomBytes } from 'node:crypto';
import { afterEach, expect, inject, it, vi } from 'vitest';
import type { PlacingOutcome, TicketDesk } from '../../src/ports.ts';
import type { Store } from '../../src/store/store.ts';
import { acme, CALLER, type Manner, type Process, process, Telephones } from '../support/contacts-harness.ts';
import { newStore } from '../support/store-kit.ts';

/** Callbacks whose process dies at any step of their call: the telephones know whom they have rung. */

const OUTSIDE = 'PJSIP/911140001234@carrier';
const CALLBACK = { name: 'Ann', title: 'A question', mediaAddress: '911140001234' };
const FEEDS = [{ id: 'back', kind: 'callback', queue: '8001', ringTimeout: 5 }];

const stores: Store[] = [];
const processes: Process[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((p) => p.close()));
  await Promise.all(stores.splice(0).map((s) => s.close()));
});

async function open(prefix: string, phones: Telephones, deskOf?: (real: TicketDesk) => TicketDesk): Promise<Process> {
  const { store } = newStore(inject('redisUrl'), { prefix });
  stores.push(store);
  await store.connected();
  return await process(store, phones, acme(FEEDS), deskOf);
}

/** Queues whose answers to the first askings for a call are lost, though it was begun, and are these instead. */
function losing(real: TicketDesk, answers: PlacingOutcome[]): TicketDesk {
  return {
    serve: (holder) => real.serve(holder),
    open: (companyId) => real.open(companyId),
    tell: (companyId, ticket) => real.tell(companyId, ticket),
    decline: (...args) => real.decline(...args),
    becameOf: async (companyId, callID) =>
      answers.length > 0
        ? { state: 'unknown', bridged: false, agentMissed: false }
        : await real.becameOf(companyId, callID),
    standing: (...args) => real.standing(...args),
    call: async (...args) => {
      const answer = await real.call(...args);
      return answers.shift() ?? answer;
    },
  };
}

/** A callback whose process dies after so many commands; what becomes of it, and who was rung. */
async function story(livesFor: number, customer: Manner) {
  const prefix = `t${randomBytes(6).toString('hex')}`;
  const phones = new Telephones();
  phones.manner = (endpoint) => (endpoint === OUTSIDE ? customer : 'answers');
  const first = await open(prefix, phones);
  phones.livesFor = livesFor;
  const payload = JSON.stringify(CALLBACK);
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const posted = await first.http.inject({ method: 'POST', url: '/ccp/rest/callback/feed/back', headers, payload });
  const url = String(posted.headers['location']);
  const login = { agentID: 'a1', thisDN: '1001', thisQueues: ['8001'], agentState: 1 };
  await first.engine.request(CALLER, 'RequestAgentLogin', login);
  const status = async (at: Process): Promise<string> =>
    (await at.http.inject({ method: 'GET', url, headers })).json().status;
  const over = (at: Process): Promise<void> =>
    vi.waitFor(async () => expect(await status(at)).not.toBe('Queued'), { timeout: 25_000, interval: 10 });
  await vi.waitFor(async () => expect(phones.engine === undefined || (await status(first)) !== 'Queued').toBe(true), {
    timeout: 25_000,
    interval: 5,
  });
  const died = phones.engine === undefined;
  await first.crash();
  const second = await open(prefix, phones);
  processes.push(second);
  second.engine.onResync('pbx-1', phones.contents);
  await over(second);
  const rung = (of: (endpoint: string) => boolean): number => phones.dialled.filter((d) => of(d.endpoint)).length;
  return {
    died,
    status: await status(second),
    agent: rung((e) => e === 'PJSIP/1001'),
    customer: rung((e) => e === OUTSIDE),
    cut: phones.cut,
    warnings: second.warnings,
  };
}

it.each([
  ['answers', 'Handled'],
  ['busy', 'Discarded'],
] as const)(
  'a customer who %s is rung once, and so is the agent, wherever the process dies',
  async (manner, status) => {
    const steps = Array.from({ length: 8 }, (_, i) => i);
    const stories = await Promise.all(steps.map((livesFor) => story(livesFor, manner)));
    // The process dies before the first command, and before the last that rings somebody.
    expect(stories[0]?.died).toBe(true);
    for (const { died: _, ...came } of stories) {
      expect(came).toEqual({ status, agent: 1, customer: 1, cut: 0, warnings: [] });
    }
  },
  60_000,
);

it('a callback’s call that may have been begun is asked for under its id until somebody knows', async () => {
  const phones = new Telephones();
  const lost = { refusal: { code: 301020, name: 'CTIException' } } as const;
  const answers: PlacingOutcome[] = [lost, { refusal: { code: -32011, name: 'NotReady' }, unasked: true }, lost];
  const one = await open(`t${randomBytes(6).toString('hex')}`, phones, (real) => losing(real, answers));
  processes.push(one);
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const payload = JSON.stringify(CALLBACK);
  const posted = await one.http.inject({ method: 'POST', url: '/ccp/rest/callback/feed/back', headers, payload });
  const login = { agentID: 'a1', thisDN: '1001', thisQueues: ['8001'], agentState: 1 };
  await one.engine.request(CALLER, 'RequestAgentLogin', login);
  const url = String(posted.headers['location']);
  await vi.waitFor(
    async () => expect((await one.http.inject({ method: 'GET', url, headers })).json().status).toBe('Handled'),
    { timeout: 15_000, interval: 10 },
  );
  expect(answers).toEqual([]);
  expect(phones.dialled.map((d) => d.endpoint)).toEqual(['PJSIP/1001', OUTSIDE]);
  expect(one.warnings).toEqual([]);
});
