import { afterEach, describe, expect, it, vi } from 'vitest';
import { CALLBACK, ContactCentre, TASK } from '../support/contact-centre.ts';

describe('contacts', () => {
  const centre = new ContactCentre();
  const { begin, ask, post, get, state, becomes, request, login, agent, free, say, offered, isOffered, restart } =
    centre;

  afterEach(() => centre.close());

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
      expect(centre.phones.dialled).toEqual([]);
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
      const location = await post('slow', TASK, 'task');
      await login('a1', '1001');
      await isOffered();
      await say(location, 'accept');
      await restart();
      const callback = await post('back', CALLBACK);
      expect(await state(location)).toBe('Reserved EXTERNALLY_ROUTED');
      expect(await state(callback)).toBe('Queued EXTERNALLY_HANDLED');
      expect((await say(location, 'complete')).status).toBe(200);
      await becomes(callback, 'Handled EXTERNALLY_HANDLED');
    });
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
});
