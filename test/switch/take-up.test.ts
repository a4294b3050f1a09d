import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import type { CallRequest } from '../../src/calls/input.ts';
import { isRefused } from '../../src/calls/output.ts';
import { step } from '../../src/calls/step.ts';
import { CompanyId } from '../../src/cti/ids.ts';
import { Store } from '../../src/store/store.ts';
import { CUSTOMER_TONE, leadCustomers } from '../support/conversation.ts';
import { type Hearing, hearing } from '../support/hearing.ts';
import { openAgentPhone, openCustomerPhone, testLab } from '../support/lab.ts';
import { ari, nothingLeft, type Settings } from '../support/ringmaster.ts';
import { RingmasterProcess } from '../support/ringmaster-process.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { talk } from '../support/talking.ts';

const AGENT = '1018';
const CUSTOMER = '911140099001';
const SUPERVISOR = '1019';
const TALKING = { agent: ['customer'], customer: ['agent'] };

/**
 * What a process that is killed leaves undone, and what happens on the telephones while none runs: the next process makes
 * it good. Who hears whom is measured.
 */
describe('a call that is taken up after a SIGKILL', () => {
  const prefix = `t${randomBytes(6).toString('hex')}`;
  let lab: Lab;
  let companyId: CompanyId;
  let phones: { agent: Phone; customer: Phone; supervisor: Phone };
  let process: RingmasterProcess;
  let http: string;
  let client: RpcClient;

  const change = (settings: Settings): void => {
    leadCustomers(settings, phones.customer);
  };

  /** @param after the last event that was heard of the process before */
  async function start(after?: number): Promise<void> {
    process = new RingmasterProcess(lab, { change, prefix });
    const { http: base, ws } = await process.listening();
    http = base;
    client = await RpcClient.open(ws, lab.file.companies[0]?.keys[0]?.key);
    await client.call('Subscribe', after === undefined ? {} : { after });
  }

  /** Kills the process, lets something happen while none runs, and starts the next. */
  async function killed(meanwhile: () => Promise<unknown>): Promise<void> {
    const position = client.events.at(-1)?.eventID ?? 0;
    await client.close();
    process.kill('SIGKILL');
    await process.ended();
    await meanwhile();
    await start(position);
  }

  /** What a process has done that died right after its commit: a request is stored, and Asterisk knows nothing of it. */
  async function commitsAndDies(callID: string, request: CallRequest): Promise<void> {
    const [node] = lab.settings().nodes;
    if (!node) throw new Error('the lab has no node');
    const fail = (_: unknown, error?: unknown): never => {
      throw error ?? new Error('Redis was lost');
    };
    const listener = { onDown: fail, onUp: () => {}, onError: fail };
    const store = new Store({ url: lab.file.redis.url, prefix, listener });
    await store.connected();
    try {
      const shard = `${node.ari.app}@${node.id}`;
      const fence = await store.calls.takeShard(shard, [companyId]);
      const found = await store.calls.load(companyId, callID);
      if (!found) throw new Error(`call ${callID} is not stored`);
      const outcome = step(found.call, request, Date.now());
      if (isRefused(outcome)) throw new Error(outcome.refusal.name);
      expect(outcome.commands).not.toEqual([]);
      const { call, events } = outcome;
      const stored = await store.calls.commit({ companyId, shard, fence, call, version: found.version, events });
      expect(stored.outcome).toBe('stored');
    } finally {
      await store.close();
    }
  }

  async function talking() {
    const { callID, agent, customer } = await talk(client, phones.agent, phones.customer, AGENT, CUSTOMER);
    const speakers = {
      agent: { call: agent, tone: agentTone(AGENT) },
      customer: { call: customer, tone: CUSTOMER_TONE },
    };
    return { callID, agent, customer, speakers, hears: hearing(speakers) };
  }

  /** Ends a call, whose events of the last process are as they should be. */
  async function over(callID: string, hears: Hearing): Promise<void> {
    await hears.is(TALKING);
    await client.call('RequestClearCall', { callID });
    await client.ended(callID);
  }

  beforeAll(async () => {
    lab = await testLab();
    companyId = CompanyId.parse(lab.file.companies[0]?.companyId);
    const [agent, customer, supervisor] = await Promise.all([
      openAgentPhone(lab, AGENT),
      openCustomerPhone(lab, CUSTOMER, { tone: CUSTOMER_TONE }),
      openAgentPhone(lab, SUPERVISOR),
    ]);
    phones = { agent, customer, supervisor };
    await start();
  });

  afterEach(async (context) => {
    // A test that has failed must not make the next one fail.
    if (context.task.result?.state === 'fail') {
      const { calls } = await client.call('RequestListCalls', {});
      for (const { callID } of calls) await client.call('RequestClearCall', { callID });
    }
    await nothingLeft(lab, http, prefix);
  });

  afterAll(async () => {
    await client?.close();
    await process?.stop();
    await Promise.all(Object.values(phones).map((phone) => phone.close()));
  });

  test('an unmute that never reached Asterisk: the party is heard again', async () => {
    const { callID, hears } = await talking();
    await client.call('RequestMuteCall', { callID, thisDN: AGENT });
    await hears.is({ agent: ['customer'], customer: [] });
    await killed(() => commitsAndDies(callID, { kind: 'unmute', thisDN: AGENT, referenceID: 0 }));
    await over(callID, hears);
  });

  test('a mute that never reached Asterisk: the party is heard no more', async () => {
    const { callID, hears } = await talking();
    await hears.is(TALKING);
    await killed(() => commitsAndDies(callID, { kind: 'mute', thisDN: AGENT, referenceID: 0 }));
    await hears.is({ agent: ['customer'], customer: [] });
    await client.call('RequestUnmuteCall', { callID, thisDN: AGENT });
    await over(callID, hears);
  });

  test('a retrieve that never reached Asterisk: the music ends, and both hear each other', async () => {
    const { callID, hears } = await talking();
    await client.call('RequestHoldCall', { callID, thisDN: AGENT });
    await hears.is({ agent: [], customer: ['music'] });
    await killed(() => commitsAndDies(callID, { kind: 'retrieve', thisDN: AGENT, referenceID: 0 }));
    await over(callID, hears);
  });

  test('a hold that never reached Asterisk: the customer hears music', async () => {
    const { callID, hears } = await talking();
    await hears.is(TALKING);
    await killed(() => commitsAndDies(callID, { kind: 'hold', thisDN: AGENT, referenceID: 0 }));
    await hears.is({ agent: [], customer: ['music'] });
    await client.call('RequestRetrieveCall', { callID, thisDN: AGENT });
    await over(callID, hears);
  });

  test('a supervisor who was moved, and Asterisk was not told: he is heard by the agent alone', async () => {
    const { callID, speakers } = await talking();
    await client.call('RequestMonitor', { callID, thisDN: SUPERVISOR, otherDN: AGENT });
    const supervisor = await phones.supervisor.nextCall();
    await supervisor.answer();
    const all = hearing({ ...speakers, supervisor: { call: supervisor, tone: agentTone(SUPERVISOR) } });
    const both = ['agent', 'customer'];
    await all.is({ ...TALKING, supervisor: both });
    await killed(async () => {
      const to = { dn: SUPERVISOR, kind: 'user', endpoint: `PJSIP/${SUPERVISOR}` } as const;
      const moved = { kind: 'supervise', mode: 'whisper', thisDN: SUPERVISOR, to, otherDN: AGENT } as const;
      await commitsAndDies(callID, { ...moved, referenceID: 0 });
    });
    await all.is({ agent: ['customer', 'supervisor'], customer: ['agent'], supervisor: both });
    const listening = (await ari(lab, '/channels')).filter((c) => String(c['name']).startsWith('Snoop/'));
    expect(listening.map((c) => c['id'])).toEqual([`${callID}-s2`]);
    await client.call('RequestClearCall', { callID });
    await client.ended(callID);
  });

  test('a phone that is put on hold while nobody listens, and taken back: told as recovered, with music', async () => {
    const { callID, agent, hears } = await talking();
    await hears.is(TALKING);
    await killed(() => agent.hold());
    const held = await client.event('EventHeld', (e) => e.callID === callID);
    expect(held).toMatchObject({ thisDN: AGENT, recovered: true, referenceID: 0 });
    await hears.is({ agent: [], customer: ['music'] });
    await killed(() => agent.retrieve());
    const retrieved = await client.event('EventRetrieved', (e) => e.callID === callID);
    expect(retrieved).toMatchObject({ thisDN: AGENT, recovered: true });
    await over(callID, hears);
  });

  test('nothing was lost: the sound goes on as it was, and nothing is told', async () => {
    const { callID, hears } = await talking();
    await hears.is(TALKING);
    await killed(async () => {});
    await hears.is(TALKING);
    expect(client.of(callID)).toEqual([]);
    await over(callID, hears);
  });
});
