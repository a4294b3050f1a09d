import { describe, expect, it } from 'vitest';
import type { CtiEvent } from '../../../src/cti/events.ts';
import { CompanyId } from '../../../src/cti/ids.ts';
import { Agents } from '../../../src/dialer/agents.ts';
import { readAgents } from '../../../src/dialer/agents-now.ts';
import { Pace } from '../../../src/dialer/pace.ts';
import type { Caller, RequestOutcome, Requests } from '../../../src/ports.ts';
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

describe('what is known of agents', () => {
  it('can be read anew after a hole in the log; who is being called is not forgotten', () => {
    const agents = new Agents();
    agents.hear(event('EventDialing', '1001'));
    agents.hear(event('EventAgentNotReady', '1002'));
    agents.take('1003', 'a');
    agents.forgetCalls();
    agents.forgetAway();
    expect(['1001', '1002', '1003'].map((dn) => agents.free([dn]))).toEqual(['1001', '1002', undefined]);
  });

  it('is what is so now, as far as it can be read', async () => {
    const agents = new Agents();
    agents.hear(event('EventDialing', '1001'));
    agents.hear(event('EventAgentNotReady', '1002'));
    const answers: Record<string, RequestOutcome> = {
      RequestListAgents: { refusal: { code: -32011, name: 'NotReady' } },
      RequestListCalls: { result: { calls: [{ parties: [{ thisDN: '1003', partyID: `${callID(2)}-1` }] }] } },
    };
    const requests: Requests = { request: async (_caller, method) => answers[method] ?? { result: {} } };
    const caller: Caller = { companyId: CompanyId.parse('acme'), keyName: 'dialler', scopes: new Set() };
    const free = () => ['1001', '1002', '1003'].map((dn) => agents.free([dn]));
    expect(await readAgents(agents, requests, caller)).toBe(false);
    expect(free()).toEqual(['1001', undefined, undefined]);
    answers['RequestListAgents'] = { result: { agents: [{ thisDN: '1001', state: 'NotReady' }] } };
    expect(await readAgents(agents, requests, caller)).toBe(true);
    expect(free()).toEqual([undefined, '1002', undefined]);
  });

  it('does not grow with the customers who are called', () => {
    const agents = new Agents();
    agents.free(ALL);
    for (let i = 0; i < 1_000; i += 1) {
      agents.hear(event('EventRinging', `9180001${i}`));
      agents.hear(event('EventReleased', `9180001${i}`));
    }
    agents.hear(event('EventRinging', '1001'));
    agents.hear(event('EventReleased', '1001'));
    expect([agents.remembered, agents.free(ALL)]).toEqual([2, '1002']);
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
