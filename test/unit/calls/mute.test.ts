import { describe, expect, it } from 'vitest';
import { DIGITS_KEPT } from '../../../src/calls/dtmf.ts';
import { AGENT, CUSTOMER, conference, consulting, GUEST, Holding, talking } from './holding.ts';

describe('RequestMuteCall and RequestUnmuteCall', () => {
  it('nobody hears the party, and it still hears', () => {
    const call = talking().mutes(AGENT, 41);
    expect(call.asked()).toEqual([`mute ${AGENT}`]);
    expect(call.hearing()).toEqual({ [AGENT]: [CUSTOMER], [CUSTOMER]: [] });
    call.unmutes(AGENT, 42);
    expect(call.asked()).toEqual([`unmute ${AGENT}`]);
    expect(call.hearing()).toEqual({ [AGENT]: [CUSTOMER], [CUSTOMER]: [AGENT] });
    expect(call.told()).toEqual([`EventMuted(${AGENT})`, `EventUnmuted(${AGENT})`]);
    expect(call.event('EventMuted')).toMatchObject({ otherDN: CUSTOMER, referenceID: 41, partyRole: 'Agent' });
    expect(call.event('EventUnmuted')).toMatchObject({ otherDN: CUSTOMER, referenceID: 42 });
  });

  it('are refused where they would change nothing, and where nobody talks', () => {
    expect(talking().unmutes(AGENT).refusal).toBe('InvalidAgentState');
    expect(talking().mutes(AGENT).mutes(AGENT).refusal).toBe('InvalidAgentState');
    expect(new Holding().make({ agent: AGENT, customer: CUSTOMER }).answers(AGENT).mutes(AGENT).refusal).toBe(
      'InvalidAgentState',
    );
    expect(talking().releases(AGENT).mutes(AGENT).refusal).toBe('InvalidAgentState');
    expect(talking().mutes('1999').refusal).toBe('NotFoundParty');
  });

  it('outlast hold of either side, and are asked for once', () => {
    const call = talking().mutes(AGENT).holds(AGENT).takesBack(AGENT).holds(CUSTOMER).takesBack(CUSTOMER);
    expect(call.hearing()).toEqual({ [AGENT]: [CUSTOMER], [CUSTOMER]: [] });
    expect(call.asked().filter((c) => c.startsWith('mute') || c.startsWith('unmute'))).toEqual([`mute ${AGENT}`]);
  });

  it('may change while the call is on hold', () => {
    const call = talking().holds(AGENT).mutes(AGENT).takesBack(AGENT);
    expect(call.hearing()).toEqual({ [AGENT]: [CUSTOMER], [CUSTOMER]: [] });
    call.holds(CUSTOMER).unmutes(AGENT).takesBack(CUSTOMER);
    expect(call.hearing()).toEqual({ [AGENT]: [CUSTOMER], [CUSTOMER]: [AGENT] });
  });

  it('move with the party to a consultation and into a conference', () => {
    const call = talking().mutes(AGENT).consults(AGENT, GUEST).rings(GUEST).answers(GUEST) as Holding;
    expect(call.hearing()).toEqual({ [AGENT]: [GUEST], [GUEST]: [], [CUSTOMER]: ['music'] });
    call.confers(AGENT);
    expect(call.hearing()).toEqual({ [AGENT]: [CUSTOMER, GUEST].sort(), [GUEST]: [CUSTOMER], [CUSTOMER]: [GUEST] });
  });

  it('a muted party that is on its way out is not heard once more', () => {
    expect(talking().mutes(AGENT).fromHere().releases(AGENT).asked()).toEqual([
      `hang-up ${AGENT} 16`,
      `hang-up ${CUSTOMER} 16`,
    ]);
  });
});

describe('RequestSendDtmf', () => {
  it('sends to the party opposite, and tells', () => {
    const call = talking().sends(AGENT, '12#', 51);
    expect(call.asked()).toEqual([`send-dtmf ${CUSTOMER} 12#`]);
    expect(call.event('EventDtmfSent')).toMatchObject({
      thisDN: AGENT,
      otherDN: CUSTOMER,
      dtmfDigits: '12#',
      referenceID: 51,
    });
  });

  it('reaches all others of a conference but those on hold, and the guest alone in a consultation', () => {
    expect(conference().sends(AGENT, '1').asked()).toEqual([`send-dtmf ${CUSTOMER} 1`, `send-dtmf ${GUEST} 1`]);
    expect(conference().holds(GUEST).fromHere().sends(AGENT, '1').asked()).toEqual([`send-dtmf ${CUSTOMER} 1`]);
    expect(consulting().sends(AGENT, '1').asked()).toEqual([`send-dtmf ${GUEST} 1`]);
    expect(consulting().holds(AGENT).takesBack(AGENT).fromHere().sends(AGENT, '1').asked()).toEqual([
      `send-dtmf ${GUEST} 1`,
    ]);
  });

  it('is refused on hold, from either side, and where there is nobody to hear it', () => {
    expect(talking().holds(AGENT).sends(AGENT, '1').refusal).toBe('HeldInProcess');
    expect(talking().holds(AGENT).sends(CUSTOMER, '1').refusal).toBe('HeldInProcess');
    expect(consulting().sends(CUSTOMER, '1').refusal).toBe('InvalidAgentState');
    expect(talking().ends(CUSTOMER).sends(AGENT, '1').refusal).toBe('InvalidAgentState');
  });
});

describe('digits that are pressed on a phone', () => {
  it('are kept with the party, and told to nobody', () => {
    const call = talking().presses(AGENT, '12').presses(CUSTOMER, '9').presses(AGENT, '#');
    expect([call.party(AGENT).digits, call.party(CUSTOMER).digits]).toEqual(['12#', '9']);
    expect([call.told(), call.asked()]).toEqual([[], []]);
  });

  it('are kept while the call is on hold, too', () => {
    expect(talking().holds(AGENT).presses(CUSTOMER, '5').party(CUSTOMER).digits).toBe('5');
  });

  it('are the last so many', () => {
    const call = talking().presses(AGENT, '1234567890'.repeat(30));
    expect(call.party(AGENT).digits).toBe('1234567890'.repeat(30).slice(-DIGITS_KEPT));
    expect(call.party(AGENT).digits).toHaveLength(256);
  });

  it('are digits, whatever Asterisk calls one', () => {
    expect(talking().presses(AGENT, 'aD').party(AGENT).digits).toBe('AD');
    const call = talking();
    call.happens({ kind: 'leg-dtmf', channel: call.channel(AGENT), digit: '{"x":1}' });
    expect(call.party(AGENT).digits).toBeUndefined();
  });
});
