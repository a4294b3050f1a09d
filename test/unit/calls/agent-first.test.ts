import { describe, expect, it } from 'vitest';
import { BUSY, CALL, COMPANY, DECLINES, NO_ANSWER, type Story, story, T0 } from './flow.ts';

const AGENT = '1001';
const CUSTOMER = '+919800000001';

/** The agent has answered and the customer's phone is being rung. */
const dialling = (): Story => story().make({ ref: 7 }).after(1000).rings(AGENT).after(2000).answers(AGENT);
const ringing = (): Story => dialling().after(1000).rings(CUSTOMER);
const talking = (): Story => ringing().after(4000).answers(CUSTOMER);

describe('an agent calls a customer', () => {
  it('rings the agent, then the customer, and joins them', () => {
    const t = story().make({ ref: 7, ANI: '+911140000000', attachedData: { order: '1' } });
    expect(t.told()).toEqual(['EventCallCreated(1001)', 'EventDialing(1001)']);
    expect(t.asked()).toEqual(['dial 1001']);

    t.rings(AGENT);
    expect(t.told()).toEqual([]);
    t.answers(AGENT);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual(['create-bridge', 'place 1001', `dial ${CUSTOMER} into the bridge`]);

    t.rings(CUSTOMER);
    expect(t.told()).toEqual([`EventRinging(${CUSTOMER})`, 'EventOtherRinging(1001)']);
    t.answers(CUSTOMER);
    expect(t.told()).toEqual(['EventEstablished(1001)', `EventEstablished(${CUSTOMER})`]);
    expect(t.asked()).toEqual([]);

    t.ends(CUSTOMER);
    expect(t.told()).toEqual([`EventReleased(${CUSTOMER})`]);
    expect(t.asked()).toEqual(['hang-up 1001 16']);
    t.ends(AGENT);
    expect(t.told()).toEqual(['EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual(['destroy-bridge']);
    expect(t.call.deleted).toBe(true);
  });

  it('carries the fields of the seed on EventDialing and EventRinging', () => {
    const t = story().make({ ref: 7, ANI: '+911140000000', attachedData: { order: '1' } });
    t.answers(AGENT).rings(CUSTOMER);
    const ofCall = {
      referenceID: 7,
      companyId: COMPANY,
      callID: CALL,
      callType: 'Outbound',
      ANI: '+911140000000',
      DNIS: CUSTOMER,
      attachedData: { order: '1' },
      creationTime: T0,
    };
    expect(t.event('EventDialing')).toEqual({
      messageID: 'EventDialing',
      ...ofCall,
      partyID: `${CALL}-1`,
      partyRole: 'Agent',
      thisDN: AGENT,
      otherDN: CUSTOMER,
      thisDNRole: 'Origination',
      otherDNRole: 'Destination',
      makeCallType: 'Regular',
      agentStatus: 'Dialed',
    });
    expect(t.event('EventRinging')).toEqual({
      messageID: 'EventRinging',
      ...ofCall,
      partyID: `${CALL}-2`,
      partyRole: 'Customer',
      thisDN: CUSTOMER,
      otherDN: AGENT,
      thisDNRole: 'Destination',
      otherDNRole: 'Origination',
      thisQueue: '',
    });
  });

  it('dials what the directory names, with its trunk, number and patience', () => {
    const t = dialling();
    expect(t.commands.filter((c) => c.do === 'dial')).toEqual([
      { do: 'dial', channel: `${CALL}-1`, endpoint: 'PJSIP/1001', ringTimeout: 30 },
      {
        do: 'dial',
        channel: `${CALL}-2`,
        endpoint: `PJSIP/${CUSTOMER}@trunk`,
        trunk: 'trunk',
        callerId: '+911140000000',
        ringTimeout: 30,
        bridge: `${CALL}-b1`,
      },
    ]);
  });

  it('tells the times and the end of both legs', () => {
    const t = talking().after(60_000).ends(CUSTOMER).after(200).ends(AGENT);
    expect(t.released(CUSTOMER)).toMatchObject({
      referenceID: 0,
      startUepoch: T0 + 3000,
      progressUepoch: T0 + 4000,
      answerUepoch: T0 + 8000,
      bridgeUepoch: T0 + 8000,
      endUepoch: T0 + 68_000,
      answersec: 5,
      billsec: 60,
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'recv_bye',
      earlyDetectCause: 200,
      connectionStatus: 'Connected',
      q850: 16,
      wrapUpDuration: 0,
      recordedEarlymedia: false,
      makeCallType: 'Regular',
    });
    expect(t.released(CUSTOMER)).not.toHaveProperty('sipCode');
    expect(t.released(CUSTOMER)).not.toHaveProperty('lastHoldUepoch');
    expect(t.released(AGENT)).toMatchObject({
      startUepoch: T0,
      progressUepoch: T0 + 1000,
      answerUepoch: T0 + 3000,
      bridgeUepoch: T0 + 8000,
      endUepoch: T0 + 68_200,
      answersec: 3,
      billsec: 65,
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'send_bye',
      earlyDetectCause: 200,
      connectionStatus: 'Connected',
    });
    expect(t.event('EventCallDeleted')).toMatchObject({
      referenceID: 0,
      thisDN: AGENT,
      otherDN: CUSTOMER,
      startUepoch: T0,
      bridgeUepoch: T0 + 8000,
      endUepoch: T0 + 68_200,
      connectionStatus: 'Connected',
      q850: 16,
    });
  });

  it('never tells a negative duration when the clock was set back', () => {
    const t = talking().after(-20_000).ends(CUSTOMER).ends(AGENT);
    expect(t.released(CUSTOMER)).toMatchObject({ billsec: 0, answersec: 5 });
  });
});

describe('the agent is not reached', () => {
  it.each([
    ['is busy', BUSY, 'User Busy', 'USER_BUSY', 'recv_refuse', 109],
    ['declines', DECLINES, 'User Rejected', 'CALL_REJECTED', 'recv_refuse', 0],
    ['does not answer', NO_ANSWER, 'User Not Answered', 'NO_ANSWER', 'send_cancel', 115],
    ['has no contact', { notStarted: 'unavailable' }, 'Channel Unavailable', 'BY_SYSTEM', 'send_cancel', 119],
    ['is on a node that dies', { nodeDied: true }, 'Failed', 'BY_SYSTEM', 'send_cancel', 119],
  ] as const)(
    '%s: the customer is never dialled',
    (_, end, connectionStatus, hangupCause, hangupDisposition, early) => {
      const t = story().make({ ref: 7 }).rings(AGENT).fromHere().ends(AGENT, end);
      expect(t.told()).toEqual(['EventReleased(1001)', 'EventCallDeleted(1001)']);
      expect(t.asked()).toEqual([]);
      expect(t.released(AGENT)).toMatchObject({
        connectionStatus,
        hangupCause,
        hangupDisposition,
        earlyDetectCause: early,
        billsec: 0,
        answersec: 0,
        referenceID: 0,
      });
      expect(t.event('EventCallDeleted')).toMatchObject({ connectionStatus, referenceID: 0 });
      expect(t.event('EventCallDeleted')).not.toHaveProperty('bridgeUepoch');
    },
  );

  it('refuses before it rang, and is still released', () => {
    const t = story().make().fromHere().ends(AGENT, BUSY);
    expect(t.told()).toEqual(['EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.released(AGENT)).not.toHaveProperty('progressUepoch');
  });

  it.each([
    ['invalid-number', 'Invalid Number'],
    ['channel-limit', 'Channel Busy'],
    ['no-node', 'Failed'],
    ['unavailable', 'Channel Unavailable'],
  ] as const)('is not tried at all: %s', (unreachable, connectionStatus) => {
    const t = story().make({ ref: 7, agentUnreachable: unreachable });
    expect(t.told()).toEqual(['EventCallCreated(1001)', 'EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual([]);
    expect(t.event('EventCallDeleted').connectionStatus).toBe(connectionStatus);
    expect(t.events.map((e) => e.referenceID)).toEqual([7, 7, 7]);
    expect(t.call.deleted).toBe(true);
  });
});

describe('the customer is not reached', () => {
  it.each([
    ['is busy', BUSY, 'Busy', 'USER_BUSY', 109],
    ['declines', DECLINES, 'User Rejected', 'CALL_REJECTED', 0],
    ['does not answer', NO_ANSWER, 'Ring Timeout', 'NO_ANSWER', 115],
    ['does not exist', { sip: 404, q850: 1 }, 'Unallocated Number', 'UNALLOCATED', 104],
    ['meets congestion', { sip: 503, q850: 34 }, 'Operator Congestion', 'NORMAL_CIRCUIT_CONGESTION', 119],
  ] as const)('%s: the agent is let go', (_, end, connectionStatus, hangupCause, early) => {
    const t = ringing().fromHere().ends(CUSTOMER, end);
    expect(t.told()).toEqual([`EventReleased(${CUSTOMER})`]);
    expect(t.asked()).toEqual(['hang-up 1001 16']);
    t.ends(AGENT);
    expect(t.told()).toEqual(['EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual(['destroy-bridge']);
    expect(t.released(CUSTOMER)).toMatchObject({ connectionStatus, hangupCause, earlyDetectCause: early });
    // The agent's phone was answered; why the call ended is the call's.
    expect(t.released(AGENT)).toMatchObject({ connectionStatus: 'Connected', hangupCause, earlyDetectCause: 200 });
    expect(t.event('EventCallDeleted').connectionStatus).toBe(connectionStatus);
  });

  it('refuses before it rang, and is still released', () => {
    const t = dialling().fromHere().ends(CUSTOMER, { sip: 404, q850: 1 }).ends(AGENT);
    expect(t.told()).toEqual([`EventReleased(${CUSTOMER})`, 'EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.released(CUSTOMER)).toMatchObject({ connectionStatus: 'Unallocated Number', sipCode: 404, q850: 1 });
  });

  it('may not be tried: the agent is not rung in vain', () => {
    const t = story().make({ customerUnreachable: 'invalid-number' });
    expect(t.told()).toEqual(['EventCallCreated(1001)', `EventReleased(${CUSTOMER})`, 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual([]);
    expect(t.event('EventCallDeleted').connectionStatus).toBe('Invalid Number');
  });
});

describe('how a phone rings', () => {
  it('183 alone rings, once, whatever follows', () => {
    const t = dialling().fromHere().earlyMedia(CUSTOMER);
    expect(t.told()).toEqual([`EventRinging(${CUSTOMER})`, 'EventOtherRinging(1001)']);
    t.rings(CUSTOMER).earlyMedia(CUSTOMER).rings(CUSTOMER);
    expect(t.told()).toEqual([]);
  });

  it('keeps the first moment of ringing', () => {
    const t = ringing().after(500).earlyMedia(CUSTOMER).after(500).rings(CUSTOMER).ends(CUSTOMER, BUSY);
    expect(t.released(CUSTOMER).progressUepoch).toBe(T0 + 4000);
  });

  it('an answer without 180 is announced first', () => {
    const t = dialling().fromHere().answers(CUSTOMER);
    expect(t.told()).toEqual([
      `EventRinging(${CUSTOMER})`,
      'EventOtherRinging(1001)',
      'EventEstablished(1001)',
      `EventEstablished(${CUSTOMER})`,
    ]);
    expect(t.ends(CUSTOMER).released(CUSTOMER)).not.toHaveProperty('progressUepoch');
  });

  it('facts that come twice, late or out of turn change nothing', () => {
    const t = talking().fromHere();
    const before = t.call;
    t.rings(CUSTOMER).earlyMedia(AGENT).answers(CUSTOMER).answers(AGENT).timer();
    t.happens({ kind: 'leg-answered', channel: 'nobody' });
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([]);
    expect(t.call).toEqual(before);
    t.ends(CUSTOMER).ends(AGENT).fromHere();
    t.ends(CUSTOMER, BUSY).answers(AGENT).rings(CUSTOMER).ends(AGENT);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([]);
  });

  it('a leg that was never dialled cannot ring, answer or end', () => {
    const t = story().make().fromHere();
    const before = t.call;
    t.rings(CUSTOMER).answers(CUSTOMER).ends(CUSTOMER);
    expect(t.told()).toEqual([]);
    expect(t.call).toEqual(before);
    t.answers(AGENT);
    expect(t.asked()).toEqual(['create-bridge', 'place 1001', `dial ${CUSTOMER} into the bridge`]);
  });
});
