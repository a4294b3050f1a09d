import { describe, expect, it } from 'vitest';
import type { Found } from '../../../src/calls/input.ts';
import { conferenceBridge, mainBridge, observeBridge } from '../../../src/calls/layout.ts';
import { conference, SUPERVISOR, supervised } from './conferring.ts';
import { AGENT, CUSTOMER, GUEST, talking as inConversation } from './consulting.ts';
import { type Story, story } from './flow.ts';
import { type Holding, talking as holdingCall } from './holding.ts';

const ringing = (): Story =>
  story().make({ agent: AGENT, customer: CUSTOMER }).rings(AGENT).answers(AGENT).rings(CUSTOMER);
const talking = (): Story => ringing().answers(CUSTOMER).fromHere();

/** What the node has: the legs that are named, in the state that is given, and the call's bridge with those in it. */
function node(t: Story, legs: Record<string, string>, bridged: readonly string[] | 'no bridge'): Found {
  return {
    kind: 'found',
    channels: Object.fromEntries(Object.entries(legs).map(([dn, state]) => [t.channel(dn), state])),
    bridges: bridged === 'no bridge' ? {} : { [mainBridge(t.call)]: bridged.map((dn) => t.channel(dn)) },
    onHold: {},
    underWay: [],
    busy: false,
    nodeDied: false,
  };
}

const silenced = [`stop-music ${AGENT}`, `stop-music ${CUSTOMER}`];
const heard = [`unmute ${AGENT}`, `unmute ${CUSTOMER}`];
const bothUp = { [AGENT]: 'Up', [CUSTOMER]: 'Up' };

