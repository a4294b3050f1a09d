import { describe, expect, it } from 'vitest';
import { BUSY, CANCELS, NORMAL, type Story, story } from './flow.ts';

const AGENT = '1001';
const CUSTOMER = '+919800000001';

const dialled = (): Story => story().make({ ref: 7 });
const agentRings = (): Story => dialled().rings(AGENT);
const agentUp = (): Story => agentRings().answers(AGENT);
const customerRings = (): Story => agentUp().rings(CUSTOMER);
const talking = (): Story => customerRings().answers(CUSTOMER);

describe('RequestReleaseCall and RequestClearCall before anybody else is rung', () => {
  it.each([
    ['the agent, dialled', () => dialled().fromHere().releases(AGENT, 9), 'BY_AGENT'],
    ['the agent, ringing', () => agentRings().fromHere().releases(AGENT, 9), 'BY_AGENT'],
    ['everybody, dialled', () => dialled().fromHere().clears(9), 'BY_SYSTEM'],
    ['everybody, ringing', () => agentRings().fromHere().clears(9), 'BY_SYSTEM'],
    ['the customer, whose turn had not come', () => agentRings().fromHere().releases(CUSTOMER, 9), 'BY_CUSTOMER'],
  ] as const)('%s', (_, told, hangupCause) => {
    const t = told();
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual(['hang-up 1001 16']);
    t.ends(AGENT);
    expect(t.told()).toEqual(['EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual([]);
    expect(t.released(AGENT)).toMatchObject({
      connectionStatus: 'Hang Up',
      hangupCause,
      hangupDisposition: 'send_cancel',
      referenceID: 9,
    });
    expect(t.event('EventCallDeleted')).toMatchObject({ referenceID: 9, connectionStatus: 'Hang Up' });
  });
});

describe('RequestReleaseCall and RequestClearCall later', () => {
  it.each([
    ['the agent, customer dialled', () => agentUp().fromHere().releases(AGENT, 9), 'Hang Up', 'BY_AGENT'],
    ['the agent, customer ringing', () => customerRings().fromHere().releases(AGENT, 9), 'Hang Up', 'BY_AGENT'],
    ['the customer, ringing', () => customerRings().fromHere().releases(CUSTOMER, 9), 'Hang Up', 'BY_CUSTOMER'],
    ['everybody, customer ringing', () => customerRings().fromHere().clears(9), 'Hang Up', 'BY_SYSTEM'],
    ['the agent, talking', () => talking().fromHere().releases(AGENT, 9), 'Connected', 'BY_AGENT'],
    ['the customer, talking', () => talking().fromHere().releases(CUSTOMER, 9), 'Connected', 'BY_CUSTOMER'],
    ['everybody, talking', () => talking().fromHere().clears(9), 'Connected', 'BY_SYSTEM'],
  ] as const)('%s', (_, told, connectionStatus, hangupCause) => {
    const t = told();
    expect(t.told()).toEqual([]);
    expect(t.asked().toSorted()).toEqual([`hang-up ${CUSTOMER} 16`, 'hang-up 1001 16']);
    t.ends(AGENT);
    expect(t.asked()).toEqual([]);
    t.ends(CUSTOMER);
    expect(t.told()).toEqual(['EventReleased(1001)', `EventReleased(${CUSTOMER})`, 'EventCallDeleted(1001)']);
    expect(t.asked()).toEqual(['destroy-bridge']);
    expect(t.released(CUSTOMER)).toMatchObject({ connectionStatus, hangupCause, referenceID: 9 });
    expect(t.released(AGENT)).toMatchObject({ connectionStatus: 'Connected', hangupCause, referenceID: 9 });
    expect(t.event('EventCallDeleted')).toMatchObject({ referenceID: 9, connectionStatus });
  });

  it('the legs may end in either order', () => {
    const t = talking().releases(AGENT, 9).fromHere().ends(CUSTOMER).ends(AGENT);
    expect(t.told()).toEqual([`EventReleased(${CUSTOMER})`, 'EventReleased(1001)', 'EventCallDeleted(1001)']);
  });

  it('leaves out the SIP status that Asterisk makes up for a leg that we hung up', () => {
    const t = customerRings().releases(AGENT).ends(CUSTOMER, { q850: 16, sip: 603 }).ends(AGENT);
    expect(t.released(CUSTOMER)).toMatchObject({ connectionStatus: 'Hang Up', q850: 16 });
    expect(t.released(CUSTOMER)).not.toHaveProperty('sipCode');
  });
});

describe('what is kept of a release, for a restart to go on from', () => {
  it('nobody who is leaving belongs in the bridge any more, and the bridge stays until they have left', () => {
    const t = talking();
    expect(Object.keys(t.call.media.place).toSorted()).toEqual([t.channel(AGENT), t.channel(CUSTOMER)]);
    t.releases(AGENT);
    expect(t.call.media.place).toEqual({});
    expect(t.call.media.bridges).toHaveLength(1);
    expect(t.ends(AGENT).ends(CUSTOMER).call.media).toMatchObject({ bridges: [], place: {} });
  });

  it('who let whom go', () => {
    const t = talking().ends(CUSTOMER).ends(AGENT);
    expect(t.party(CUSTOMER).leg.end?.by).toBe('far-end');
    expect(t.party(AGENT).leg.end?.by).toBe('other-customer');
    const u = talking().releases(AGENT).ends(CUSTOMER).ends(AGENT);
    expect(u.party(CUSTOMER).leg.end?.by).toBe('other-user');
    expect(u.party(AGENT).leg.end?.by).toBe('request');
  });
});

describe('races with a hang-up that is under way', () => {
  it('the customer answers: released properly, never established', () => {
    const t = customerRings().releases(AGENT, 9).fromHere().answers(CUSTOMER);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([]);
    t.ends(CUSTOMER).ends(AGENT);
    expect(t.told()).toEqual([`EventReleased(${CUSTOMER})`, 'EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.released(CUSTOMER)).toMatchObject({
      connectionStatus: 'Connected',
      earlyDetectCause: 200,
      hangupDisposition: 'send_bye',
      referenceID: 9,
    });
    expect(t.event('EventCallDeleted')).not.toHaveProperty('bridgeUepoch');
  });

  it('the agent answers: the customer is not dialled', () => {
    const t = agentRings().releases(AGENT, 9).fromHere().answers(AGENT);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([]);
    t.ends(AGENT);
    expect(t.told()).toEqual(['EventReleased(1001)', 'EventCallDeleted(1001)']);
    expect(t.released(AGENT).connectionStatus).toBe('Connected');
  });

  it('the customer begins to ring: not announced any more', () => {
    const t = agentUp().releases(AGENT, 9).fromHere().rings(CUSTOMER).earlyMedia(CUSTOMER);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([]);
  });

  it('the phone refuses at that moment: still our hang-up, for that was asked first', () => {
    const t = customerRings().releases(AGENT, 9).ends(CUSTOMER, BUSY).ends(AGENT);
    expect(t.released(CUSTOMER)).toMatchObject({ connectionStatus: 'Hang Up', hangupCause: 'BY_AGENT' });
  });

  it('the node dies at that moment: Failed', () => {
    const t = customerRings().releases(AGENT, 9).ends(CUSTOMER, { nodeDied: true }).ends(AGENT, { nodeDied: true });
    expect(t.event('EventCallDeleted').connectionStatus).toBe('Failed');
  });
});

describe('whose referenceID an event carries', () => {
  it("make's up to Established, the release's from then on", () => {
    const t = talking().releases(AGENT, 9).ends(AGENT).ends(CUSTOMER);
    expect(t.events.map((e) => [e.messageID, e.referenceID])).toEqual([
      ['EventCallCreated', 7],
      ['EventDialing', 7],
      ['EventRinging', 7],
      ['EventOtherRinging', 7],
      ['EventEstablished', 7],
      ['EventEstablished', 7],
      ['EventReleased', 9],
      ['EventReleased', 9],
      ['EventCallDeleted', 9],
    ]);
  });

  it('none where somebody simply hung up', () => {
    const t = talking().ends(CUSTOMER).ends(AGENT);
    expect(t.events.slice(-3).map((e) => e.referenceID)).toEqual([0, 0, 0]);
  });

  it('none of a request that came when everybody was leaving already', () => {
    const t = talking().ends(CUSTOMER).fromHere().releases(AGENT, 9).clears(10);
    expect(t.refusal).toBeUndefined();
    expect(t.asked()).toEqual([]);
    t.ends(AGENT);
    expect(t.events.slice(-2)).toMatchObject([
      { messageID: 'EventReleased', referenceID: 0, hangupCause: 'BY_CUSTOMER' },
      { messageID: 'EventCallDeleted', referenceID: 0 },
    ]);
  });

  it('the first of two requests', () => {
    const t = talking().releases(AGENT, 9).fromHere().releases(CUSTOMER, 10).clears(11).releases(AGENT, 12);
    expect(t.asked()).toEqual([]);
    t.ends(AGENT).ends(CUSTOMER);
    expect(t.events.slice(-3).map((e) => e.referenceID)).toEqual([9, 9, 9]);
    expect(t.released(CUSTOMER).hangupCause).toBe('BY_AGENT');
  });
});

describe('an inbound call is released', () => {
  const CALLER = '+919811111111';
  const ringing = (): Story => story().arrives({ from: CALLER, to: '+911140000000', reaches: AGENT }).rings(AGENT);

  it('by the agent whose phone rings: the caller is let go by him, after the tone', () => {
    const t = ringing().fromHere().releases(AGENT, 9);
    expect(t.asked()).toEqual(['hang-up 1001 16']);
    t.ends(AGENT);
    expect(t.asked()).toEqual([`play-tone ${CALLER} busy`]);
    t.timer();
    expect(t.asked()).toEqual([`hang-up ${CALLER} 19`]);
    t.ends(CALLER, { q850: 19, sip: 480 });
    expect(t.told()).toEqual(['EventReleased(1001)', `EventReleased(${CALLER})`, `EventCallDeleted(${CALLER})`]);
    expect(t.asked()).toEqual(['destroy-bridge']);
    expect(t.released(AGENT)).toMatchObject({ connectionStatus: 'Hang Up', referenceID: 9, hangupCause: 'BY_AGENT' });
    expect(t.released(CALLER)).toMatchObject({ connectionStatus: 'Hang Up', referenceID: 9, hangupCause: 'BY_AGENT' });
    expect(t.event('EventCallDeleted')).toMatchObject({ referenceID: 9, connectionStatus: 'Hang Up' });
  });

  it('by that agent, and the caller gives up first: his end is nobody’s request', () => {
    const t = ringing().releases(AGENT, 9).ends(CALLER, CANCELS).ends(AGENT);
    expect(t.released(CALLER)).toMatchObject({ connectionStatus: 'Hang Up', referenceID: 0 });
    expect(t.released(AGENT).referenceID).toBe(9);
  });

  it('by that agent, who answers before the hang-up arrives: the caller is not answered', () => {
    const t = ringing().releases(AGENT, 9).fromHere().answers(AGENT);
    expect(t.asked()).toEqual([]);
    t.ends(AGENT);
    expect(t.asked()).toEqual([`play-tone ${CALLER} busy`]);
  });

  it('for the caller: both go at once', () => {
    const t = ringing().fromHere().releases(CALLER, 9);
    expect(t.asked()).toEqual([`hang-up ${CALLER} 16`, 'hang-up 1001 16']);
    t.ends(CALLER, { q850: 16 }).ends(AGENT, NORMAL);
    expect(t.released(CALLER)).toMatchObject({ connectionStatus: 'Hang Up', hangupDisposition: 'send_refuse' });
  });

  it('while the caller hears the tone: at once, with the reference of that request', () => {
    const t = ringing().ends(AGENT, BUSY).fromHere().releases(CALLER, 9);
    expect(t.asked()).toEqual([`hang-up ${CALLER} 16`]);
    t.timer();
    expect(t.asked()).toEqual([]);
    t.ends(CALLER);
    expect(t.released(CALLER)).toMatchObject({ referenceID: 9, connectionStatus: 'Hang Up', hangupCause: 'USER_BUSY' });
    expect(t.event('EventCallDeleted')).toMatchObject({ referenceID: 9, connectionStatus: 'User Busy' });
  });

  it('as the caller is being answered', () => {
    const t = ringing().answers(AGENT).fromHere().releases(AGENT, 9);
    expect(t.asked().toSorted()).toEqual([`hang-up ${CALLER} 16`, 'hang-up 1001 16']);
    t.answers(CALLER);
    expect(t.told()).toEqual([]);
    t.ends(CALLER).ends(AGENT);
    expect(t.event('EventCallDeleted').referenceID).toBe(9);
  });

  it('cleared while it rings', () => {
    const t = ringing().fromHere().clears(9);
    expect(t.asked()).toEqual([`hang-up ${CALLER} 16`, 'hang-up 1001 16']);
    t.ends(AGENT).ends(CALLER);
    expect(t.asked()).toEqual(['destroy-bridge']);
    expect(t.released(CALLER)).toMatchObject({ hangupCause: 'BY_SYSTEM', referenceID: 9 });
  });
});

describe('requests that cannot be carried out', () => {
  const ended = (): Story => talking().ends(AGENT).ends(CUSTOMER).fromHere();

  it.each([
    ['release', (t: Story) => t.releases(AGENT)],
    ['clear', (t: Story) => t.clears()],
    ['answer', (t: Story) => t.picksUp(AGENT)],
    ['attach-data', (t: Story) => t.attaches({ a: 1 })],
  ])('%s on a call that is over: NotFoundCallID', (_, request) => {
    const t = ended();
    request(t);
    expect(t.refusal).toBe('NotFoundCallID');
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual([]);
  });

  it.each([
    ['release', (t: Story) => t.releases('1999')],
    ['answer', (t: Story) => t.picksUp('1999')],
    ['attach-data', (t: Story) => t.attaches({ a: 1 }, 0, '1999')],
  ])('%s by one who is not in the call: NotFoundParty', (_, request) => {
    const t = talking();
    request(t);
    expect(t.refusal).toBe('NotFoundParty');
  });

  it('release by one who has left: NotFoundParty', () => {
    expect(talking().ends(AGENT).releases(AGENT).refusal).toBe('NotFoundParty');
  });
});

describe('RequestAnswerCall', () => {
  it('makes a ringing phone of ours answer; that it did is told by the phone', () => {
    const t = agentRings().fromHere().picksUp(AGENT, 8);
    expect(t.told()).toEqual([]);
    expect(t.asked()).toEqual(['answer-phone 1001']);
    t.answers(AGENT);
    expect(t.asked()).toEqual(['create-bridge', 'place 1001', `dial ${CUSTOMER} into the bridge`]);
  });

  it.each([
    ['a phone that is up', () => talking().picksUp(AGENT)],
    ['a customer', () => customerRings().picksUp(CUSTOMER)],
    ['a phone that we are hanging up', () => agentRings().releases(AGENT).picksUp(AGENT)],
    ['a caller', () => story().arrives({ from: '1002', to: '1001', reaches: '1001' }).picksUp('1002')],
  ])('%s: InvalidAgentState', (_, told) => {
    expect(told().refusal).toBe('InvalidAgentState');
  });
});
