import { describe, expect, it } from 'vitest';
import type { Supervision } from '../../../src/calls/call.ts';
import { AGENT, type Conferring, CUSTOMER, GUEST, RIVAL, SUPERVISOR, supervised, talking } from './conferring.ts';
import { BUSY, type End, NO_ANSWER } from './flow.ts';

type Mode = Supervision['mode'];
const MODES: readonly Mode[] = ['monitor', 'whisper', 'bargein', 'intercept'];

/** What the supervisor's events say, by what he does (seed 004). */
const SAYS: Readonly<Record<Mode, object>> = {
  monitor: { partyRole: 'Supervisor', otherDN: AGENT, otherDNRole: 'ObserveTo', thirdDN: CUSTOMER },
  whisper: { partyRole: 'Supervisor', otherDN: AGENT, otherDNRole: 'ObserveTo', thirdDN: CUSTOMER },
  bargein: { partyRole: 'Agent', otherDN: CUSTOMER, thirdDN: AGENT, thirdDNRole: 'BargeinTo' },
  intercept: { partyRole: 'Agent', otherDN: CUSTOMER, thirdDN: AGENT, thirdDNRole: 'InterceptTo' },
};

/** How a failure says its cause. */
const CAUSE: Readonly<Record<Mode, string | undefined>> = {
  monitor: undefined,
  whisper: undefined,
  bargein: 'bargein_cause',
  intercept: 'intercept_cause',
};

const places = (s: Conferring) => [AGENT, CUSTOMER, SUPERVISOR].map((dn) => s.where(dn));
const snoops = (s: Conferring) => Object.values(s.call.media.snoops).map((x) => ({ of: x.of, whisper: x.whisper }));

