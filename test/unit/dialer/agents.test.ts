import { describe, expect, it } from 'vitest';
import type { CtiEvent } from '../../../src/cti/events.ts';
import { Agents } from '../../../src/dialer/agents.ts';
import { Pace } from '../../../src/dialer/pace.ts';
import { callID } from '../../support/dialer-kit.ts';

const ALL = ['1001', '1002'];

/** An event with what is read of it here. */
const event = (messageID: CtiEvent['messageID'], thisDN: string, more: object = {}): CtiEvent =>
  ({ messageID, thisDN, callID: callID(1), partyID: `${callID(1)}-1`, ...more }) as unknown as CtiEvent;

describe('which agent is called', () => {
  it('is the one idle for longest, and never one who is being called', () => {
    const agents = new Agents();
    expect(agents.free(ALL)).toBe('1001');
    agents.take('1001', 'a');
    expect(agents.free(ALL)).toBe('1002');
    agents.take('1002', 'b');
    expect(agents.free(ALL)).toBeUndefined();
    agents.giveBack('1002', 'another');
    expect(agents.free(ALL)).toBeUndefined();
    agents.giveBack('1002', 'b');
    agents.giveBack('1001', 'a');
    expect(agents.free(ALL)).toBe('1002');
    expect(agents.free(ALL, '1001')).toBe('1001');
    expect(agents.free(ALL, '1009')).toBeUndefined();
  });

  it('is nobody who is in a call of somebody else’s', () => {
    const agents = new Agents();
    for (const name of ['EventDialing', 'EventRinging', 'EventEstablished'] as const) {
      agents.hear(event(name, '1001'));
      expect(agents.free(['1001'])).toBeUndefined();
      agents.hear(event('EventReleased', '1001'));
      expect(agents.free(['1001'])).toBe('1001');
    }
    agents.hear(event('EventRinging', '1001'));
    agents.hear(event('EventCallDeleted', '1001'));
    expect(agents.free(['1001'])).toBe('1001');
  });

  it('is nobody who is not ready', () => {
    const agents = new Agents();
    agents.hear(event('EventAgentLogin', '1001', { agentState: 2 }));
    expect(agents.free(['1001'])).toBeUndefined();
    agents.hear(event('EventAgentReady', '1001'));
    expect(agents.free(['1001'])).toBe('1001');
    agents.hear(event('EventAgentNotReady', '1001'));
    expect(agents.free(['1001'])).toBeUndefined();
    agents.found('1001', true);
    expect(agents.free(['1001'])).toBe('1001');
    agents.hear(event('EventAgentLogout', '1001'));
    expect(agents.free(['1001'])).toBeUndefined();
  });
});

describe('calls per second', () => {
  it('begin with one, and are those of one second at once at most', () => {
    const pace = new Pace(2, 0);
    expect(pace.room(0)).toBe(1);
    expect(pace.room(1_000)).toBe(2);
    pace.take();
    pace.take();
    expect([pace.room(1_000), pace.nextAt(1_000)]).toEqual([0, 1_500]);
    expect(pace.room(1_499)).toBe(0);
    expect(pace.room(1_500)).toBe(1);
    expect(pace.room(60_000)).toBe(2);
    expect(pace.room(0)).toBe(2);
  });
});
