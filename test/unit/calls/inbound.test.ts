import { describe, expect, it } from 'vitest';
import type { CallBirth } from '../../../src/calls/input.ts';
import {
  BUSY,
  CALLER_CHANNEL,
  CANCELS,
  callArrived,
  DECLINES,
  type End,
  NO_ANSWER,
  type Story,
  story,
  T0,
} from './flow.ts';

const AGENT = '1001';
const CALLER = '+919800000001';
const NUMBER = '+911140000000';

const arrived = (): Story => story().arrives({ from: CALLER, to: NUMBER, reaches: AGENT });
const ringing = (): Story => arrived().after(500).rings(AGENT);
const answering = (): Story => ringing().after(4000).answers(AGENT);
const talking = (): Story => answering().after(100).answers(CALLER);

describe('a customer reaches an agent', () => {
  it('hears ringing, is answered when the agent answers, and talks', () => {
    const t = arrived();
    expect(t.told()).toEqual([`EventCallCreated(${CALLER})`]);
    expect(t.asked()).toEqual(['create-bridge', `place ${CALLER}`, 'dial 1001 into the bridge', `ring ${CALLER}`]);

    t.rings(AGENT);
    expect(t.told()).toEqual(['EventRinging(1001)', `EventOtherRinging(${CALLER})`]);
    t.answers(AGENT);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([`answer ${CALLER}`]);
    t.answers(CALLER);
    expect(t.told()).toEqual([`EventEstablished(${CALLER})`, 'EventEstablished(1001)']);

    t.ends(CALLER).ends(AGENT);
    expect(t.told()).toEqual([`EventReleased(${CALLER})`, 'EventReleased(1001)', `EventCallDeleted(${CALLER})`]);
    expect(t.asked()).toEqual(['hang-up 1001 16', 'destroy-bridge']);
  });

  it('who shows the number of the agent whom he calls is not taken for that agent', () => {
    const birth = callArrived({ from: AGENT, to: NUMBER, reaches: AGENT });
    const t = story().born({ ...birth, callType: 'Inbound' } as CallBirth);
    const [caller, agent] = t.call.parties.map((p) => p.leg.channel);
    t.happens({ kind: 'leg-answered', channel: agent ?? '' }).happens({ kind: 'leg-answered', channel: caller ?? '' });
    t.happens({ kind: 'hold', thisDN: AGENT, referenceID: 0 });
    expect(t.call.parties.map((p) => [p.role, p.state])).toEqual([
      ['Customer', 'Talk'],
      ['Agent', 'Held'],
    ]);
    expect(t.call.media.music).toEqual([caller]);
  });

  it('carries the numbers and roles, and no referenceID, for no request caused it', () => {
    const t = talking().ends(CALLER).ends(AGENT);
    for (const event of t.events) {
      expect(event).toMatchObject({ callType: 'Inbound', ANI: CALLER, DNIS: NUMBER, referenceID: 0 });
      expect(event).not.toHaveProperty('makeCallType');
    }
    expect(t.event('EventRinging')).toMatchObject({
      partyRole: 'Agent',
      thisDNRole: 'Destination',
      otherDN: CALLER,
      otherDNRole: 'Origination',
    });
    expect(t.event('EventOtherRinging')).toMatchObject({ partyRole: 'Customer', otherDN: AGENT });
    expect(t.released(CALLER)).toMatchObject({
      startUepoch: T0,
      answerUepoch: T0 + 4600,
      bridgeUepoch: T0 + 4600,
      answersec: 5,
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'recv_bye',
      connectionStatus: 'Connected',
    });
    expect(t.released(AGENT)).toMatchObject({ hangupCause: 'BY_CUSTOMER', hangupDisposition: 'send_bye' });
  });

  it('the agent hangs up', () => {
    const t = talking().fromHere().ends(AGENT).ends(CALLER);
    expect(t.asked()).toEqual([`hang-up ${CALLER} 16`, 'destroy-bridge']);
    expect(t.released(CALLER)).toMatchObject({ hangupCause: 'BY_AGENT', hangupDisposition: 'send_bye' });
    expect(t.released(AGENT)).toMatchObject({ hangupCause: 'BY_AGENT', hangupDisposition: 'recv_bye' });
  });

  it('an agent whose phone answers without ringing is announced first', () => {
    const t = arrived().fromHere().answers(AGENT);
    expect(t.told()).toEqual(['EventRinging(1001)', `EventOtherRinging(${CALLER})`]);
    expect(t.asked()).toEqual([`answer ${CALLER}`]);
  });

  it('is answered once, however often the phone says so', () => {
    const t = answering().answers(AGENT).answers(AGENT);
    expect(t.commands.filter((c) => c.do === 'answer')).toEqual([{ do: 'answer', channel: CALLER_CHANNEL }]);
  });
});

