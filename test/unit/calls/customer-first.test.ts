import { describe, expect, it } from 'vitest';
import { BUSY, DECLINES, NO_ANSWER, NORMAL, type Story, story, T0 } from './flow.ts';

const AGENT = '1001';
const CUSTOMER = '+919800000001';

const dialled = (): Story => story().make({ firstLeg: 'customer', ref: 7 });
/** The customer has answered and waits in the bridge while the agent's phone is being rung. */
const waiting = (): Story => dialled().after(1000).rings(CUSTOMER).after(1000).answers(CUSTOMER);
const ringing = (): Story => waiting().after(1000).rings(AGENT);

describe('the customer is called first', () => {
  it('rings the customer, then the agent, and joins them; the roles stay', () => {
    const t = dialled();
    expect(t.told()).toEqual(['EventCallCreated(1001)', `EventDialing(${CUSTOMER})`]);
    expect(t.asked()).toEqual([`dial ${CUSTOMER}`]);
    expect(t.event('EventDialing')).toMatchObject({
      partyRole: 'Customer',
      thisDNRole: 'Destination',
      otherDN: AGENT,
      otherDNRole: 'Origination',
      referenceID: 7,
    });

    t.rings(CUSTOMER).answers(CUSTOMER);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual(['create-bridge', `place ${CUSTOMER}`, 'dial 1001 into the bridge']);

    t.rings(AGENT);
    expect(t.told()).toEqual(['EventRinging(1001)', `EventOtherRinging(${CUSTOMER})`]);
    expect(t.event('EventRinging')).toMatchObject({ partyRole: 'Agent', thisDNRole: 'Origination', referenceID: 7 });

    t.answers(AGENT);
    expect(t.told()).toEqual([`EventEstablished(${CUSTOMER})`, 'EventEstablished(1001)']);
    t.ends(AGENT).ends(CUSTOMER);
    expect(t.told()).toEqual(['EventReleased(1001)', `EventReleased(${CUSTOMER})`, 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual([`hang-up ${CUSTOMER} 16`, 'destroy-bridge']);
    expect(t.released(CUSTOMER)).toMatchObject({ hangupCause: 'BY_AGENT', connectionStatus: 'Connected' });
  });

  it.each([
    ['is busy', BUSY, 'User Busy', 'USER_BUSY'],
    ['declines', DECLINES, 'User Rejected', 'CALL_REJECTED'],
    ['does not answer', NO_ANSWER, 'User Not Answered', 'NO_ANSWER'],
  ] as const)(
    'the agent %s: the customer, who answered, is let go as Connected',
    (_, end, agentStatus, hangupCause) => {
      const t = ringing().fromHere().after(500).ends(AGENT, end);
      expect(t.asked()).toEqual([`hang-up ${CUSTOMER} 16`]);
      t.ends(CUSTOMER);
      expect(t.told()).toEqual(['EventReleased(1001)', `EventReleased(${CUSTOMER})`, 'EventCallDeleted(1001)']);
      expect(t.asked()).toEqual(['destroy-bridge']);
      expect(t.released(AGENT)).toMatchObject({ connectionStatus: agentStatus, hangupCause });
      expect(t.released(CUSTOMER)).toMatchObject({
        connectionStatus: 'Connected',
        hangupCause,
        hangupDisposition: 'send_bye',
        answerUepoch: T0 + 2000,
      });
      expect(t.released(CUSTOMER)).not.toHaveProperty('bridgeUepoch');
      expect(t.event('EventCallDeleted').connectionStatus).toBe('Connected');
    },
  );

  it('the customer hangs up before the agent answers: Hang Up', () => {
    const t = ringing().fromHere().ends(CUSTOMER);
    expect(t.asked()).toEqual(['hang-up 1001 16']);
    t.ends(AGENT, NORMAL);
    expect(t.released(CUSTOMER)).toMatchObject({ connectionStatus: 'Hang Up', hangupCause: 'BY_CUSTOMER' });
    expect(t.released(AGENT)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'send_cancel',
      earlyDetectCause: 0,
    });
    expect(t.event('EventCallDeleted').connectionStatus).toBe('Hang Up');
  });

  it('the customer is busy: the agent is never rung', () => {
    const t = dialled().fromHere().ends(CUSTOMER, BUSY);
    expect(t.told()).toEqual([`EventReleased(${CUSTOMER})`, 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual([]);
    expect(t.released(CUSTOMER)).toMatchObject({ connectionStatus: 'Busy', earlyDetectCause: 109, sipCode: 486 });
  });

  it('no agent can be rung: the customer is not called in vain', () => {
    const t = story().make({ firstLeg: 'customer', agentUnreachable: 'unavailable' });
    expect(t.told()).toEqual(['EventCallCreated(1001)', 'EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual([]);
    expect(t.event('EventCallDeleted').connectionStatus).toBe('Channel Unavailable');
  });
});

describe('an agent calls a colleague', () => {
  it('is Internal, without ANI or DNIS even where a number to show was given', () => {
    const t = story().make({ customer: '1002', ANI: '+911140000000' }).answers(AGENT).rings('1002').answers('1002');
    t.ends('1002').ends(AGENT);
    expect(t.told()).toEqual([
      'EventCallCreated(1001)',
      'EventDialing(1001)',
      'EventRinging(1002)',
      'EventOtherRinging(1001)',
      'EventEstablished(1001)',
      'EventEstablished(1002)',
      'EventReleased(1002)',
      'EventReleased(1001)',
      'EventCallDeleted(1001)',
    ]);
    for (const event of t.events) {
      expect(event).toMatchObject({ callType: 'Internal' });
      expect(event).not.toHaveProperty('ANI');
      expect(event).not.toHaveProperty('DNIS');
    }
    expect(t.event('EventRinging')).toMatchObject({ partyRole: 'Agent', thisDNRole: 'Destination' });
  });

  it('a busy colleague is User Busy', () => {
    const t = story().make({ customer: '1002' }).answers(AGENT).ends('1002', BUSY).ends(AGENT);
    expect(t.released('1002').connectionStatus).toBe('User Busy');
    expect(t.event('EventCallDeleted').connectionStatus).toBe('User Busy');
  });
});

describe('an agent works from a mobile phone', () => {
  const MOBILE = '+919900000009';
  it('hangs up: BY_AGENT, though the leg goes over a trunk', () => {
    const t = story()
      .make({ agent: MOBILE })
      .rings(MOBILE)
      .answers(MOBILE)
      .answers(CUSTOMER)
      .ends(MOBILE)
      .ends(CUSTOMER);
    expect(t.released(MOBILE)).toMatchObject({ partyRole: 'ThirdPSTN', hangupCause: 'BY_AGENT' });
    expect(t.released(CUSTOMER).hangupCause).toBe('BY_AGENT');
  });
});
