import { describe, expect, it } from 'vitest';
import { AGENT, CUSTOMER, GUEST, SUPERVISOR, supervised, talking } from './conferring.ts';
import { NO_ANSWER } from './flow.ts';

describe('a supervisor leaves by RequestReleaseCall', () => {
  it.each(['monitor', 'whisper', 'bargein'] as const)('%s: nobody else does', (mode) => {
    expect(supervised(mode).releases(SUPERVISOR).leaving()).toEqual([SUPERVISOR]);
  });

  it('in the moment in which the agent is on his way out, having handed the customer on: the customer stays', () => {
    const s = supervised('monitor').handsTo(AGENT, GUEST);
    expect(s.leaving()).toEqual([AGENT]);
    s.releases(SUPERVISOR, 9);
    expect(s.leaving()).toEqual([AGENT, SUPERVISOR]);
    s.ends(AGENT).ends(SUPERVISOR).rings(GUEST).answers(GUEST);
    expect([s.where(CUSTOMER), s.where(GUEST)]).toEqual(['b1', 'b1']);
    expect(s.released(SUPERVISOR).referenceID).toBe(9);
  });
});

describe('whose referenceID a supervisor’s events carry', () => {
  it('that of the request whose mode he answers to', () => {
    const s = talking().supervises('monitor', SUPERVISOR, AGENT, 7).rings(SUPERVISOR);
    s.supervises('bargein', SUPERVISOR, AGENT, 8).answers(SUPERVISOR);
    expect(s.event('EventRinging', SUPERVISOR).referenceID).toBe(7);
    expect(s.event('EventEstablished', SUPERVISOR).referenceID).toBe(8);
    expect(s.event('EventPartyAdded', AGENT).referenceID).toBe(8);
  });
});

describe('who takes a call away is its agent', () => {
  const rung = () => talking().supervises('intercept', SUPERVISOR, AGENT).rings(SUPERVISOR);

  it('Dialed, Connected, Completed', () => {
    const s = rung().answers(SUPERVISOR).ends(AGENT).ends(CUSTOMER).ends(SUPERVISOR);
    expect(s.event('EventRinging', SUPERVISOR).agentStatus).toBe('Dialed');
    expect(s.event('EventEstablished', SUPERVISOR).agentStatus).toBe('Connected');
    expect(s.released(SUPERVISOR).agentStatus).toBe('Completed');
    const own = s.statuses.filter((x) => x.dn === SUPERVISOR);
    expect(own.map((x) => x.status)).toEqual(['Dialed', 'Connected', 'Completed']);
  });

  it('Missed where he does not answer', () => {
    expect(rung().ends(SUPERVISOR, NO_ANSWER).released(SUPERVISOR).agentStatus).toBe('Missed');
  });

  it('Connected where he was listening before', () => {
    const s = supervised('monitor').supervises('intercept', SUPERVISOR, AGENT);
    expect(s.event('EventPartyChanged', SUPERVISOR).agentStatus).toBe('Connected');
    expect(s.ends(AGENT).ends(SUPERVISOR).released(SUPERVISOR).agentStatus).toBe('Completed');
  });
});
