import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import type { AgentInfo } from '../../src/cti/request-fields.ts';
import type { Store } from '../../src/store/store.ts';
import { ACME, acme, CALLER, type Process, process, Telephones } from '../support/contacts-harness.ts';
import { newStore } from '../support/store-kit.ts';

const FEEDS = [
  { id: 'back', kind: 'callback', queue: '8001' },
  { id: 'twice', kind: 'callback', queue: '8001', attempts: 2, retryAfter: 1 },
  { id: 'work', kind: 'task', queue: '8001', acceptTimeout: 1 },
  { id: 'slow', kind: 'task', queue: '8001', acceptTimeout: 600 },
  { id: 'closed', kind: 'callback', queue: '8001', open: false },
  { id: 'unmapped', kind: 'callback' },
  { id: 'lost', kind: 'callback', queue: 'nowhere' },
  { id: 'choose', kind: 'callback', queue: '8001', scripts: [{ selector: 'sales', queue: '8002' }] },
  { id: 'few', kind: 'callback', queue: '8001', limits: { contacts: 1, perSecond: 1_000 } },
  { id: 'rare', kind: 'callback', queue: '8001', limits: { perSecond: 1 } },
];
const CUSTOMER = '911140001234';
const CALLBACK = `<?xml version="1.0" encoding="UTF-8"?>
<Contact>
  <name>Ann &amp; Co</name>
  <title>A question</title>
  <mediaAddress>${CUSTOMER}</mediaAddress>
  <tags><tag>a</tag><tag>b</tag></tags>
  <variables><variable><name>cv_1</name><value>x</value></variable></variables>
</Contact>`;
const TASK = '<Task><name>Ann</name><title>An email</title></Task>';

interface Shown {
  readonly status: string;
  readonly statusReason: string;
  readonly statusTimestamp: number;
  readonly estimatedWaitTime: number;
  readonly agentId?: string;
}