describe('the agent is not reached: the caller hears why, and is refused with it', () => {
  it.each<[string, End, string, string, string, number, string]>([
    ['is busy', BUSY, 'User Busy', 'USER_BUSY', 'busy', 17, 'Busy'],
    ['rejects', DECLINES, 'User Rejected', 'CALL_REJECTED', 'congestion', 21, 'User Rejected'],
    ['does not answer', NO_ANSWER, 'User Not Answered', 'NO_ANSWER', 'busy', 19, 'User Not Answered'],
    [
      'is not registered',
      { q850: 20 },
      'Channel Unavailable',
      'SUBSCRIBER_ABSENT',
      'congestion',
      20,
      'Channel Unavailable',
    ],
    [
      'could not be dialled',
      { notStarted: 'unavailable' },
      'Channel Unavailable',
      'BY_SYSTEM',
      'congestion',
      20,
      'Channel Unavailable',
    ],
    ['met a limit', { notStarted: 'channel-limit' }, 'Channel Busy', 'BY_SYSTEM', 'congestion', 34, 'Congestion'],
    ['ended without saying why', { q850: 16 }, 'Failed', 'NORMAL_CLEARING', 'busy', 19, 'User Not Answered'],
  ])('%s', (_, end, agentStatus, hangupCause, tone, q850, callerStatus) => {
    const t = ringing().fromHere().after(1000).ends(AGENT, end);
    expect(t.told()).toEqual(['EventReleased(1001)']);
    expect(t.asked()).toEqual([`play-tone ${CALLER} ${tone}`]);
    expect(t.call.timers).toEqual([{ name: 'treatment', at: t.now + 3000 }]);

    t.after(3000).timer();
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([`hang-up ${CALLER} ${q850}`]);
    expect(t.call.timers).toEqual([]);

    t.ends(CALLER, { q850 });
    expect(t.told()).toEqual([`EventReleased(${CALLER})`, `EventCallDeleted(${CALLER})`]);
    expect(t.asked()).toEqual(['destroy-bridge']);
    expect(t.released(AGENT)).toMatchObject({ connectionStatus: agentStatus, hangupCause });
    expect(t.released(CALLER)).toMatchObject({
      connectionStatus: callerStatus,
      hangupCause,
      hangupDisposition: 'send_refuse',
      billsec: 0,
    });
    expect(t.event('EventCallDeleted')).toMatchObject({ connectionStatus: agentStatus, referenceID: 0 });
  });

  it('the timer fires twice, or late: the caller is hung up once', () => {
    const t = ringing().ends(AGENT, BUSY).fromHere().timer().timer();
    expect(t.asked()).toEqual([`hang-up ${CALLER} 17`]);
    t.ends(CALLER, { q850: 17 }).fromHere().timer();
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([]);
  });

  it('the caller has heard enough of the tone and hangs up', () => {
    const t = ringing().ends(AGENT, BUSY).fromHere().ends(CALLER, CANCELS);
    expect(t.told()).toEqual([`EventReleased(${CALLER})`, `EventCallDeleted(${CALLER})`]);
    expect(t.released(CALLER)).toMatchObject({ connectionStatus: 'Hang Up', hangupDisposition: 'recv_cancel' });
    expect(t.event('EventCallDeleted').connectionStatus).toBe('User Busy');
    expect(t.call.timers).toEqual([]);
  });
});

