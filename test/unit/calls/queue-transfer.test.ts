import { describe, expect, it } from 'vitest';
import type { CallInput } from '../../../src/calls/input.ts';
import { noteOf } from '../../../src/engine/call-note.ts';
import { AGENT, Consulting, CUSTOMER, QUEUE, queueTarget, talking } from './consulting.ts';
import { BUSY, CALLER_CHANNEL, callArrived, destination, makeCall, NO_ANSWER, T0 } from './flow.ts';

/** A call is handed to a queue; an agent calls a queue. */

const NEXT = '1002';
const NUMBER = '+919800000007';
/** The agent has handed the customer to the queue and has gone. */
const handed = (): Consulting => talking().handsToQueue(AGENT, queueTarget(), 7).ends(AGENT).fromHere();
const overflows = (s: Consulting, assignment: number): Consulting =>
  s.happens({ kind: 'to-number', to: destination(NUMBER), assignment });
const overflowFails: CallInput = { kind: 'overflow-failed', queue: QUEUE.id };

describe('a call is handed to a queue', () => {
  it('the agent leaves, and the customer waits with music from the moment that he has gone', () => {
    const s = talking().handsToQueue(AGENT, queueTarget(), 7);
    expect([s.asked(), s.told(), noteOf(s.call).waiting]).toEqual([[`hang-up ${AGENT} 16`], [], undefined]);
    s.after(400).ends(AGENT);
    expect([s.asked(), s.told()]).toEqual([
      [`unplace ${CUSTOMER}`, `start-music ${CUSTOMER}`],
      [`EventReleased(${AGENT})`],
    ]);
    expect(s.released(AGENT)).toMatchObject({
      referenceID: 7,
      otherDN: CUSTOMER,
      thirdDN: QUEUE.id,
      thirdDNRole: 'TransferTo',
      callState: 'Transferred',
    });
    expect(noteOf(s.call)).toMatchObject({
      waiting: { queue: QUEUE.id, since: T0 + 400, enteredAt: T0 + 400, rung: false, assignment: 0 },
      parties: [{ dn: AGENT, present: false }],
    });
  });

  it('an agent of it is rung apart, answers, and talks to the customer, who is told nothing', () => {
    const s = handed().assigned(NEXT, 1);
    expect(s.asked()).toEqual([`dial ${NEXT}`]);
    s.rings(NEXT);
    expect(s.told()).toEqual([`EventRinging(${NEXT})`]);
    const toNext = {
      referenceID: 7,
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'TransferBy',
      thisQueue: QUEUE.id,
    };
    expect(s.last('EventRinging', NEXT)).toMatchObject({ ...toNext, agentStatus: 'Dialed' });
    expect([s.where(CUSTOMER), s.where(NEXT)]).toEqual(['music', 'alone']);
    s.answers(NEXT);
    expect(s.asked()).toEqual([`stop-music ${CUSTOMER}`, `place ${CUSTOMER} ${NEXT}`]);
    expect(s.told()).toEqual([`EventEstablished(${NEXT})`]);
    expect(s.last('EventEstablished', NEXT)).toMatchObject({ ...toNext, agentStatus: 'Connected' });
    expect([s.call.queue, s.call.transfer, noteOf(s.call).waiting]).toEqual([undefined, undefined, undefined]);
    s.ends(NEXT).ends(CUSTOMER);
    expect(s.released(NEXT)).toMatchObject({ otherDN: CUSTOMER, wrapUpDuration: 30, agentStatus: 'Completed' });
    expect(s.released(CUSTOMER)).toMatchObject({ otherDN: NEXT, thisQueue: QUEUE.id });
  });

  it('an agent who does not come is missed, and the next is rung; the place is kept', () => {
    const s = handed().assigned(NEXT, 1).rings(NEXT).after(15_000).ends(NEXT, NO_ANSWER);
    expect(s.released(NEXT)).toMatchObject({ agentStatus: 'Missed', thisQueue: QUEUE.id, thirdDN: AGENT });
    expect(noteOf(s.call)).toMatchObject({
      waiting: { since: T0, rung: false, assignment: 1 },
      parties: [{ dn: AGENT }, { dn: NEXT, missed: true, answered: false }],
    });
    s.assigned('1003', 2).rings('1003').answers('1003');
    expect(s.event('EventEstablished', '1003')).toMatchObject({ otherDN: CUSTOMER, thirdDN: AGENT });
  });

  it('he who handed it on may be the one who gets it', () => {
    const s = handed().assigned(AGENT, 1).again(AGENT, 'leg-ringing').again(AGENT, 'leg-answered');
    expect(s.told()).toEqual([`EventRinging(${AGENT})`, `EventEstablished(${AGENT})`]);
    expect(s.last('EventRinging', AGENT)).toMatchObject({ partyID: `${s.call.callID}-3`, thirdDN: AGENT });
  });

  it('the customer gives up: whoever is rung is released, and misses nothing', () => {
    const alone = handed().ends(CUSTOMER);
    expect(alone.told()).toEqual([`EventReleased(${CUSTOMER})`, `EventCallDeleted(${AGENT})`]);
    expect(alone.released(CUSTOMER)).toMatchObject({ otherDN: QUEUE.id, thisQueue: QUEUE.id });
    const s = handed().assigned(NEXT, 1).rings(NEXT).fromHere().ends(CUSTOMER);
    expect(s.asked()).toEqual([`hang-up ${NEXT} 16`]);
    s.ends(NEXT);
    expect(s.told().at(-1)).toBe(`EventCallDeleted(${AGENT})`);
    expect(noteOf(s.call).parties).toMatchObject([{ dn: AGENT }, { dn: NEXT, missed: false }]);
  });

  it('the customer gives up before the agent has gone: nobody waits', () => {
    const s = talking().handsToQueue(AGENT).ends(CUSTOMER).ends(AGENT);
    expect([noteOf(s.call).waiting, s.call.deleted]).toEqual([undefined, true]);
  });

  it('the call is cleared in between: nobody waits', () => {
    const s = talking().handsToQueue(AGENT).clears(9).ends(AGENT);
    expect(noteOf(s.call).waiting).toBeUndefined();
    expect(s.ends(CUSTOMER).call.deleted).toBe(true);
  });

  it('in a call of a queue the numbers of the assignments go on', () => {
    const birth = callArrived({ from: CUSTOMER, to: '4000', reaches: null });
    if (birth.kind !== 'arrived') throw new Error('not an arrival');
    const s = new Consulting().born({ ...birth, queue: { ...QUEUE, id: '8002' } }).answers(CUSTOMER);
    s.assigned(AGENT, 1, '8002').answers(AGENT).handsToQueue(AGENT).ends(AGENT);
    expect(noteOf(s.call).waiting).toMatchObject({ queue: QUEUE.id, assignment: 1 });
    expect(s.assigned(NEXT, 1).refusal).toBe('NotFoundCallID');
    s.assigned(NEXT, 2).answers(NEXT);
    expect(s.refusal).toBeUndefined();
    expect(s.channel(CUSTOMER)).toBe(CALLER_CHANNEL);
    expect(s.event('EventEstablished', NEXT).thisQueue).toBe(QUEUE.id);
  });

  it('a customer whose phone is on hold hears nobody yet, and holds when an agent has come', () => {
    const s = handed().happens({ kind: 'leg-held-by-phone', channel: handed().channel(CUSTOMER) });
    expect([s.told(), s.where(CUSTOMER)]).toEqual([[], 'music']);
    s.assigned(NEXT, 1).rings(NEXT).answers(NEXT);
    expect(s.told()).toEqual([`EventRinging(${NEXT})`, `EventEstablished(${NEXT})`, `EventHeld(${CUSTOMER})`]);
    expect(s.where(NEXT)).toBe('music');
    s.happens({ kind: 'leg-retrieved-by-phone', channel: s.channel(CUSTOMER) });
    expect(s.where(NEXT)).toBe(s.where(CUSTOMER));
  });

  it('one who holds when he is handed on still does, and may retrieve while he waits', () => {
    const s = talking();
    s.happens({ kind: 'hold', thisDN: CUSTOMER, referenceID: 0 }).handsToQueue(AGENT).ends(AGENT).fromHere();
    s.happens({ kind: 'retrieve', thisDN: CUSTOMER, referenceID: 0 });
    expect([s.told(), s.where(CUSTOMER)]).toEqual([[`EventRetrieved(${CUSTOMER})`], 'music']);
    const held = talking().happens({ kind: 'hold', thisDN: CUSTOMER, referenceID: 0 }).handsToQueue(AGENT).ends(AGENT);
    held.assigned(NEXT, 1).answers(NEXT);
    expect([held.party(CUSTOMER).state, held.where(NEXT)]).toEqual(['Held', 'music']);
  });
});

