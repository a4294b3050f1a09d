import { describe, expect, it } from 'vitest';
import { callOf, FloorStory } from './floor-story.ts';

const story = () => new FloorStory();

describe('a queue', () => {
  it('gives the longest waiting call to the longest idle agent', () => {
    const s = story().login('1001', { agentState: 2 }).login('1002', { agentState: 2 });
    s.waits(1).after(1).waits(2).after(1).waits(3);
    s.after(1).ready('1002').after(1).ready('1001');
    expect(s.asked()).toEqual(['assign 1 1002', 'assign 2 1001']);
    expect(s.agent('1001')).toMatchObject({ status: 'ACQUIRED', acquired: { callID: callOf(2), assignment: 1 } });
    s.obey().answers(1).answers(2).over(2);
    expect(s.asked()).toEqual(['assign 3 1001']);
  });

  it('tries the next agent after one who missed, and the caller keeps his place', () => {
    const s = story().login('1001').after(1).login('1002').waits(1).obey().after(1).waits(2).obey();
    expect([s.present(1)?.dn, s.present(2)?.dn]).toEqual(['1001', '1002']);
    s.misses(1);
    expect(s.last('EventAgentNotReady')).toMatchObject({
      thisDN: '1001',
      reasonCode: 97,
      attachedData: { callID: callOf(1) },
    });
    s.after(1).waits(3).over(2);
    expect(s.asked()).toEqual(['assign 1 1002']);
  });

  it('lets an agent go whose caller has left, at his old place among the idle', () => {
    const s = story().login('1001').after(1).login('1002').after(1).waits(1).obey().after(1).over(1);
    expect(s.agent('1001')).toMatchObject({ state: 'Ready', status: 'AVAILABLE' });
    s.waits(2);
    expect(s.asked()).toEqual(['assign 2 1001']);
  });

  it('frees the agent of an assignment that came too late', () => {
    const s = story().login('1001').waits(1).over(1).obey();
    expect(s.agent('1001')).toMatchObject({ status: 'AVAILABLE' });
    expect(s.agent('1001').acquired).toBeUndefined();
  });

  it('sends on who has waited too long, to another queue at the place of his waiting', () => {
    const s = story().waits(1, '8002').after(5_000).waits(2).after(14_999).tick();
    expect(s.asked()).toEqual([]);
    s.after(1).tick();
    expect(s.asked()).toEqual(['to-queue 1 8001']);
    s.obey().login('1001');
    expect(s.asked()).toEqual(['assign 1 1001']);
  });

  it('sends on to a number once, and the caller goes on waiting where nobody answers there', () => {
    const s = story().waits(1, '8003').after(10_000).tick();
    expect(s.asked()).toEqual(['to-number 1 +911140000009']);
    s.obey().login('1001', { queues: ['8003'] });
    expect(s.asked()).toEqual([]);
    s.misses(1);
    expect(s.asked()).toEqual(['assign 1 1001']);
    s.obey().misses(1).after(60_000).tick();
    expect(s.asked()).toEqual([]);
  });

  it('does not send on a call for which somebody is being rung', () => {
    const s = story()
      .login('1001', { queues: ['8003'] })
      .waits(1, '8003')
      .obey()
      .after(60_000)
      .tick();
    expect(s.asked()).toEqual([]);
    s.misses(1);
    expect(s.asked()).toEqual(['to-number 1 +911140000009']);
  });

  it('serves a call again that comes back to it from an agent, who is asked like any other once he is free', () => {
    const s = story().login('1001').after(1).login('1002').waits(1).obey().after(1).answers(1);
    s.after(1).handsOn(1, '8001');
    expect(s.asked()).toEqual(['assign 1 1002']);
    s.obey().misses(1);
    expect(s.agent('1002')).toMatchObject({ state: 'NotReady' });
    expect(s.asked()).toEqual(['assign 1 1001']);
    s.obey();
    expect(s.agent('1001').acquired).toMatchObject({ assignment: 3 });
  });

  it('does not give a call back to whom it came from while he does after-call work', () => {
    const s = story().login('1001').waits(1).obey().answers(1, 30).after(1).handsOn(1, '8001');
    expect([s.agent('1001').state, s.asked()]).toEqual(['NotReady', []]);
    s.after(30_000).tick();
    expect(s.asked()).toEqual(['assign 1 1001']);
  });

  it('takes its calls up after a restart, and assigns again what never reached its call', () => {
    const s = story().login('1001').waits(1).restart();
    expect(s.asked()).toEqual(['assign 1 1001']);
    s.obey().restart();
    expect(s.agent('1001').acquired).toEqual({ callID: callOf(1), queue: '8001', dn: '1001', assignment: 1 });
    s.answers(1).restart().over(1);
    expect(s.agent('1001').status).toBe('AVAILABLE');
  });

  it('frees agents from calls that ended while nobody listened, with the after-call work that is due', () => {
    const s = story().login('1001').login('1002').waits(1).obey().answers(1, 30).direct(2, '1002');
    const call = s.calls.get(callOf(1));
    if (call) call.parties = call.parties.map((p) => ({ ...p, present: false }));
    s.calls.delete(callOf(2));
    const ended = s.noteFor(callOf(1));
    s.calls.delete(callOf(1));
    s.effects.length = 0;
    s.happens({ kind: 'recover', live: [], over: [ended] });
    expect(s.last('EventAgentNotReady')).toMatchObject({ reasonCode: 4, recovered: true });
    expect(s.agent('1002').status).toBe('AVAILABLE');
  });
});