describe.each(MODES)('%s', (mode) => {
  it('rings the supervisor, alone, and then begins', () => {
    const s = talking().supervises(mode, SUPERVISOR, AGENT, 7);
    expect(s.asked()).toEqual([`dial ${SUPERVISOR}`]);
    s.rings(SUPERVISOR);
    expect(s.told()).toEqual([`EventRinging(${SUPERVISOR})`]);
    expect(s.event('EventRinging', SUPERVISOR)).toMatchObject({ ...SAYS[mode], referenceID: 7 });
    expect(s.event('EventRinging', SUPERVISOR)).not.toHaveProperty('callState');
    expect(s.event('EventRinging', SUPERVISOR)).not.toHaveProperty('thisDNRole');
    s.answers(SUPERVISOR).answers(SUPERVISOR);
    expect(s.event('EventEstablished', SUPERVISOR)).toMatchObject({ ...SAYS[mode], referenceID: 7 });
  });

  it.each([
    ['is busy', BUSY],
    ['rings out', NO_ANSWER],
  ])('the supervisor %s: it fails for cause 1, and the agent keeps the call', (_, end: End) => {
    const s = talking().supervises(mode, SUPERVISOR, AGENT, 7).rings(SUPERVISOR).fromHere().ends(SUPERVISOR, end);
    expect(s.told()).toEqual([`EventReleased(${SUPERVISOR})`]);
    const released = s.released(SUPERVISOR);
    expect(released).toMatchObject(SAYS[mode]);
    expect(released.attachedData).toEqual({ orderID: '1', ...(CAUSE[mode] && { [CAUSE[mode]]: 1 }) });
    expect([s.leaving(), s.call.supervision]).toEqual([[], undefined]);
    expect(s.supervises(mode, SUPERVISOR, AGENT).refusal).toBeUndefined();
  });

  it('the supervisor cannot be reached: the same at once', () => {
    const to = { dn: SUPERVISOR, kind: 'user', endpoint: '', unreachable: 'unavailable' } as const;
    const s = talking().supervises(mode, SUPERVISOR, AGENT, 7, { to });
    expect(s.told()).toEqual([`EventReleased(${SUPERVISOR})`]);
    expect([s.leaving(), s.call.supervision]).toEqual([[], undefined]);
  });

  it('the supervisor answers as the call ends: it fails for cause 2', () => {
    const s = talking().supervises(mode, SUPERVISOR, AGENT).rings(SUPERVISOR).releases(AGENT).fromHere();
    s.answers(SUPERVISOR).ends(SUPERVISOR);
    expect(s.told()).toEqual([`EventReleased(${SUPERVISOR})`]);
    const { attachedData } = s.released(SUPERVISOR);
    expect(attachedData).toEqual({ orderID: '1', ...(CAUSE[mode] && { [CAUSE[mode]]: 2 }) });
  });

  it('the agent consults while the supervisor rings: who is to be heard fails for cause 2, who listens does not', () => {
    const s = talking()
      .supervises(mode, SUPERVISOR, AGENT)
      .rings(SUPERVISOR)
      .consults(AGENT, GUEST)
      .answers(SUPERVISOR);
    const field = CAUSE[mode];
    expect(s.leaving()).toEqual(field === undefined ? [] : [SUPERVISOR]);
    s.ends(SUPERVISOR);
    expect(s.released(SUPERVISOR).attachedData).toEqual({ orderID: '1', ...(field && { [field]: 2 }) });
    expect(s.answers(GUEST).call.consult?.stage).toBe(4);
  });

  it.each([AGENT, CUSTOMER])('%s leaves while the supervisor rings: it fails for cause 1', (dn) => {
    const s = talking().supervises(mode, SUPERVISOR, AGENT).rings(SUPERVISOR).ends(dn);
    expect(s.leaving()).toContain(SUPERVISOR);
    for (const p of s.leaving()) s.ends(p);
    expect(s.released(SUPERVISOR).attachedData).toEqual({ orderID: '1', ...(CAUSE[mode] && { [CAUSE[mode]]: 1 }) });
    expect(s.told().at(-1)).toBe(`EventCallDeleted(${AGENT})`);
  });

  it('is given up while it rings', () => {
    const s = talking().supervises(mode, SUPERVISOR, AGENT).rings(SUPERVISOR).fromHere().stops(SUPERVISOR, 8);
    expect(s.asked()).toEqual([`hang-up ${SUPERVISOR} 16`]);
    s.ends(SUPERVISOR);
    expect(s.told()).toEqual([`EventReleased(${SUPERVISOR})`]);
    expect(s.released(SUPERVISOR)).toMatchObject({ referenceID: 8, connectionStatus: 'Hang Up' });
    expect(s.leaving()).toEqual([]);
  });

  it('the request again while it goes on changes nothing', () => {
    const s = talking().supervises(mode, SUPERVISOR, AGENT).rings(SUPERVISOR).fromHere();
    expect(s.supervises(mode, SUPERVISOR, AGENT).refusal).toBeUndefined();
    expect([s.told(), s.asked()]).toEqual([[], []]);
  });
});

