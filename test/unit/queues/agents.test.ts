import { describe, expect, it } from 'vitest';
import { AgentID } from '../../../src/cti/ids.ts';
import { callOf, FloorStory, T0 } from './floor-story.ts';

const story = () => new FloorStory();

describe('an agent', () => {
  it('logs in, is ready, not ready and logs out, with the fields of the seed', () => {
    const s = story().login('1001', {
      queues: ['8001', '8002'],
      phoneType: 4,
      agentState: 2,
      reasonCode: 2,
      referenceID: 1001,
    });
    const common = {
      companyId: 'acme',
      agentID: 'a1001',
      agentUUID: '00000000000000000000000000001001',
      thisDN: '1001',
      thisQueues: ['8001', '8002'],
      creationTime: T0,
    };
    s.ready('1001', undefined, 1002).notReady('1001', 11, 1003).logout('1001');
    expect(s.events).toEqual([
      {
        messageID: 'EventAgentLogin',
        ...common,
        referenceID: 1001,
        phoneType: 4,
        agentState: 2,
        reasonCode: 2,
        agentStatus: 'PAUSED',
      },
      { messageID: 'EventAgentReady', ...common, referenceID: 1002, reasonCode: 0, agentStatus: 'AVAILABLE' },
      { messageID: 'EventAgentNotReady', ...common, referenceID: 1003, reasonCode: 11, agentStatus: 'PAUSED' },
      { messageID: 'EventAgentLogout', ...common, referenceID: 0, agentStatus: 'RELEASED' },
    ]);
  });

  it('is refused what cannot be', () => {
    const s = story().login('1001').login('1002');
    const names: (string | undefined)[] = [];
    for (const ask of [
      () => s.login('1001', { dn: '1003' }),
      () => s.login('1009', { dn: '1002' }),
      () => s.login('1003', { queues: ['8001', '9999'] }),
      () => s.ready('1004'),
      () => s.logout('1001').ready('1001'),
      () => s.happens({ kind: 'ready', dn: '1005', referenceID: 0 }),
      () => s.happens({ kind: 'ready', agentID: AgentID.parse('a1002'), dn: '1001', referenceID: 0 }),
      () => s.delay('1002', 10),
    ]) {
      ask();
      names.push(s.refusal);
    }
    expect(names).toEqual([
      'RegisterDNNotMatch',
      'Unknown',
      'InvalidParams',
      'NotFoundAgentID',
      'NotFoundAgentID',
      'NotFoundAgent',
      'RegisterDNNotMatch',
      'InvalidAgentState',
    ]);
  });

  it('is not ready when the phone is lost, told once, and not made ready by its return', () => {
    const s = story().login('1001').loses('1001').loses('1001');
    expect(s.told()).toEqual(['EventAgentLogin(1001)', 'EventAgentNotReady(1001)']);
    expect(s.last('EventAgentNotReady').reasonCode).toBe(98);
    expect(s.agent('1001')).toMatchObject({ state: 'NotReady', status: 'PAUSED' });
  });

  it('is in a direct call without being given another, and available after it', () => {
    const s = story().login('1001').direct(1, '1001').note(1, { dn: '1001', status: 'Connected' }).waits(2);
    expect(s.effects).toEqual([]);
    expect(s.agent('1001').status).toBe('Connected');
    s.calls.get(callOf(2));
    s.over(1);
    expect(s.agent('1001').status).toBe('ACQUIRED');
    expect(s.asked()).toEqual(['assign 2 1001']);
  });

  it('who logs in on a phone that is in a call is given no other until it is over', () => {
    const s = story().direct(1, '1001').login('1001').waits(2);
    expect(s.effects).toEqual([]);
    s.over(1);
    expect(s.asked()).toEqual(['assign 2 1001']);
  });
});

describe('after-call work', () => {
  const served = (wrapUp = 30) => story().login('1001').waits(1).obey().answers(1, wrapUp);

  it('begins at the release of a queue’s call and ends by itself', () => {
    const s = served().after(5_000).over(1);
    expect(s.last('EventAgentNotReady')).toMatchObject({
      reasonCode: 4,
      agentStatus: 'PAUSED',
      attachedData: { loginState: '1', callID: callOf(1) },
    });
    s.after(29_999).tick();
    expect(s.agent('1001').state).toBe('NotReady');
    s.after(1).tick();
    expect(s.last('EventAgentReady')).toMatchObject({
      reasonCode: 4,
      agentStatus: 'AVAILABLE',
      attachedData: { callID: callOf(1) },
    });
    expect(s.agent('1001').idleSince).toBe(s.now);
  });

  it('does not begin where the queue has none, nor after a call of no queue', () => {
    const s = served(0).over(1).direct(2, '1001').over(2);
    expect(s.told()).toEqual(['EventAgentLogin(1001)']);
    expect(s.agent('1001')).toMatchObject({ state: 'Ready', status: 'AVAILABLE' });
  });

  it('gives back the reason of an agent who was not ready before', () => {
    const s = served().notReady('1001', 11).over(1);
    expect(s.last('EventAgentNotReady').attachedData).toEqual({ loginState: '2', callID: callOf(1) });
    s.after(30_000).tick();
    expect(s.last('EventAgentNotReady')).toMatchObject({ reasonCode: 11 });
    expect(s.agent('1001').state).toBe('NotReady');
  });

  it('ends when the agent says ready, and is delayed on request', () => {
    const s = served().over(1).delay('1001', 90);
    expect(s.last('EventDelayAfterCallWork')).toMatchObject({
      callID: callOf(1),
      partyID: `${callOf(1)}-1`,
      expirationTime: s.now + 90_000,
      referenceID: 5,
    });
    s.after(89_999).tick();
    expect(s.agent('1001').state).toBe('NotReady');
    s.ready('1001');
    expect(s.last('EventAgentReady').reasonCode).toBe(4);
    s.told();
    s.after(100_000).tick();
    expect(s.told()).toEqual([]);
  });

  it('goes on across a restart, and one whose time is up meanwhile ends at once', () => {
    const s = served().over(1).after(10_000).restart();
    expect(s.agent('1001')).toMatchObject({ state: 'NotReady', reasonCode: 4 });
    s.after(25_000).restart();
    expect(s.agent('1001').state).toBe('Ready');
    expect(s.last('EventAgentReady').recovered).toBe(true);
  });
});
