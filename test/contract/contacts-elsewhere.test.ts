import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { NodeBoard } from '../../src/engine/node-board.ts';
import { Router } from '../../src/engine/router.ts';
import type { Member, PeerAnswer, PeerDesk, PeerQuestion, Peers } from '../../src/ports.ts';
import { PeerClient, PeerServer } from '../../src/rpc/index.ts';
import type { Store } from '../../src/store/store.ts';
import { ACME, acme, CALLER, front, type Process, process, Telephones } from '../support/contacts-harness.ts';
import { memoryEngine } from '../support/memory-engine.ts';
import { newStore } from '../support/store-kit.ts';

const FEEDS = [
  { id: 'back', kind: 'callback', queue: '8001' },
  { id: 'work', kind: 'task', queue: '8001', acceptTimeout: 600 },
];
const CALLBACK = JSON.stringify({ name: 'Ann', title: 'A question', mediaAddress: '911140001234' });
const TASK = '<Task><name>Ann</name><title>An email</title></Task>';
const SECRET = 'what-all-instances-know';
const logger = pino({ level: 'silent' });
const SOON = { timeout: 15_000, interval: 10 };

/** What is lost on the way to the other instance. */
type Lost = 'nothing' | 'question' | 'answer';

/** Two instances: one with the agents and queues, and one that is asked. */
describe('contacts at an instance without the queues', () => {
  const stores: Store[] = [];
  const closing: (() => Promise<unknown> | unknown)[] = [];
  let phones: Telephones;
  let there: Process;
  let here: ReturnType<typeof front>;
  let owner: Member | undefined;
  let lost: Lost;
  const warnings: string[] = [];

  beforeEach(async () => {
    const prefix = `t${randomBytes(6).toString('hex')}`;
    const open = async (): Promise<Store> => {
      const { store } = newStore(inject('redisUrl'), { prefix });
      stores.push(store);
      await store.connected();
      return store;
    };
    phones = new Telephones();
    lost = 'nothing';
    const config = acme(FEEDS);
    there = await process(await open(), phones, config);
    const router = (
      engine: ConstructorParameters<typeof Router>[0]['engine'],
      contacts: () => Process['contacts'],
      peers: Peers | undefined,
    ) =>
      new Router({
        engine,
        owners: { ownerOf: () => (peers ? owner : undefined), refresh: () => Promise.resolve() },
        peers,
        contacts,
        nodes: [],
        board: new NodeBoard([], () => ({ members: [], leases: [], draining: new Map() }), 'here'),
        id: peers ? 'here' : 'there',
        patienceMs: 500,
        randomHex: () => randomBytes(16).toString('hex'),
      });
    const desk: PeerDesk = router(there.engine, () => there.contacts, undefined);
    const server = new PeerServer({ desk, secret: SECRET, bodyBytes: 1_000_000, logger });
    const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 });
    owner = { id: 'there', says: { url: `http://${host}:${port}`, leaving: false } };
    const client = new PeerClient(SECRET, logger);
    const peers: Peers = {
      async ask(url: string, question: PeerQuestion, timeoutMs: number): Promise<PeerAnswer> {
        const fault = lost;
        lost = 'nothing';
        if (fault === 'question') return { outcome: 'unknown' };
        const answer = await client.ask(url, question, timeoutMs);
        return fault === 'answer' ? { outcome: 'unknown' } : answer;
      },
    };
    const { engine } = await memoryEngine();
    engine.closeFloors();
    const asking = router(engine, () => here.contacts, peers);
    here = front(engine, await open(), config, warnings, (question) => asking.contact(question));
    await here.http.ready();
    closing.push(
      () => here.http.close(),
      () => client.close(),
      () => server.close(),
      () => there.close(),
    );
    await there.engine.request(CALLER, 'RequestAgentLogin', {
      agentID: 'a1',
      thisDN: '1001',
      thisQueues: ['8001'],
      agentState: 2,
    });
  });

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await Promise.all(stores.splice(0).map((s) => s.close()));
    expect([...warnings.splice(0), ...there.warnings]).toEqual([]);
  });

  const ask = async (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    payload?: string,
    headers: Record<string, string> = {},
    remoteAddress = '127.0.0.1',
  ) => {
    const answer = await here.http.inject({
      method,
      url,
      remoteAddress,
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      ...(payload !== undefined && { payload }),
    });
    const body = JSON.parse(answer.body) as Record<string, unknown>;
    return { status: answer.statusCode, body, location: String(answer.headers['location']) };
  };
  const post = async (): Promise<string> => {
    const { status, location } = await ask('POST', '/ccp/rest/callback/feed/back', CALLBACK);
    expect(status).toBe(201);
    return location;
  };
  const say = (location: string, word: string) =>
    ask('POST', `${location}/${word}`, JSON.stringify({ agentID: 'a1' }), { authorization: 'agent' });
  const ready = () => there.engine.request(CALLER, 'RequestAgentReady', { agentID: 'a1' });

  it('a callback is asked for, shown, and becomes a call where the queues are', async () => {
    const location = await post();
    expect((await ask('GET', location)).body).toMatchObject({
      status: 'Queued',
      estimatedWaitTime: expect.any(Number),
    });
    await ready();
    await vi.waitFor(async () => expect((await ask('GET', location)).body['status']).toBe('Handled'), SOON);
    expect(phones.dialled.map((d) => d.endpoint)).toEqual(['PJSIP/1001', 'PJSIP/911140001234@carrier']);
    expect((await ask('DELETE', location)).status).toBe(400);
  });

  it('a callback is cancelled, and nobody is called', async () => {
    const location = await post();
    expect((await ask('DELETE', location)).status).toBe(200);
    expect((await ask('GET', location)).body['status']).toBe('Discarded');
    await ready();
    expect(phones.dialled).toEqual([]);
  });

  it('a task is offered to its agent, accepted, completed', async () => {
    const xml = { 'content-type': 'application/xml' };
    const { location } = await ask('POST', '/ccp/rest/task/feed/work', TASK, xml);
    await ready();
    const offered = () => ask('GET', '/ccp/rest/task/agent/a1', undefined, { authorization: 'agent' });
    await vi.waitFor(async () => expect((await offered()).body['tasks']).toMatchObject([{ state: 'offered' }]), SOON);
    expect((await say(location, 'complete')).status).toBe(409);
    expect(await say(location, 'accept')).toMatchObject({ status: 200, body: { status: 'Reserved', agentId: 'a1' } });
    expect((await offered()).body['tasks']).toMatchObject([{ state: 'held', message: { title: 'An email' } }]);
    expect((await say(location, 'complete')).body).toMatchObject({ status: 'Handled' });
    expect(
      (
        await say(
          location.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
          'accept',
        )
      ).status,
    ).toBe(404);
  });

  it('what is refused is refused in the same words, and strangers where they are connected', async () => {
    expect((await ask('POST', '/ccp/rest/callback/feed/nowhere', CALLBACK)).body).toMatchObject({
      status: 'Discarded',
      statusReason: 'NOTIFICATION_INVALID_SCRIPT_SELECTOR',
    });
    expect((await ask('POST', '/ccp/rest/callback/feed/back', '{')).status).toBe(400);
    const location = await post();
    expect((await ask('GET', location.replace('callback', 'task'))).status).toBe(404);
    expect((await ask('GET', location, undefined, {}, '10.9.9.9')).status).toBe(403);
    expect((await ask('POST', '/ccp/rest/callback/feed/back', CALLBACK, {}, '10.9.9.9')).status).toBe(403);
  });

  it.each<Lost>(['question', 'answer'])('where the %s is lost there is no second contact', async (what) => {
    lost = what;
    const location = await post();
    expect(await stores[0]?.contacts.live(ACME)).toHaveLength(1);
    // A cancel is not repeated: whether it was taken is to be asked.
    lost = what;
    expect(await ask('DELETE', location)).toMatchObject({
      status: 503,
      body: { error: expect.stringContaining('may') },
    });
    const { body } = await ask('GET', location);
    expect(body['status']).toBe(what === 'answer' ? 'Discarded' : 'Queued');
  });

  it('503 where nobody has the queues, and nothing comes of it', async () => {
    owner = undefined;
    expect((await ask('POST', '/ccp/rest/callback/feed/back', CALLBACK)).status).toBe(503);
    expect((await ask('GET', '/ccp/rest/task/agent/a1', undefined, { authorization: 'agent' })).status).toBe(503);
    expect(await stores[0]?.contacts.live(ACME)).toEqual([]);
  });
});