describe('contacts', () => {
  const stores: Store[] = [];
  let phones = new Telephones();
  let one: Process;

  const open = async (prefix?: string, config = acme(FEEDS)): Promise<Process> => {
    const { store } = newStore(inject('redisUrl'), prefix === undefined ? {} : { prefix });
    stores.push(store);
    await store.connected();
    one = await process(store, phones, config);
    return one;
  };
  const begin = (config = acme(FEEDS)): Promise<Process> => {
    phones = new Telephones();
    return open(undefined, config);
  };

  afterEach(async () => {
    const { warnings } = one;
    await one.close();
    await Promise.all(stores.splice(0).map((s) => s.close()));
    expect(warnings).toEqual([]);
  });

  const ask = async (
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    payload?: string,
    headers: Record<string, string> = {},
  ) => {
    const answer = await one.http.inject({
      method,
      url: path,
      remoteAddress: '127.0.0.1',
      headers: { accept: 'application/json', 'content-type': 'application/xml', ...headers },
      ...(payload !== undefined && { payload }),
    });
    return {
      status: answer.statusCode,
      text: answer.body,
      json: () => JSON.parse(answer.body) as Shown,
      location: String(answer.headers['location']),
    };
  };
  const post = async (feed: string, body: string, kind = 'callback'): Promise<string> => {
    const { status, location } = await ask('POST', `/ccp/rest/${kind}/feed/${feed}`, body);
    expect(status).toBe(201);
    return location;
  };
  const get = async (location: string): Promise<Shown> => (await ask('GET', location)).json();
  const state = async (location: string): Promise<string> => {
    const { status, statusReason } = await get(location);
    return `${status} ${statusReason}`;
  };
  const becomes = (location: string, wanted: string): Promise<void> =>
    vi.waitFor(async () => expect(await state(location)).toBe(wanted), { timeout: 10_000, interval: 5 });
  const request = async (method: string, params: unknown): Promise<unknown> => {
    const answer = await one.engine.request(CALLER, method, params);
    if ('refusal' in answer) throw new Error(`${method}: ${answer.refusal.name}`);
    return answer.result;
  };
  const login = (agentID: string, thisDN: string) =>
    request('RequestAgentLogin', { agentID, thisDN, thisQueues: ['8001', '8002'], agentState: 1 });
  const agent = async (agentID: string): Promise<AgentInfo | undefined> =>
    ((await request('RequestListAgents', {})) as { agents: AgentInfo[] }).agents.find((a) => a.agentID === agentID);
  const free = (agentID: string): Promise<void> =>
    vi.waitFor(async () => expect((await agent(agentID))?.agentStatus).toBe('AVAILABLE'), {
      timeout: 10_000,
      interval: 5,
    });
  const say = (location: string, what: string, agentID = 'a1') =>
    ask('POST', `${location}/${what}`, JSON.stringify({ agentID }), {
      authorization: 'agent',
      'content-type': 'application/json',
    });
  const offered = async (agentID = 'a1'): Promise<unknown[]> => {
    const { text } = await ask('GET', `/ccp/rest/task/agent/${agentID}`, undefined, { authorization: 'agent' });
    return (JSON.parse(text) as { tasks: unknown[] }).tasks;
  };
  const isOffered = (agentID = 'a1'): Promise<void> =>
    vi.waitFor(async () => expect(await offered(agentID)).toHaveLength(1), { timeout: 10_000, interval: 5 });
  const hangUp = (endpoint: string): void => phones.hangUp(phones.last(endpoint)?.channel ?? '');
  const customerLegs = (): number => phones.dialled.filter((d) => d.endpoint.endsWith('@carrier')).length;

  describe('a callback', () => {
    it('waits in its queue, and becomes a call from the agent to the customer', async () => {
      await begin();
      const location = await post('back', CALLBACK);
      expect(location).toMatch(/^\/ccp\/rest\/callback\/contact\/[0-9a-f-]{36}$/);
      expect(await get(location)).toMatchObject({
        status: 'Queued',
        statusReason: 'EXTERNALLY_HANDLED',
        estimatedWaitTime: -1,
      });
      expect(phones.dialled).toEqual([]);
      await login('a1', '1001');
      await becomes(location, 'Handled EXTERNALLY_HANDLED');
      expect(phones.dialled.map((d) => d.endpoint)).toEqual(['PJSIP/1001', `PJSIP/${CUSTOMER}@carrier`]);
      const callID = phones.dialled[0]?.callID;
      const info = (await request('RequestGetCallInfo', { callID })) as { attachedData: Record<string, unknown> };
      expect(info.attachedData).toMatchObject({ cv_1: 'x', contactTitle: 'A question' });
      expect((await agent('a1'))?.callID).toBe(callID);
      hangUp(`PJSIP/${CUSTOMER}@carrier`);
      await free('a1');
      expect(await state(location)).toBe('Handled EXTERNALLY_HANDLED');
    });

    it('keeps its place where an agent does not answer, and goes to the next; nobody gets two calls', async () => {
      await begin();
      phones.manner = (e) => (e === 'PJSIP/1001' ? 'rings-out' : 'answers');
      const locations = [await post('back', CALLBACK), await post('back', CALLBACK)];
      await login('a1', '1001');
      await vi.waitFor(async () => expect((await agent('a1'))?.state).toBe('NotReady'), { timeout: 10_000 });
      expect(phones.dialled).toHaveLength(1);
      await login('a2', '1002');
      await becomes(locations[0] ?? '', 'Handled EXTERNALLY_HANDLED');
      expect(await state(locations[1] ?? '')).toBe('Queued EXTERNALLY_HANDLED');
      expect(customerLegs()).toBe(1);
      hangUp(`PJSIP/${CUSTOMER}@carrier`);
      await becomes(locations[1] ?? '', 'Handled EXTERNALLY_HANDLED');
      expect(customerLegs()).toBe(2);
    });

    it('is discarded where the customer cannot be reached, once its attempts are used up', async () => {
      await begin();
      phones.manner = (e) => (e.endsWith('@carrier') ? 'busy' : 'answers');
      await login('a1', '1001');
      const location = await post('twice', CALLBACK);
      await becomes(location, 'Discarded NOTIFICATION_UNKNOWN_ERROR');
      expect(customerLegs()).toBe(2);
      await free('a1');
    });

    it('is cancelled in time, and then nobody is called', async () => {
      await begin();
      const location = await post('back', CALLBACK);
      const cancel = await ask('DELETE', location);
      expect([cancel.status, cancel.json().status, cancel.json().statusReason]).toEqual([
        200,
        'Queued',
        'NOTIFICATION_CCE_CALLBACK_CANCELLED',
      ]);
      await becomes(location, 'Discarded NOTIFICATION_CCE_CALLBACK_CANCELLED');
      await login('a1', '1001');
      const other = await post('back', CALLBACK);
      await becomes(other, 'Handled EXTERNALLY_HANDLED');
      expect(customerLegs()).toBe(1);
      expect((await ask('DELETE', location)).status).toBe(400);
    });

    it('is handled where the agent was faster than the cancel', async () => {
      await begin();
      phones.manner = (e) => (e === 'PJSIP/1001' ? 'waits' : 'answers');
      await login('a1', '1001');
      const location = await post('back', CALLBACK);
      await vi.waitFor(() => expect(phones.dialled).toHaveLength(1), { timeout: 10_000 });
      expect((await ask('DELETE', location)).status).toBe(200);
      expect(await state(location)).toBe('Queued NOTIFICATION_CCE_CALLBACK_CANCELLED');
      phones.answer(phones.dialled[0]?.channel ?? '');
      await becomes(location, 'Handled EXTERNALLY_HANDLED');
      const late = await ask('DELETE', location);
      expect([late.status, late.json().status]).toEqual([400, 'Handled']);
    });

    it('is discarded where it was cancelled while an agent’s phone rang in vain', async () => {
      await begin();
      phones.manner = () => 'waits';
      await login('a1', '1001');
      const location = await post('back', CALLBACK);
      await vi.waitFor(() => expect(phones.dialled).toHaveLength(1), { timeout: 10_000 });
      await ask('DELETE', location);
      hangUp('PJSIP/1001');
      await becomes(location, 'Discarded NOTIFICATION_CCE_CALLBACK_CANCELLED');
      expect(customerLegs()).toBe(0);
    });

    it('rings nobody where there is no node, and goes on when there is one', async () => {
      await begin();
      const location = await post('back', CALLBACK);
      await vi.waitFor(() => expect(one.contacts.tickets(ACME)).toHaveLength(1), { timeout: 10_000 });
      phones.serving = false;
      await login('a1', '1001');
      await vi.waitFor(() => expect(one.contacts.tickets(ACME)).toEqual([]), { timeout: 10_000 });
      await free('a1');
      expect([phones.dialled, await state(location)]).toEqual([[], 'Queued EXTERNALLY_HANDLED']);
      phones.serving = true;
      await becomes(location, 'Handled EXTERNALLY_HANDLED');
    });

    it('goes to the queue to which its own overflows', async () => {
      const queues = [{ id: '8001', overflow: { afterSeconds: 1, to: { queue: '8002' } } }, { id: '8002' }];
      await begin(acme(FEEDS, { queues }));
      await request('RequestAgentLogin', { agentID: 'a2', thisDN: '1002', thisQueues: ['8002'], agentState: 1 });
      const [callback, task] = [await post('back', CALLBACK), await post('slow', TASK, 'task')];
      await becomes(callback, 'Handled EXTERNALLY_HANDLED');
      hangUp(`PJSIP/${CUSTOMER}@carrier`);
      await isOffered('a2');
      expect((await say(task, 'accept', 'a2')).status).toBe(200);
    });

    it('takes turns with what else waits, the longest waiting first', async () => {
      await begin();
      const first = await post('slow', TASK, 'task');
      const second = await post('back', CALLBACK);
      const third = await post('slow', TASK, 'task');
      expect((await get(third)).estimatedWaitTime).toBe(-1);
      await login('a1', '1001');
      await isOffered();
      expect((await get(third)).estimatedWaitTime).toBe(360);
      await say(first, 'accept');
      expect(phones.dialled).toEqual([]);
      await say(first, 'complete');
      await becomes(second, 'Handled EXTERNALLY_HANDLED');
      expect(await offered()).toEqual([]);
      hangUp(`PJSIP/${CUSTOMER}@carrier`);
      await isOffered();
    });

    it('survives a restart: waiting, at its place; and with its agent’s phone ringing', async () => {
      await begin();
      const prefix = `t${Math.random().toString(16).slice(2, 12)}`;
      await one.close();
      phones.manner = (e) => (e === 'PJSIP/1001' ? 'waits' : 'answers');
      await open(prefix);
      const [first, second] = [await post('back', CALLBACK), await post('back', CALLBACK)];
      await login('a1', '1001');
      await vi.waitFor(() => expect(phones.dialled).toHaveLength(1), { timeout: 10_000 });
      await one.close();
      await open(prefix);
      expect(await state(first)).toBe('Queued EXTERNALLY_HANDLED');
      phones.answer(phones.dialled[0]?.channel ?? '');
      await becomes(first, 'Handled EXTERNALLY_HANDLED');
      expect(await state(second)).toBe('Queued EXTERNALLY_HANDLED');
      expect(phones.dialled).toHaveLength(2);
      await login('a2', '1002');
      await becomes(second, 'Handled EXTERNALLY_HANDLED');
    });
  });

  describe('a task', () => {
    it('is offered, reserved and handled by its agent, who has nothing else meanwhile', async () => {
      await begin();
      const location = await post('slow', TASK, 'task');
      expect(await state(location)).toBe('Queued EXTERNALLY_ROUTED');
      await login('a1', '1001');
      await isOffered();
      expect((await offered())[0]).toMatchObject({ state: 'offered', queue: '8001', message: { title: 'An email' } });
      const callback = await post('back', CALLBACK);
      expect((await say(location, 'accept', 'a2')).status).toBe(409);
      expect((await say(location, 'complete')).status).toBe(409);
      expect((await say(location, 'accept')).status).toBe(200);
      expect(await get(location)).toMatchObject({
        status: 'Reserved',
        statusReason: 'EXTERNALLY_ROUTED',
        agentId: 'a1',
      });
      const late = await ask('DELETE', location);
      expect([late.status, late.json().status, late.json().statusReason]).toEqual([
        400,
        'Reserved',
        'EXTERNALLY_ROUTED',
      ]);
      expect(phones.dialled).toEqual([]);
      expect((await say(location, 'complete')).status).toBe(200);
      expect(await state(location)).toBe('Handled EXTERNALLY_HANDLED');
      await becomes(callback, 'Handled EXTERNALLY_HANDLED');
    });

    it('is offered again where it was not accepted, and told so', async () => {
      await begin();
      const location = await post('work', TASK, 'task');
      await login('a1', '1001');
      await isOffered();
      await vi.waitFor(async () => expect((await agent('a1'))?.state).toBe('NotReady'), { timeout: 10_000 });
      expect(await offered()).toEqual([]);
      await login('a2', '1002');
      await becomes(location, 'Queued TASK_RENOTIFY_REQUESTED');
      await isOffered('a2');
      expect((await say(location, 'decline', 'a2')).status).toBe(200);
      await vi.waitFor(async () => expect((await agent('a2'))?.state).toBe('NotReady'), { timeout: 10_000 });
      await request('RequestAgentReady', { agentID: 'a2' });
      await isOffered('a2');
      expect((await say(location, 'accept', 'a2')).status).toBe(200);
    });

    it('is cancelled before it is accepted, and its agent is free at once', async () => {
      await begin();
      const [waiting, other] = [await post('slow', TASK, 'task'), await post('slow', TASK, 'task')];
      expect((await ask('DELETE', other)).status).toBe(200);
      await becomes(other, 'Discarded NOTIFICATION_CCE_TASK_CANCELLED');
      await login('a1', '1001');
      await isOffered();
      const cancel = await ask('DELETE', waiting);
      expect(cancel.json().statusReason).toBe('NOTIFICATION_CCE_TASK_CANCELLED');
      await becomes(waiting, 'Discarded NOTIFICATION_CCE_TASK_CANCELLED');
      expect((await say(waiting, 'accept')).status).toBe(409);
      await free('a1');
    });

    it('survives a restart: its agent has it still, and nothing else', async () => {
      await begin();
      const prefix = `t${Math.random().toString(16).slice(2, 12)}`;
      await one.close();
      await open(prefix);
      const location = await post('slow', TASK, 'task');
      await login('a1', '1001');
      await isOffered();
      await say(location, 'accept');
      await one.close();
      await open(prefix);
      const callback = await post('back', CALLBACK);
      expect(await state(location)).toBe('Reserved EXTERNALLY_ROUTED');
      expect(await state(callback)).toBe('Queued EXTERNALLY_HANDLED');
      expect((await say(location, 'complete')).status).toBe(200);
      await becomes(callback, 'Handled EXTERNALLY_HANDLED');
    });
  });

  it('fifty cancels against fifty agents: each contact is either cancelled or called, and never both', async () => {
    await begin();
    await login('a1', '1001');
    for (let n = 0; n < 50; n++) {
      const called = customerLegs();
      const location = await post('back', CALLBACK);
      for (let i = 0; i < n % 12; i++) await new Promise((resolve) => setImmediate(resolve));
      await ask('DELETE', location);
      await vi.waitFor(async () => expect(['Handled', 'Discarded']).toContain((await get(location)).status), {
        timeout: 10_000,
        interval: 2,
      });
      const { status, statusReason } = await get(location);
      if (status === 'Discarded') {
        expect(statusReason).toBe('NOTIFICATION_CCE_CALLBACK_CANCELLED');
        expect(customerLegs()).toBe(called);
      } else {
        expect(customerLegs()).toBe(called + 1);
        hangUp(`PJSIP/${CUSTOMER}@carrier`);
      }
      await free('a1');
    }
  });

  it('fifty cancels against fifty accepts of tasks: one of the two has it', async () => {
    await begin();
    await login('a1', '1001');
    for (let n = 0; n < 50; n++) {
      const location = await post('slow', TASK, 'task');
      await isOffered();
      const both = n % 2 === 0 ? [ask('DELETE', location), say(location, 'accept')] : [];
      const turned = n % 2 === 0 ? [] : [say(location, 'accept'), ask('DELETE', location)].toReversed();
      const [cancel, accept] = await Promise.all([...both, ...turned]);
      const accepted = accept?.status === 200;
      expect(cancel?.status).toBe(accepted ? 400 : 200);
      if (accepted) expect((await say(location, 'complete')).status).toBe(200);
      await becomes(location, accepted ? 'Handled EXTERNALLY_HANDLED' : 'Discarded NOTIFICATION_CCE_TASK_CANCELLED');
      await free('a1');
    }
  });

  it('every reason of a discard', async () => {
    await begin();
    const with_ = (change: Record<string, string>): string => {
      const fields = { name: 'Ann', title: 'A', mediaAddress: CUSTOMER, ...change };
      return `<Contact>${Object.entries(fields)
        .map(([k, v]) => `<${k}>${v}</${k}>`)
        .join('')}</Contact>`;
    };
    const reason = async (feed: string, body: string, kind = 'callback') => {
      const { status, statusReason } = await get(await post(feed, body, kind));
      expect(status).toBe('Discarded');
      return statusReason;
    };
    expect(await reason('back', '<Contact><name>Ann</name></Contact>')).toBe('NOTIFICATION_INVALID_NEW_TASK_MESSAGE');
    expect(await reason('closed', CALLBACK)).toBe('NOTIFICATION_MEDIA_ROUTING_DISABLED');
    expect(await reason('unmapped', CALLBACK)).toBe('NOTIFICATION_NO_SCRIPT');
    expect(await reason('unknown', CALLBACK)).toBe('NOTIFICATION_INVALID_SCRIPT_SELECTOR');
    expect(await reason('work', CALLBACK)).toBe('NOTIFICATION_INVALID_SCRIPT_SELECTOR');
    expect(await reason('choose', with_({ scriptSelector: 'other' }))).toBe('NOTIFICATION_INVALID_SCRIPT_SELECTOR');
    expect(await reason('lost', CALLBACK)).toBe('NOTIFICATION_INVALID_MRD_ID');
    expect(await reason('back', with_({ name: 'n'.repeat(101) }))).toBe('NOTIFICATION_INVALID_VALUES');
    expect(await reason('back', with_({ mediaAddress: 'not a number' }))).toBe('NOTIFICATION_INVALID_VALUES');
    expect(await reason('back', with_({ mediaAddress: '1001' }))).toBe('NOTIFICATION_INVALID_VALUES');
    await post('few', CALLBACK);
    expect(await reason('few', CALLBACK)).toBe('NOTIFICATION_RATE_LIMITED');
    await post('rare', CALLBACK);
    expect(await reason('rare', CALLBACK)).toBe('NOTIFICATION_RATE_LIMITED');
    expect((await ask('POST', '/ccp/rest/callback/feed/rare', CALLBACK)).status).toBe(429);
    phones.serving = false;
    expect(await reason('back', CALLBACK)).toBe('NOTIFICATION_CCE_CONNECTION_LOST');
    phones.serving = true;
    const chosen = await post('choose', with_({ scriptSelector: 'sales' }));
    await becomes(chosen, 'Queued EXTERNALLY_HANDLED');
    expect(phones.dialled).toEqual([]);
  });

  it('without a way out there is no route; a call that a restart knows nothing of is given up', async () => {
    await begin(acme(FEEDS, { trunk: undefined }));
    const stuck = await post('back', CALLBACK);
    expect(await state(stuck)).toBe('Discarded NOTIFICATION_ROUTER_RELEASED');
    await one.close();
    phones = new Telephones();
    const { store } = newStore(inject('redisUrl'));
    stores.push(store);
    await store.connected();
    const id = '00000000-0000-4000-8000-000000000001';
    const json = JSON.stringify({
      id,
      companyId: ACME,
      kind: 'callback',
      feedId: 'back',
      queue: '8001',
      message: { name: 'Ann', title: 'A', mediaAddress: CUSTOMER },
      status: 'Queued',
      reason: 'EXTERNALLY_HANDLED',
      at: 1,
      phase: 'calling',
      ticket: `${'0'.repeat(32)}004`,
      agent: { dn: '1001', agentID: 'a1', assignment: 1, at: 1 },
      since: 1,
      attempts: 0,
      offers: 0,
      createdAt: 1,
    });
    await store.contacts.commit({ companyId: ACME, id, json, version: 0 });
    one = await process(store, phones, acme(FEEDS));
    await becomes(`/ccp/rest/callback/contact/${id}`, 'Discarded NOTIFICATION_CCE_CCP_FAILED');
    expect(phones.dialled).toEqual([]);
  });

  describe('what is sent and answered', () => {
    it('is XML, or JSON where it is asked for', async () => {
      await begin();
      const xml = await ask('POST', '/ccp/rest/callback/feed/back', CALLBACK, { accept: '*/*' });
      expect(xml.text).toMatch(
        /^<\?xml version="1.0" encoding="UTF-8"\?><Contact><status>Queued<\/status><statusReason>EXTERNALLY_HANDLED<\/statusReason><statusTimestamp>\d{13}<\/statusTimestamp><estimatedWaitTime>-?\d+<\/estimatedWaitTime><\/Contact>$/,
      );
      const sent = JSON.stringify({ name: 'Ann', title: 'A', mediaAddress: CUSTOMER, tags: ['x'], variables: [] });
      const json = { 'content-type': 'application/json', accept: '*/*' };
      const posted = await ask('POST', '/ccp/rest/callback/feed/back', sent, json);
      expect([posted.status, posted.json().status]).toEqual([201, 'Queued']);
      expect((await ask('GET', posted.location, undefined, { accept: 'text/xml' })).text).toContain('<status>Queued');
      expect(
        (await ask('GET', posted.location, undefined, { accept: 'text/xml;q=0.9, application/json' })).text,
      ).toContain('<Contact>');
    });

    it('hostile and broken bodies get their status, and nothing comes of them', async () => {
      await begin();
      await login('a1', '1001');
      const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
      const xml: Readonly<Record<string, string>> = {
        'no XML': 'hello',
        empty: '',
        'cut off': CALLBACK.slice(0, -5),
        'an entity': CALLBACK.replace('Ann &amp; Co', '&company;'),
        'a declared entity': `<!DOCTYPE Contact [<!ENTITY company "x">]>${CALLBACK.slice(39)}`,
        'an external entity': `<!DOCTYPE Contact [<!ENTITY x SYSTEM "file:///etc/passwd">]><Contact>&x;</Contact>`,
        'an external DTD': '<!DOCTYPE Contact SYSTEM "http://127.0.0.1/x.dtd"><Contact/>',
        'billion laughs': `<!DOCTYPE Contact [<!ENTITY l0 "l">${laughs}]><Contact><name>&l9;</name></Contact>`,
        'a stylesheet': `<?xml-stylesheet href="http://127.0.0.1/"?><Contact/>`,
        'too deep': `<Contact>${'<a>'.repeat(20)}${'</a>'.repeat(20)}</Contact>`,
        'far too deep': `<Contact>${'<a>'.repeat(5_000)}${'</a>'.repeat(5_000)}</Contact>`,
        'too many elements': `<Contact>${'<a>1</a>'.repeat(2_000)}</Contact>`,
        'another root': '<Order><name>Ann</name></Order>',
        'two roots': '<Contact/><Contact/>',
        'a prototype': '<__proto__><name>Ann</name></__proto__>',
      };
      for (const [what, body] of Object.entries(xml)) {
        const { status, text } = await ask('POST', '/ccp/rest/callback/feed/back', body);
        expect([what, status]).toEqual([what, 400]);
        expect(text).not.toContain('root:');
      }
      const json = { 'content-type': 'application/json' };
      for (const body of [
        '{',
        '',
        `{"a":${'['.repeat(50)}${']'.repeat(50)}}`,
        `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      ]) {
        expect((await ask('POST', '/ccp/rest/callback/feed/back', body, json)).status).toBe(400);
      }
      for (const body of [
        '[]',
        'null',
        '7',
        '{"name":1,"title":"A","mediaAddress":"911140001234"}',
        '{"name":"Ann","title":"A","mediaAddress":["911140001234"]}',
        '{"name":"Ann","title":"A","mediaAddress":"911140001234","variables":{"a":"b"}}',
      ]) {
        const answer = await ask('POST', '/ccp/rest/callback/feed/back', body, json);
        expect([body, answer.status, answer.json().statusReason]).toEqual([
          body,
          201,
          'NOTIFICATION_INVALID_NEW_TASK_MESSAGE',
        ]);
      }
      for (const [body, reason] of [
        [
          '<Contact><name>A</name><name>B</name><title>A</title><mediaAddress>911140001234</mediaAddress></Contact>',
          'TWICE',
        ],
        ['<Contact><name><b>A</b></name><title>A</title><mediaAddress>911140001234</mediaAddress></Contact>', 'NESTED'],
      ]) {
        const answer = await ask('POST', '/ccp/rest/callback/feed/back', body);
        expect([reason, answer.json().statusReason]).toEqual([reason, 'NOTIFICATION_INVALID_NEW_TASK_MESSAGE']);
      }
      expect((await ask('POST', '/ccp/rest/callback/feed/back', 'a=b', { 'content-type': 'text/csv' })).status).toBe(
        415,
      );
      const large = `<Contact><name>${'n'.repeat(20_000_000)}</name></Contact>`;
      expect((await ask('POST', '/ccp/rest/callback/feed/back', large)).status).toBe(413);
      expect(phones.dialled).toEqual([]);
      expect(one.contacts.tickets(ACME)).toEqual([]);
    });

    it('strangers are turned away, and ids of the other kind are unknown', async () => {
      await begin();
      const location = await post('back', CALLBACK);
      const from = (remoteAddress: string) => one.http.inject({ method: 'GET', url: location, remoteAddress });
      expect((await from('192.0.2.1')).statusCode).toBe(403);
      expect((await from('127.0.0.1')).statusCode).toBe(200);
      expect((await ask('GET', location.replace('callback', 'task'))).status).toBe(404);
      expect((await ask('DELETE', location.replace('callback', 'task'))).status).toBe(404);
      expect((await ask('GET', '/ccp/rest/callback/contact/nothing')).status).toBe(404);
      expect((await ask('GET', '/ccp/rest/task/agent/a1')).status).toBe(401);
      const word = `${location.replace('callback', 'task')}/accept`;
      const json = { 'content-type': 'application/json', authorization: 'agent' };
      expect((await ask('POST', word, '{"agentID":"a1"}', json)).status).toBe(404);
      expect((await ask('POST', word, '{}', json)).status).toBe(400);
    });
  });
});