describe('nobody is there to be reached', () => {
  it('no route: 404, after the tone', () => {
    const t = story().arrives({ from: CALLER, to: NUMBER, reaches: null });
    expect(t.told()).toEqual([`EventCallCreated(${CALLER})`]);
    expect(t.asked()).toEqual([`play-tone ${CALLER} congestion`]);
    t.timer();
    expect(t.asked()).toEqual([`hang-up ${CALLER} 1`]);
    t.ends(CALLER, { q850: 1 });
    expect(t.told()).toEqual([`EventReleased(${CALLER})`, `EventCallDeleted(${CALLER})`]);
    expect(t.asked()).toEqual([]);
    expect(t.event('EventCallDeleted')).toMatchObject({ otherDN: NUMBER, connectionStatus: 'Unallocated Number' });
    expect(t.released(CALLER)).toMatchObject({ hangupCause: 'BY_SYSTEM', otherDN: NUMBER });
  });

  it.each([
    ['invalid-number', 'Invalid Number', 28],
    ['channel-limit', 'Channel Busy', 34],
    ['no-node', 'Failed', 34],
    ['unavailable', 'Channel Unavailable', 20],
  ] as const)('the route leads to one who may not be rung: %s', (unreachable, status, q850) => {
    const t = story().arrives({ from: CALLER, to: NUMBER, reaches: AGENT, unreachable });
    expect(t.told()).toEqual([`EventCallCreated(${CALLER})`, 'EventReleased(1001)']);
    expect(t.asked()).toEqual([`play-tone ${CALLER} congestion`]);
    t.timer();
    expect(t.asked()).toEqual([`hang-up ${CALLER} ${q850}`]);
    t.ends(CALLER, { q850 });
    expect(t.event('EventCallDeleted').connectionStatus).toBe(status);
  });
});

describe('the caller gives up', () => {
  it('while the agent rings', () => {
    const t = ringing().fromHere().ends(CALLER, CANCELS);
    expect(t.told()).toEqual([`EventReleased(${CALLER})`]);
    expect(t.asked()).toEqual(['hang-up 1001 16']);
    t.ends(AGENT);
    expect(t.told()).toEqual(['EventReleased(1001)', `EventCallDeleted(${CALLER})`]);
    expect(t.asked()).toEqual(['destroy-bridge']);
    expect(t.released(CALLER)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'recv_cancel',
      sipCode: 487,
    });
    expect(t.released(AGENT)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause: 'BY_CUSTOMER',
      hangupDisposition: 'send_cancel',
    });
  });

  it('before the agent rings: the agent, who was dialled, is released without having rung', () => {
    const t = arrived().ends(CALLER, CANCELS).fromHere().rings(AGENT);
    expect(t.told()).toEqual([]);
    t.ends(AGENT);
    expect(t.told()).toEqual(['EventReleased(1001)', `EventCallDeleted(${CALLER})`]);
  });

  it('as the agent answers: nothing is established', () => {
    const t = answering().fromHere().ends(CALLER, CANCELS);
    expect(t.asked()).toEqual(['hang-up 1001 16']);
    t.ends(AGENT);
    expect(t.told()).toEqual([`EventReleased(${CALLER})`, 'EventReleased(1001)', `EventCallDeleted(${CALLER})`]);
    expect(t.released(CALLER).connectionStatus).toBe('Hang Up');
    expect(t.released(AGENT)).toMatchObject({ connectionStatus: 'Connected', hangupCause: 'BY_CUSTOMER' });
    expect(t.event('EventCallDeleted')).not.toHaveProperty('bridgeUepoch');
  });

  it('and the agent answers before our hang-up arrives: nothing is established', () => {
    const t = ringing().ends(CALLER, CANCELS).fromHere().answers(AGENT);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([]);
    t.ends(AGENT);
    expect(t.told()).toEqual(['EventReleased(1001)', `EventCallDeleted(${CALLER})`]);
    expect(t.released(AGENT)).toMatchObject({ connectionStatus: 'Connected', hangupDisposition: 'send_bye' });
  });
});