describe('a call that is found again', () => {
  it('goes on as it was where nothing has changed', () => {
    const t = talking();
    const before = t.call;
    t.happens(node(t, bothUp, [AGENT, CUSTOMER]));
    expect(t.told()).toEqual([]);
    // What may still sound, or be muted, from before is ended: nobody can tell.
    expect(t.asked()).toEqual([...silenced, ...heard]);
    expect(t.call).toEqual(before);
  });

  it('tells of a leg that ended meanwhile, marked recovered, and lets the other go', () => {
    const t = talking();
    t.happens(node(t, { [AGENT]: 'Up' }, [AGENT]));
    expect(t.told()).toEqual([`EventReleased(${CUSTOMER})`]);
    expect(t.event('EventReleased')).toMatchObject({ recovered: true, connectionStatus: 'Connected' });
    expect(t.asked()).toContain('hang-up 1001 16');
  });

  it('ends where both legs are gone', () => {
    const t = talking();
    t.happens(node(t, {}, 'no bridge'));
    expect(t.told()).toEqual([`EventReleased(${AGENT})`, `EventReleased(${CUSTOMER})`, `EventCallDeleted(${AGENT})`]);
  });

  it('has failed where Asterisk was started anew under it', () => {
    const t = talking();
    t.happens({ ...node(t, {}, 'no bridge'), nodeDied: true });
    expect(t.event('EventReleased', CUSTOMER)).toMatchObject({ connectionStatus: 'Failed', recovered: true });
    expect(t.event('EventCallDeleted')).toMatchObject({ connectionStatus: 'Failed' });
  });

  it('tells of an answer that came meanwhile', () => {
    const t = ringing().fromHere();
    t.happens(node(t, bothUp, [AGENT, CUSTOMER]));
    expect(t.told()).toEqual([`EventEstablished(${AGENT})`, `EventEstablished(${CUSTOMER})`]);
  });

  it('makes up the bridge that was stored and never made', () => {
    const t = talking();
    t.happens(node(t, bothUp, 'no bridge'));
    expect(t.asked()).toEqual(['create-bridge', ...silenced, `place ${AGENT} ${CUSTOMER}`, ...heard]);
  });

  it('puts back who has fallen out of the bridge', () => {
    const t = talking();
    t.happens(node(t, bothUp, [AGENT]));
    expect(t.asked()).toEqual([...silenced, `place ${CUSTOMER}`, ...heard]);
  });

  it('asks again for a hang-up that was stored and never sent', () => {
    const t = talking().releases(AGENT).fromHere();
    t.happens(node(t, bothUp, [AGENT, CUSTOMER]));
    expect(t.asked()).toEqual([`hang-up ${AGENT} 16`, `hang-up ${CUSTOMER} 16`]);
    expect(t.told()).toEqual([]);
  });

  it('lets a channel go that was created and never dialled', () => {
    const t = story().make({ agent: AGENT, customer: CUSTOMER }).fromHere();
    t.happens(node(t, { [AGENT]: 'Down' }, 'no bridge'));
    expect(t.asked()).toEqual([`hang-up ${AGENT} 16`]);
    expect(t.told()).toEqual([`EventReleased(${AGENT})`, `EventCallDeleted(${AGENT})`]);
  });

  it('says nothing of a leg that is just being dialled', () => {
    const t = story().make({ agent: AGENT, customer: CUSTOMER }).fromHere();
    t.happens({ ...node(t, {}, 'no bridge'), underWay: [t.channel(AGENT)] });
    expect(t.told()).toEqual([]);
  });

  it('waits on in the queue to which it was handed: the music is asked for again, and an agent can come', () => {
    const t = inConversation().handsToQueue(AGENT).ends(AGENT).fromHere();
    t.happens(node(t, { [CUSTOMER]: 'Up' }, []));
    expect([t.told(), t.asked()]).toEqual([[], [`start-music ${CUSTOMER}`, `unmute ${CUSTOMER}`]]);
    t.assigned(GUEST, 1).rings(GUEST).answers(GUEST);
    expect(t.asked()).toEqual([`dial ${GUEST}`, `stop-music ${CUSTOMER}`, `place ${CUSTOMER} ${GUEST}`]);
  });

  it('comes into the queue by the agent’s end that nobody heard of', () => {
    const t = inConversation().handsToQueue(AGENT).fromHere();
    t.happens(node(t, { [CUSTOMER]: 'Up' }, [CUSTOMER]));
    expect(t.told()).toEqual([`EventReleased(${AGENT})`]);
    expect(t.asked()).toEqual([`unplace ${CUSTOMER}`, `start-music ${CUSTOMER}`, `unmute ${CUSTOMER}`]);
  });

  it('goes on asking a queue, and one who was rung for it and has gone meanwhile has missed it', () => {
    const t = inConversation().asksQueue(AGENT).assigned(GUEST, 1).rings(GUEST).fromHere();
    t.happens(node(t, bothUp, []));
    expect(t.told()).toEqual([`EventReleased(${GUEST})`]);
    expect(t.asked()).toEqual([
      `start-music ${AGENT}`,
      `start-music ${CUSTOMER}`,
      `unmute ${AGENT}`,
      `unmute ${CUSTOMER}`,
    ]);
    expect(t.assigned('1003', 2).refusal).toBeUndefined();
  });

  it('leaves the sound alone while commands are still being carried out', () => {
    const t = talking();
    t.happens({ ...node(t, bothUp, 'no bridge'), busy: true });
    expect(t.asked()).toEqual([]);
  });

  it.each([
    ['an unmute', (t: Holding) => t.mutes(AGENT).unmutes(AGENT), [AGENT, CUSTOMER], [...silenced, ...heard]],
    ['a mute', (t: Holding) => t.mutes(AGENT), [AGENT, CUSTOMER], [...silenced, `mute ${AGENT}`, `unmute ${CUSTOMER}`]],
    [
      'a retrieve',
      (t: Holding) => t.holds(AGENT).takesBack(AGENT),
      [AGENT],
      [...silenced, `place ${CUSTOMER}`, ...heard],
    ],
    [
      'a hold',
      (t: Holding) => t.holds(AGENT),
      [AGENT, CUSTOMER],
      [`stop-music ${AGENT}`, `unplace ${CUSTOMER}`, `start-music ${CUSTOMER}`, ...heard],
    ],
  ] as const)('%s that was stored and never sent is made good', (_, happens, bridged, asked) => {
    const t = happens(holdingCall()).fromHere();
    const before = t.call;
    t.happens(node(t, bothUp, bridged));
    expect(t.asked()).toEqual(asked);
    expect(t.told()).toEqual([]);
    expect(t.call).toEqual(before);
  });

  it('tells of a phone that was put on hold meanwhile, and of one that was taken back', () => {
    const t = holdingCall();
    const found = node(t, bothUp, [AGENT, CUSTOMER]);
    t.happens({ ...found, onHold: { [t.channel(AGENT)]: true, [t.channel(CUSTOMER)]: false } });
    expect(t.told()).toEqual([`EventHeld(${AGENT})`]);
    expect(t.event('EventHeld')).toMatchObject({ recovered: true, referenceID: 0 });
    expect(t.hearing()).toEqual({ [AGENT]: [], [CUSTOMER]: ['music'] });

    t.happens({ ...node(t, bothUp, [AGENT]), onHold: { [t.channel(AGENT)]: true } });
    expect(t.told()).toEqual([]);
    t.happens({ ...node(t, bothUp, [AGENT]), onHold: {} });
    expect(t.told()).toEqual([]);
    t.happens({ ...node(t, bothUp, [AGENT]), onHold: { [t.channel(AGENT)]: false } });
    expect(t.told()).toEqual([`EventRetrieved(${AGENT})`]);
    expect(t.hearing()).toEqual({ [AGENT]: [CUSTOMER], [CUSTOMER]: [AGENT] });
  });

  it('tells of an answer and a hold that both came meanwhile, in that order', () => {
    const t = ringing().fromHere();
    t.happens({ ...node(t, bothUp, [AGENT, CUSTOMER]), onHold: { [t.channel(CUSTOMER)]: true } });
    expect(t.told()).toEqual([`EventEstablished(${AGENT})`, `EventEstablished(${CUSTOMER})`, `EventHeld(${CUSTOMER})`]);
  });

  it('lets a caller hear again that the agent rings', () => {
    const t = story().arrives({ from: CUSTOMER, to: '4000', reaches: AGENT }).rings(AGENT).fromHere();
    const legs = { [CUSTOMER]: 'Ring', [AGENT]: 'Ringing' };
    t.happens(node(t, legs, [CUSTOMER, AGENT]));
    expect(t.asked()).toEqual([`ring ${CUSTOMER}`]);
  });

  it('has no ear left from a mode that is over, and joins one that was made in vain', () => {
    const t = supervised('monitor');
    const [first = ''] = Object.keys(t.call.media.snoops);
    const legs = { [AGENT]: 'Up', [CUSTOMER]: 'Up', [SUPERVISOR]: 'Up' };
    const found = node(t, legs, [AGENT, CUSTOMER]);
    const bridges = { ...found.bridges, [observeBridge(t.call)]: [t.channel(SUPERVISOR)] };
    t.happens({ ...found, bridges, channels: { ...found.channels, [first]: 'Up' } });
    expect(t.asked()).toContain(`place ${first}`);

    t.supervises('whisper', SUPERVISOR, AGENT).fromHere();
    const [second = ''] = Object.keys(t.call.media.snoops);
    t.happens({
      ...found,
      bridges: { ...found.bridges, [observeBridge(t.call)]: [t.channel(SUPERVISOR), first, second] },
      channels: { ...found.channels, [first]: 'Up', [second]: 'Up' },
    });
    expect(t.asked().filter((c) => c.startsWith('hang-up') || c.startsWith('snoop'))).toEqual([`hang-up ${first} 16`]);
  });

  it('finds two of a conference in the bridge that they talked in before, and brings them to the third', () => {
    const t = conference();
    const legs = { [AGENT]: 'Up', [CUSTOMER]: 'Up', [GUEST]: 'Up' };
    const found = node(t, legs, [AGENT, CUSTOMER]);
    t.happens({ ...found, bridges: { ...found.bridges, [conferenceBridge(t.call)]: [t.channel(GUEST)] } });
    expect(t.asked()).toContain(`place ${AGENT} ${CUSTOMER}`);
    expect([AGENT, CUSTOMER, GUEST].map((dn) => t.where(dn))).toEqual(['b4', 'b4', 'b4']);
  });
});