describe.each(['monitor', 'whisper'] as const)('%s', (mode) => {
  const name = mode === 'monitor' ? 'Monitor' : 'Whisper';

  it('the supervisor hears through the agent’s leg, and is with nobody else', () => {
    const s = supervised(mode);
    expect(places(s)).toEqual(['b1', 'b1', 'b3']);
    expect(snoops(s)).toEqual([{ of: s.channel(AGENT), whisper: mode === 'whisper' }]);
    expect(s.event('EventEstablished', SUPERVISOR).agentStatus).toBe(`${name}Started`);
    expect(s.statuses.slice(-2)).toEqual([AGENT, SUPERVISOR].map((dn) => ({ dn, status: `${name}Started` })));
  });

  it.each([
    ['by request', (s: Conferring) => s.stops(SUPERVISOR, 8).ends(SUPERVISOR)],
    ['by hanging up', (s: Conferring) => s.ends(SUPERVISOR)],
    ['by release', (s: Conferring) => s.releases(SUPERVISOR).ends(SUPERVISOR)],
  ])('the supervisor ends it %s, and nobody else notices', (_, ends) => {
    const s = ends(supervised(mode));
    expect(s.told()).toEqual([`EventReleased(${SUPERVISOR})`]);
    expect(s.released(SUPERVISOR)).toMatchObject({ ...SAYS[mode], agentStatus: `${name}Ended` });
    expect(s.asked()).toContainEqual(expect.stringMatching(/^hang-up .*-s1 16$/));
    expect([s.leaving(), snoops(s), places(s).slice(0, 2)]).toEqual([[], [], ['b1', 'b1']]);
  });

  it.each([AGENT, CUSTOMER])('%s hangs up: the supervisor is released', (dn) => {
    const s = supervised(mode).ends(dn);
    expect(s.leaving()).toContain(SUPERVISOR);
    for (const p of s.leaving()) s.ends(p);
    expect(s.released(SUPERVISOR).agentStatus).toBe(`${name}Ended`);
    expect(s.released(AGENT).agentStatus).toBe(`${name}Ended`);
    expect(s.call.deleted).toBe(true);
  });

  it('the agent adds somebody: the supervisor goes on, and is told nothing', () => {
    const s = supervised(mode).adds(AGENT, GUEST).answers(GUEST);
    expect(s.told()).toEqual([`EventRinging(${GUEST})`, `EventEstablished(${GUEST})`, `EventPartyAdded(${AGENT})`]);
    s.ends(AGENT);
    expect(s.leaving()).toEqual([SUPERVISOR]);
    s.ends(SUPERVISOR);
    expect([s.call.deleted, s.call.supervision]).toEqual([false, undefined]);
  });

  it('the agent consults: the supervisor hears him there', () => {
    const s = supervised(mode).consults(AGENT, GUEST).answers(GUEST);
    expect([s.where(AGENT), s.where(SUPERVISOR)]).toEqual(['b2', 'b3']);
    expect(snoops(s)).toEqual([{ of: s.channel(AGENT), whisper: mode === 'whisper' }]);
  });

  it('a leg that could not be put in its place has failed', () => {
    const s = supervised(mode).ends(SUPERVISOR, { q850: 38 });
    expect(s.released(SUPERVISOR).agentStatus).toBe(`${name}Failed`);
  });
});

describe('barge-in', () => {
  const added = { otherDN: SUPERVISOR, thirdDN: SUPERVISOR, thirdDNRole: 'BargeinBy', callState: 'Conference' };
  const left = { otherDN: AGENT, thirdDN: SUPERVISOR, thirdDNRole: 'DeletedBy', callState: 'OK' };

  it('all hear each other, and the agent is told who came', () => {
    const s = talking().supervises('bargein', SUPERVISOR, AGENT, 7).rings(SUPERVISOR).fromHere().answers(SUPERVISOR);
    expect(s.told()).toEqual([`EventEstablished(${SUPERVISOR})`, `EventPartyAdded(${AGENT})`]);
    expect(s.event('EventPartyAdded', AGENT)).toMatchObject({
      ...added,
      referenceID: 7,
      partyRole: 'Agent',
      attachedData: { orderID: '1' },
      agentStatus: 'BargeinStarted',
    });
    expect(s.event('EventEstablished', SUPERVISOR).agentStatus).toBe('BargeinStarted');
    expect([places(s), snoops(s)]).toEqual([['b4', 'b4', 'b4'], []]);
  });

  it('the supervisor leaves as the seed tells it, and the two go on', () => {
    const s = supervised('bargein').stops(SUPERVISOR, 8).ends(SUPERVISOR);
    expect(s.told()).toEqual([`EventPartyDeleted(${SUPERVISOR})`, `EventReleased(${SUPERVISOR})`]);
    expect(s.event('EventPartyDeleted', SUPERVISOR)).toMatchObject({
      ...left,
      referenceID: 8,
      partyRole: 'Agent',
      agentStatus: 'BargeinEnded',
    });
    expect(s.released(SUPERVISOR)).toMatchObject(SAYS.bargein);
    expect(s.released(SUPERVISOR).attachedData).toEqual({ orderID: '1' });
    expect([s.leaving(), s.call.supervision]).toEqual([[], undefined]);
  });

  it.each([AGENT, CUSTOMER])('%s leaves: the call is over for all, the supervisor is no party to it', (dn) => {
    const s = supervised('bargein').ends(dn);
    expect(s.leaving().sort()).toEqual([AGENT, CUSTOMER, SUPERVISOR].filter((p) => p !== dn).sort());
    const released = supervised('bargein').releases(dn);
    expect(released.leaving().sort()).toEqual([AGENT, CUSTOMER, SUPERVISOR].sort());
  });

  it('he could not be put into the call after his answer: cause 2', () => {
    const s = supervised('bargein').ends(SUPERVISOR, { q850: 38 });
    expect(s.told()).toEqual([`EventPartyDeleted(${SUPERVISOR})`, `EventReleased(${SUPERVISOR})`]);
    expect(s.released(SUPERVISOR).attachedData).toEqual({ orderID: '1', bargein_cause: 2 });
    expect(s.statuses.map((x) => x.status).slice(-2)).toEqual(['BargeinFailed', 'BargeinFailed']);
  });

  it('the interrupted agent cannot consult', () => {
    expect(supervised('bargein').consults(AGENT, GUEST).refusal).toBe('AgentIsInConferenceScene');
  });
});