describe('the agent leaves while the caller is being answered', () => {
  it('and the caller is answered all the same: both are released, nothing is established', () => {
    const t = answering().fromHere().ends(AGENT);
    expect(t.asked()).toEqual([`hang-up ${CALLER} 16`]);
    t.answers(CALLER).ends(CALLER);
    expect(t.told()).toEqual(['EventReleased(1001)', `EventReleased(${CALLER})`, `EventCallDeleted(${CALLER})`]);
    expect(t.asked()).toEqual(['destroy-bridge']);
    expect(t.released(CALLER)).toMatchObject({ connectionStatus: 'Connected', hangupCause: 'BY_AGENT' });
  });
});

describe('an agent dials on the phone itself', () => {
  const dials = (): Story => story().arrives({ from: AGENT, to: '00919800000001', reaches: CALLER });

  it('a customer: Outbound, DirectAgent, the phone is answered when the customer answers', () => {
    const t = dials();
    expect(t.told()).toEqual(['EventCallCreated(1001)', 'EventDialing(1001)']);
    expect(t.asked()).toEqual(['create-bridge', 'place 1001', `dial ${CALLER} into the bridge`, 'ring 1001']);
    t.earlyMedia(CALLER).answers(CALLER);
    expect(t.asked()).toEqual(['answer 1001']);
    t.answers(AGENT).ends(AGENT).ends(CALLER);
    expect(t.told()).toEqual([
      `EventRinging(${CALLER})`,
      'EventOtherRinging(1001)',
      'EventEstablished(1001)',
      `EventEstablished(${CALLER})`,
      'EventReleased(1001)',
      `EventReleased(${CALLER})`,
      'EventCallDeleted(1001)',
    ]);
    const told = { callType: 'Outbound', ANI: '+911140000000', DNIS: CALLER, referenceID: 0 };
    for (const event of t.events) expect(event).toMatchObject(told);
    expect(t.event('EventDialing').makeCallType).toBe('DirectAgent');
    expect(t.event('EventEstablished', AGENT).makeCallType).toBe('DirectAgent');
    expect(t.released(CALLER)).toMatchObject({ makeCallType: 'DirectAgent', hangupCause: 'BY_AGENT' });
  });

  it('a customer who is busy: the agent hears the tone and is refused with 486', () => {
    const t = dials().fromHere().ends(CALLER, BUSY).timer();
    expect(t.asked()).toEqual(['play-tone 1001 busy', 'hang-up 1001 17']);
    t.ends(AGENT, { q850: 17 });
    expect(t.event('EventCallDeleted').connectionStatus).toBe('Busy');
  });

  it('and gives up: BY_AGENT', () => {
    const t = dials().ends(AGENT, CANCELS).ends(CALLER);
    expect(t.released(AGENT)).toMatchObject({ connectionStatus: 'Hang Up', hangupCause: 'BY_AGENT' });
    expect(t.released(CALLER)).toMatchObject({ connectionStatus: 'Hang Up', hangupDisposition: 'send_cancel' });
  });

  it('a colleague: Internal', () => {
    const t = story().arrives({ from: AGENT, to: '1002', reaches: '1002' });
    expect(t.event('EventDialing')).toMatchObject({ callType: 'Internal', otherDN: '1002' });
    expect(t.event('EventDialing')).not.toHaveProperty('DNIS');
  });
});