describe('the overflow of a queue to which a call was handed', () => {
  it('goes to another queue, where the waiting counts on', () => {
    const s = handed()
      .after(9_000)
      .happens({ kind: 'to-queue', queue: { ...QUEUE, id: '8002' } });
    expect(noteOf(s.call).waiting).toMatchObject({ queue: '8002', since: T0, enteredAt: T0 + 9_000 });
    s.assigned(NEXT, 1, '8002').rings(NEXT);
    expect(s.last('EventRinging', NEXT)).toMatchObject({ referenceID: 7, thirdDN: AGENT, thisQueue: '8002' });
  });

  it('rings a number, which talks to the customer once it answers', () => {
    const s = overflows(handed(), 1).rings(NUMBER).answers(NUMBER);
    expect(s.told()).toEqual([`EventRinging(${NUMBER})`, `EventEstablished(${NUMBER})`]);
    expect(s.last('EventEstablished', NUMBER)).toMatchObject({ partyRole: 'ThirdPSTN', thirdDN: AGENT });
  });

  it.each([
    ['rings a number that does not come', () => overflows(handed(), 1).ends(NUMBER, BUSY)],
    ['leads to a queue that is full', () => handed().happens(overflowFails)],
  ])('%s: the agent who handed the call on is rung, while the music goes on', (_, tell) => {
    const s = tell();
    expect(s.refusal).toBeUndefined();
    expect(s.asked().at(-1)).toBe(`dial ${AGENT}`);
    s.again(AGENT, 'leg-ringing').again(AGENT, 'leg-answered');
    expect(s.last('EventRinging', AGENT)).toMatchObject({
      otherDN: CUSTOMER,
      thirdDN: QUEUE.id,
      thirdDNRole: 'TransferTo',
      thisQueue: '',
      agentStatus: 'Dialed',
    });
    expect(s.last('EventEstablished', AGENT)).toMatchObject({ agentStatus: 'Connected' });
    expect([s.where(CUSTOMER), s.call.queue, s.call.transfer]).toEqual(['b1', undefined, undefined]);
  });

  it('and that agent does not come: the customer waits on, and nobody is tried again but the agents of the queue', () => {
    const s = handed().happens(overflowFails).fromHere().again(AGENT, 'leg-ended', NO_ANSWER);
    expect([s.asked(), s.where(CUSTOMER)]).toEqual([[], 'music']);
    expect(noteOf(s.call).waiting).toMatchObject({ rung: false, overflowed: true, since: T0 });
    expect(s.happens(overflowFails).refusal).toBe('NotFoundCallID');
    expect(s.assigned(NEXT, 1).rings(NEXT).answers(NEXT).last('EventEstablished', NEXT)).toMatchObject({
      otherDN: CUSTOMER,
    });
  });

  it('is nothing to a call that waits elsewhere by now, or for whom somebody is rung', () => {
    expect(handed().happens({ ...overflowFails, queue: '8002' }).refusal).toBe('NotFoundCallID');
    expect(handed().assigned(NEXT, 1).happens(overflowFails).refusal).toBe('NotFoundCallID');
  });
});

