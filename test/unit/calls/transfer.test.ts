import { describe, expect, it } from 'vitest';
import { AGENT, asked, CUSTOMER, GUEST, talking } from './consulting.ts';
import { BUSY, DECLINES, NO_ANSWER } from './flow.ts';

const TARGET = GUEST;
/** The agent has handed the customer on and has gone; the target is dialled. */
const OUTSIDE = '+919800000077';
/** The call was handed to somebody outside, who has answered. */
const handedOutside = () => talking().handsTo(AGENT, OUTSIDE).ends(AGENT).answers(OUTSIDE).fromHere();
const handed = () => talking().handsTo(AGENT, TARGET, 7).ends(AGENT).fromHere();

describe('a call is handed on without asking', () => {
  it('the agent leaves first, and when his leg has ended the target is dialled to the customer', () => {
    const s = talking().handsTo(AGENT, TARGET, 7);
    expect([s.asked(), s.told()]).toEqual([[`hang-up ${AGENT} 16`], []]);
    s.ends(AGENT);
    expect([s.asked(), s.told()]).toEqual([[`dial ${TARGET} into the bridge`], [`EventReleased(${AGENT})`]]);
    expect(s.released(AGENT)).toMatchObject({
      referenceID: 7,
      otherDN: CUSTOMER,
      thirdDN: TARGET,
      thirdDNRole: 'TransferTo',
      callState: 'Transferred',
    });
    expect([s.where(CUSTOMER), s.where(TARGET)]).toEqual(['b1', 'b1']);
    s.rings(TARGET).answers(TARGET);
    expect(s.told()).toEqual([`EventRinging(${TARGET})`, `EventEstablished(${TARGET})`]);
    expect(s.last('EventRinging', TARGET)['agentStatus']).toBe('Dialed');
    expect(s.last('EventEstablished', TARGET)['agentStatus']).toBe('Connected');
    const toTarget = {
      referenceID: 7,
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'TransferBy',
      partyRole: 'Agent',
    };
    expect(s.last('EventRinging', TARGET)).toMatchObject(toTarget);
    expect(s.last('EventRinging', TARGET)).not.toHaveProperty('callState');
    expect(s.last('EventEstablished', TARGET)).toMatchObject(toTarget);
    expect(s.call.transfer).toBeUndefined();
    s.ends(TARGET).ends(CUSTOMER);
    expect(s.told()).toEqual([`EventReleased(${TARGET})`, `EventReleased(${CUSTOMER})`, `EventCallDeleted(${AGENT})`]);
    expect([s.released(TARGET).otherDN, s.released(CUSTOMER).otherDN]).toEqual([CUSTOMER, TARGET]);
    expect(s.released(TARGET).agentStatus).toBe('Completed');
    const ofTarget = s.statuses.filter((c) => c.dn === TARGET).map((c) => c.status);
    expect(ofTarget).toEqual(['Dialed', 'Connected', 'Completed']);
  });

  it('it may be handed on again', () => {
    const s = handed().answers(TARGET).handsTo(TARGET, '1003', 9).ends(TARGET).answers('1003').fromHere();
    expect(s.refusal).toBeUndefined();
    expect(s.last('EventEstablished', '1003')).toMatchObject({ thirdDN: TARGET, otherDN: CUSTOMER });
  });

  it.each([
    ['is busy', BUSY],
    ['refuses', DECLINES],
    ['rings out', NO_ANSWER],
    ['cannot be reached', { notStarted: 'unavailable' }],
  ] as const)('the target %s: the agent is rung again, and has the customer back', (_, end) => {
    const s = handed().ends(TARGET, end);
    expect([s.asked(), s.told()]).toEqual([[`dial ${AGENT} into the bridge`], [`EventReleased(${TARGET})`]]);
    s.again(AGENT, 'leg-ringing').again(AGENT, 'leg-answered');
    expect(s.told()).toEqual([`EventRinging(${AGENT})`, `EventEstablished(${AGENT})`]);
    expect(s.last('EventRinging', AGENT)).toMatchObject({
      partyID: `${s.call.callID}-4`,
      otherDN: CUSTOMER,
      thirdDN: TARGET,
      thirdDNRole: 'TransferTo',
    });
    expect(s.call.transfer).toBeUndefined();
    const statuses = (dn: string) => s.statuses.filter((c) => c.dn === dn).map((c) => c.status);
    const reached = !('notStarted' in end);
    expect(statuses(TARGET)).toEqual(reached ? ['Missed'] : []);
    expect(statuses(AGENT).slice(-3)).toEqual(['Completed', 'Dialed', 'Connected']);
    s.ends(CUSTOMER);
    expect(s.asked().at(-1)).toMatch(/^hang-up .* 16$/);
  });

  it('a target that is released by request is one that refuses', () => {
    const s = handed().rings(TARGET).releases(TARGET, 8).fromHere().ends(TARGET);
    expect([s.asked(), s.told()]).toEqual([[`dial ${AGENT} into the bridge`], [`EventReleased(${TARGET})`]]);
  });

  it.each([
    ['busy', BUSY, 'busy', 17],
    ['out of reach', { notStarted: 'unavailable' }, 'congestion', 20],
    ['not answering', NO_ANSWER, 'busy', 19],
  ] as const)('the agent is %s too: the customer hears that nobody comes, and the call ends', (_, end, tone, q850) => {
    const s = handed().ends(TARGET, BUSY).fromHere().again(AGENT, 'leg-ended', end);
    expect(s.asked()).toEqual([`play-tone ${CUSTOMER} ${tone}`]);
    s.timer();
    expect(s.asked()).toEqual([`hang-up ${CUSTOMER} ${q850}`]);
    s.ends(CUSTOMER);
    expect(s.told()).toEqual([`EventReleased(${AGENT})`, `EventReleased(${CUSTOMER})`, `EventCallDeleted(${AGENT})`]);
    expect(s.released(CUSTOMER)).toMatchObject({ connectionStatus: 'Connected', hangupCause: 'BY_SYSTEM' });
  });

  it('a target that is released before its turn has come is not dialled, and the agent is rung again', () => {
    const s = talking().handsTo(AGENT, TARGET, 7).releases(TARGET, 8).ends(AGENT);
    expect(s.asked()).toEqual([`hang-up ${AGENT} 16`, `dial ${AGENT} into the bridge`]);
  });

  it('the customer hangs up before the agent has gone: nobody is dialled', () => {
    const s = talking().handsTo(AGENT, TARGET, 7).ends(CUSTOMER).ends(AGENT);
    expect(s.told()).toEqual([`EventReleased(${CUSTOMER})`, `EventReleased(${AGENT})`, `EventCallDeleted(${AGENT})`]);
    expect(s.asked()).toEqual([`hang-up ${AGENT} 16`, 'destroy-bridge']);
  });

  it('the customer hangs up while the target rings, or the agent again: their phone stops and the call ends', () => {
    const s = handed().rings(TARGET).fromHere().ends(CUSTOMER);
    expect(s.asked()).toEqual([`hang-up ${TARGET} 16`]);
    s.ends(TARGET);
    expect(s.told().at(-1)).toBe(`EventCallDeleted(${AGENT})`);
    const back = handed().ends(TARGET, BUSY).again(AGENT, 'leg-ringing').fromHere().ends(CUSTOMER);
    back.again(AGENT, 'leg-ended');
    expect(back.told().at(-1)).toBe(`EventCallDeleted(${AGENT})`);
  });

  it('the customer hangs up while he hears the tone', () => {
    const s = handed().ends(TARGET, BUSY).again(AGENT, 'leg-ended', BUSY).fromHere().ends(CUSTOMER);
    expect(s.told()).toEqual([`EventReleased(${CUSTOMER})`, `EventCallDeleted(${AGENT})`]);
    expect(s.call.timers).toEqual([]);
  });

  it('the call is cleared in between: nobody is dialled', () => {
    const s = talking().handsTo(AGENT, TARGET, 7).clears(9).ends(AGENT).ends(CUSTOMER);
    expect(s.asked()).not.toContain(`dial ${TARGET} into the bridge`);
    expect(s.told().at(-1)).toBe(`EventCallDeleted(${AGENT})`);
  });

  it.each([
    ['TargetPartyIsSelf', () => talking().handsTo(AGENT, AGENT)],
    ['TargetPartyInCall', () => talking().handsTo(AGENT, CUSTOMER)],
    ['InvalidAgentState', () => talking().handsTo(CUSTOMER, TARGET)],
    ['InvalidAgentState', () => talking().handsTo(AGENT, TARGET).fromHere().handsTo(AGENT, '1003')],
    ['InvalidAgentState', () => handed().rings(TARGET).fromHere().handsTo(TARGET, '1003')],
    ['CustomerAddByConference', () => handedOutside().handsTo(OUTSIDE, '1003')],
    ['CustomerAddByConference', () => handedOutside().handsToQueue(OUTSIDE)],
    ['CustomerAddByConference', () => handedOutside().consults(OUTSIDE, '1003')],
    ['AgentIsInConsultScene', () => asked().handsTo(AGENT, '1003')],
    ['AgentIsInConsultScene', () => asked().handsTo(GUEST, '1003')],
    ['ConferenceToTransfer', () => asked().confers(AGENT).fromHere().handsTo(AGENT, '1003')],
  ])('%s (%#)', (name, tell) => {
    const s = tell();
    expect([s.refusal, s.told(), s.asked()]).toEqual([name, [], []]);
  });
});