describe('the agent comes to talk to somebody else', () => {
  it.each(['monitor', 'whisper'] as const)('%s: each time he is listened to through a new snoop channel', (mode) => {
    const s = supervised(mode);
    s.consults(AGENT, GUEST);
    const anew = [
      `snoop ${AGENT}${mode === 'whisper' ? ' whispering' : ''}`,
      expect.stringMatching(/^hang-up .*-s1 16$/),
    ];
    expect(s.asked()).toEqual(expect.arrayContaining(anew));
    s.rings(GUEST).answers(GUEST);
    expect(s.asked().filter((c) => c.startsWith('snoop'))).toEqual([]);
    s.retrieves(AGENT);
    expect(s.asked()).toContainEqual(expect.stringMatching(/^hang-up .*-s2 16$/));
    expect(snoops(s)).toEqual([{ of: s.channel(AGENT), whisper: mode === 'whisper' }]);
  });

  it('nothing is new where he holds and retrieves', () => {
    const s = supervised('monitor');
    s.happens({ kind: 'hold', thisDN: AGENT, referenceID: 0 }).happens({
      kind: 'retrieve',
      thisDN: AGENT,
      referenceID: 0,
    });
    expect(s.asked().filter((c) => c.startsWith('snoop'))).toEqual([]);
  });
});

describe('intercept', () => {
  it('the supervisor has the customer, the agent is released', () => {
    const s = talking().supervises('intercept', SUPERVISOR, AGENT, 7).rings(SUPERVISOR).fromHere().answers(SUPERVISOR);
    expect(s.told()).toEqual([`EventEstablished(${SUPERVISOR})`]);
    expect(s.asked()).toEqual([`place ${SUPERVISOR}`, `hang-up ${AGENT} 16`]);
    s.ends(AGENT);
    expect(s.told()).toEqual([`EventReleased(${AGENT})`]);
    expect(s.released(AGENT)).toMatchObject({
      referenceID: 7,
      otherDN: CUSTOMER,
      thirdDN: SUPERVISOR,
      thirdDNRole: 'InterceptBy',
    });
    expect([s.where(SUPERVISOR), s.where(CUSTOMER), s.leaving()]).toEqual(['b1', 'b1', []]);
    expect(s.supervises('monitor', RIVAL, SUPERVISOR).refusal).toBeUndefined();
    s.stops(SUPERVISOR);
    expect(s.refusal).toBe('Unknown');
    s.releases(SUPERVISOR);
    expect(s.leaving()).toEqual(expect.arrayContaining([CUSTOMER, SUPERVISOR]));
  });

  it('the customer leaves at that moment: the call is over', () => {
    const s = supervised('intercept').ends(CUSTOMER);
    expect(s.leaving()).toEqual([AGENT, SUPERVISOR]);
    s.ends(AGENT).ends(SUPERVISOR);
    expect(s.call.deleted).toBe(true);
  });
});