describe('an agent calls a queue', () => {
  const called = (): Consulting =>
    new Consulting().born({ ...makeCall({ agent: AGENT, customer: QUEUE.id, ref: 3 }), queue: QUEUE });

  it('his phone is rung, and he waits with music once he has answered', () => {
    const s = called();
    expect([s.told(), s.asked()]).toEqual([
      [`EventCallCreated(${AGENT})`, `EventDialing(${AGENT})`],
      [`dial ${AGENT}`],
    ]);
    expect(s.event('EventDialing')).toMatchObject({
      callType: 'Internal',
      otherDN: QUEUE.id,
      thisDNRole: 'Origination',
      agentStatus: 'Dialed',
    });
    expect(noteOf(s.call).waiting).toBeUndefined();
    s.after(4_000).answers(AGENT);
    expect([s.told(), s.asked()]).toEqual([[], [`start-music ${AGENT}`]]);
    expect(noteOf(s.call)).toMatchObject({
      waiting: { queue: QUEUE.id, since: T0 + 4_000 },
      parties: [{ dn: AGENT, present: true }],
    });
  });

  it('an agent of the queue answers, and both talk', () => {
    const s = called().answers(AGENT).assigned(NEXT, 1).rings(NEXT).fromHere().answers(NEXT);
    expect(s.told()).toEqual([`EventEstablished(${NEXT})`, `EventEstablished(${AGENT})`]);
    expect(s.event('EventOtherRinging')).toMatchObject({ thisDN: AGENT, otherDN: NEXT });
    expect(s.event('EventEstablished', AGENT)).toMatchObject({ thisQueue: QUEUE.id, agentStatus: 'Connected' });
    s.ends(NEXT).ends(AGENT);
    expect(s.released(AGENT)).toMatchObject({ agentStatus: 'Completed', wrapUpDuration: 0 });
    expect(s.released(NEXT)).toMatchObject({ agentStatus: 'Completed', wrapUpDuration: 30 });
    expect(s.event('EventCallDeleted')).toMatchObject({ otherDN: QUEUE.id, connectionStatus: 'Connected' });
  });

  it('does not answer his own phone: the call is over, and nobody has waited', () => {
    const s = called().ends(AGENT, NO_ANSWER);
    expect(s.told().slice(2)).toEqual([`EventReleased(${AGENT})`, `EventCallDeleted(${AGENT})`]);
    expect(s.released(AGENT)).toMatchObject({ agentStatus: 'Missed', connectionStatus: 'User Not Answered' });
  });

  it('cannot be tried: the call ends at once', () => {
    const make = makeCall({ agent: AGENT, customer: QUEUE.id, agentUnreachable: 'no-node' });
    const s = new Consulting().born({ ...make, queue: QUEUE });
    expect([s.asked(), s.call.deleted]).toEqual([[], true]);
  });
});
