import { describe, expect, it } from 'vitest';
import { AGENT, CUSTOMER, GUEST, OUTSIDER, SUPERVISOR, supervised, talking } from './conferring.ts';
import { BUSY, T0 } from './flow.ts';

describe('a call is handed on while the leg of one who had it before is still ending: the customer stays', () => {
  it('by a supervisor who has just taken it away', () => {
    const s = supervised('intercept').handsTo(SUPERVISOR, GUEST);
    expect(s.leaving()).toEqual([AGENT, SUPERVISOR]);
    s.ends(AGENT);
    expect(s.leaving()).toEqual([SUPERVISOR]);
    s.ends(SUPERVISOR).rings(GUEST).answers(GUEST);
    expect(s.told().filter((e) => e.startsWith('EventReleased'))).toHaveLength(2);
    expect([s.where(CUSTOMER), s.where(GUEST)]).toEqual(['b1', 'b1']);
  });

  it('to a queue, by one whom an attended transfer has just brought', () => {
    const s = talking();
    const leg = { channel: 'elsewhere', kind: 'user', direction: 'outbound', state: 'up', answeredAt: T0 } as const;
    s.happens({ kind: 'adopt', by: s.channel(AGENT), guest: { dn: GUEST, role: 'Agent', hearsMusic: false, leg } });
    s.handsToQueue(GUEST).ends(AGENT);
    expect(s.leaving()).toEqual([GUEST]);
    s.ends(GUEST);
    expect([s.where(CUSTOMER), s.leaving()]).toEqual(['music', []]);
  });
});

describe('a third is being rung into the conversation', () => {
  const rung = () => talking().adds(AGENT, GUEST).rings(GUEST).fromHere();

  it('neither of the two hands it on or asks somebody about it: the third would come to nobody', () => {
    expect(rung().handsTo(AGENT, OUTSIDER).refusal).toBe('ConferenceToTransfer');
    expect(rung().handsToQueue(AGENT).refusal).toBe('ConferenceToTransfer');
    expect(rung().consults(AGENT, OUTSIDER).refusal).toBe('AgentIsInConferenceScene');
    const phone = rung().refers(AGENT, OUTSIDER);
    expect(phone.commands.at(-1)).toMatchObject({ do: 'answer-transfer', taken: false });
  });

  it('once he has not come, they may', () => {
    expect(rung().ends(GUEST, BUSY).handsTo(AGENT, OUTSIDER).refusal).toBeUndefined();
  });
});