describe('from one mode to another in place', () => {
  const move = (from: Mode, to: Mode) => supervised(from).supervises(to, SUPERVISOR, AGENT, 9);

  it.each([
    ['monitor', 'whisper', 'WhisperStarted'],
    ['whisper', 'monitor', 'MonitorStarted'],
  ] as const)('%s to %s: a new snoop channel', (from, to, status) => {
    const s = move(from, to);
    expect(s.told()).toEqual([`EventPartyChanged(${SUPERVISOR})`]);
    expect(s.event('EventPartyChanged')).toMatchObject({ ...SAYS[to], referenceID: 9, agentStatus: status });
    expect(s.asked()).toEqual([
      `snoop ${AGENT}${to === 'whisper' ? ' whispering' : ''}`,
      expect.stringMatching(/^hang-up .*-s1 16$/),
    ]);
    expect(snoops(s)).toEqual([{ of: s.channel(AGENT), whisper: to === 'whisper' }]);
  });

  it.each(['monitor', 'whisper'] as const)('%s to barge-in', (from) => {
    const s = move(from, 'bargein');
    expect(s.told()).toEqual([`EventPartyChanged(${SUPERVISOR})`, `EventPartyAdded(${AGENT})`]);
    expect(s.event('EventPartyChanged')).toMatchObject({
      ...SAYS.bargein,
      callState: 'Conference',
      agentStatus: 'BargeinStarted',
    });
    expect(s.event('EventPartyAdded')).toMatchObject({ thirdDNRole: 'BargeinBy', referenceID: 9 });
    expect([places(s), snoops(s)]).toEqual([['b4', 'b4', 'b4'], []]);
  });

  it.each([
    ['monitor', 'MonitorStarted'],
    ['whisper', 'WhisperStarted'],
  ] as const)('barge-in to %s', (to, status) => {
    const s = move('bargein', to);
    expect(s.told()).toEqual([`EventPartyDeleted(${SUPERVISOR})`, `EventPartyChanged(${SUPERVISOR})`]);
    expect(s.event('EventPartyDeleted')).toMatchObject({ callState: 'OK', agentStatus: 'BargeinEnded' });
    expect(s.event('EventPartyChanged')).toMatchObject({ ...SAYS[to], agentStatus: status });
    expect(places(s)).toEqual(['b4', 'b4', 'b3']);
    s.ends(SUPERVISOR);
    expect(s.told()).toEqual([`EventReleased(${SUPERVISOR})`]);
  });

  it.each(['monitor', 'whisper', 'bargein'] as const)('%s to intercept', (from) => {
    const s = move(from, 'intercept');
    expect(s.event('EventPartyChanged')).toMatchObject({ ...SAYS.intercept, callState: 'OK' });
    const bridge = from === 'bargein' ? 'b4' : 'b1';
    expect([places(s).slice(1), s.leaving(), snoops(s)]).toEqual([[bridge, bridge], [AGENT], []]);
    s.ends(AGENT);
    expect(s.released(AGENT)).toMatchObject({ thirdDN: SUPERVISOR, thirdDNRole: 'InterceptBy', referenceID: 9 });
  });

  it('while the phone still rings: what it answers to is the new one', () => {
    const s = talking().supervises('monitor', SUPERVISOR, AGENT).rings(SUPERVISOR).fromHere();
    s.supervises('bargein', SUPERVISOR, AGENT);
    expect([s.told(), s.asked()]).toEqual([[], []]);
    s.answers(SUPERVISOR);
    expect(s.event('EventEstablished', SUPERVISOR)).toMatchObject(SAYS.bargein);
    expect(s.told()).toContain(`EventPartyAdded(${AGENT})`);
  });
});
