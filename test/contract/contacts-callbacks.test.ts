import { afterEach, describe, expect, it, vi } from 'vitest';
import { CALLBACK, ContactCentre, CUSTOMER, FEEDS, TASK } from '../support/contact-centre.ts';
import { ACME, acme } from '../support/contacts-harness.ts';

describe('contacts', () => {
  const centre = new ContactCentre();
  const {
    begin,
    ask,
    post,
    get,
    state,
    becomes,
    request,
    login,
    agent,
    free,
    say,
    offered,
    isOffered,
    hangUp,
    customerLegs,
    restart,
  } = centre;

  afterEach(() => centre.close());

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
      expect(centre.phones.dialled).toEqual([]);
      await login('a1', '1001');
      await becomes(location, 'Handled EXTERNALLY_HANDLED');
      expect(centre.phones.dialled.map((d) => d.endpoint)).toEqual(['PJSIP/1001', `PJSIP/${CUSTOMER}@carrier`]);
      const callID = centre.phones.dialled[0]?.callID;
      const info = (await request('RequestGetCallInfo', { callID })) as { attachedData: Record<string, unknown> };
      expect(info.attachedData).toMatchObject({ cv_1: 'x', contactTitle: 'A question' });
      expect((await agent('a1'))?.callID).toBe(callID);
      hangUp(`PJSIP/${CUSTOMER}@carrier`);
      await free('a1');
      expect(await state(location)).toBe('Handled EXTERNALLY_HANDLED');
    });

    it('keeps its place where an agent does not answer, and goes to the next; nobody gets two calls', async () => {
      await begin();
      centre.phones.manner = (e) => (e === 'PJSIP/1001' ? 'rings-out' : 'answers');
      const locations = [await post('back', CALLBACK), await post('back', CALLBACK)];
      await login('a1', '1001');
      await vi.waitFor(async () => expect((await agent('a1'))?.state).toBe('NotReady'), { timeout: 10_000 });
      expect(centre.phones.dialled).toHaveLength(1);
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
      centre.phones.manner = (e) => (e.endsWith('@carrier') ? 'busy' : 'answers');
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
      centre.phones.manner = (e) => (e === 'PJSIP/1001' ? 'waits' : 'answers');
      await login('a1', '1001');
      const location = await post('back', CALLBACK);
      await vi.waitFor(() => expect(centre.phones.dialled).toHaveLength(1), { timeout: 10_000 });
      expect((await ask('DELETE', location)).status).toBe(200);
      expect(await state(location)).toBe('Queued NOTIFICATION_CCE_CALLBACK_CANCELLED');
      centre.phones.answer(centre.phones.dialled[0]?.channel ?? '');
      await becomes(location, 'Handled EXTERNALLY_HANDLED');
      const late = await ask('DELETE', location);
      expect([late.status, late.json().status]).toEqual([400, 'Handled']);
    });

    it('is discarded where it was cancelled while an agent’s phone rang in vain', async () => {
      await begin();
      centre.phones.manner = () => 'waits';
      await login('a1', '1001');
      const location = await post('back', CALLBACK);
      await vi.waitFor(() => expect(centre.phones.dialled).toHaveLength(1), { timeout: 10_000 });
      await ask('DELETE', location);
      hangUp('PJSIP/1001');
      await becomes(location, 'Discarded NOTIFICATION_CCE_CALLBACK_CANCELLED');
      expect(customerLegs()).toBe(0);
    });

    it('rings nobody where there is no node, and goes on when there is one', async () => {
      await begin();
      const location = await post('back', CALLBACK);
      await vi.waitFor(() => expect(centre.process.contacts.tickets(ACME)).toHaveLength(1), { timeout: 10_000 });
      centre.phones.serving = false;
      await login('a1', '1001');
      await vi.waitFor(() => expect(centre.process.contacts.tickets(ACME)).toEqual([]), { timeout: 10_000 });
      await free('a1');
      expect([centre.phones.dialled, await state(location)]).toEqual([[], 'Queued EXTERNALLY_HANDLED']);
      centre.phones.serving = true;
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
      expect(centre.phones.dialled).toEqual([]);
      await say(first, 'complete');
      await becomes(second, 'Handled EXTERNALLY_HANDLED');
      expect(await offered()).toEqual([]);
      hangUp(`PJSIP/${CUSTOMER}@carrier`);
      await isOffered();
    });

    it('survives a restart: waiting, at its place; and with its agent’s phone ringing', async () => {
      await begin();
      centre.phones.manner = (e) => (e === 'PJSIP/1001' ? 'waits' : 'answers');
      const [first, second] = [await post('back', CALLBACK), await post('back', CALLBACK)];
      await login('a1', '1001');
      await vi.waitFor(() => expect(centre.phones.dialled).toHaveLength(1), { timeout: 10_000 });
      await restart();
      expect(await state(first)).toBe('Queued EXTERNALLY_HANDLED');
      centre.phones.answer(centre.phones.dialled[0]?.channel ?? '');
      await becomes(first, 'Handled EXTERNALLY_HANDLED');
      expect(await state(second)).toBe('Queued EXTERNALLY_HANDLED');
      expect(centre.phones.dialled).toHaveLength(2);
      await login('a2', '1002');
      await becomes(second, 'Handled EXTERNALLY_HANDLED');
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

  it('without a way out there is no route; a call that a restart knows nothing of is given up', async () => {
    await begin(acme(FEEDS, { trunk: undefined }));
    const stuck = await post('back', CALLBACK);
    expect(await state(stuck)).toBe('Discarded NOTIFICATION_ROUTER_RELEASED');
    await centre.process.close();
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
    await begin(acme(FEEDS), (store) => store.contacts.commit({ companyId: ACME, id, json, version: 0 }));
    await becomes(`/ccp/rest/callback/contact/${id}`, 'Discarded NOTIFICATION_CCE_CCP_FAILED');
    expect(centre.phones.dialled).toEqual([]);
  });
});
