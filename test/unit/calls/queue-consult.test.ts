import { describe, expect, it } from 'vitest';
import { noteOf } from '../../../src/engine/call-note.ts';
import { AGENT, type Consulting, CUSTOMER, GUEST, QUEUE, queueTarget, talking } from './consulting.ts';
import { BUSY, destination, NO_ANSWER, T0 } from './flow.ts';

/** An agent asks a queue: he waits in it while his customer waits for him. */

const NUMBER = '+919800000007';
const waiting = (): Consulting => talking().asksQueue(AGENT, queueTarget(), 7).fromHere();
const ringing = (): Consulting => waiting().assigned(GUEST, 1).rings(GUEST).fromHere();
const asked = (): Consulting => ringing().answers(GUEST).fromHere();
/** The stage that an event speaks of. */
const stageOf = (s: Consulting, name: string, dn: string): unknown =>
  (s.last(name, dn)['attachedData'] as Record<string, unknown>)['consultStage'];

describe('an agent asks a queue', () => {
  it('1: both he and the customer hear music, each alone', () => {
    const s = talking().asksQueue(AGENT, queueTarget(), 7);
    expect(s.told()).toEqual([`EventAttachedDataChanged(${AGENT})`]);
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({
      referenceID: 7,
      otherDN: QUEUE.id,
      agentStatus: 'ConsultationDialed',
      attachedData: { orderID: '1', consultStage: 1 },
    });
    expect([s.where(AGENT), s.where(CUSTOMER)]).toEqual(['music', 'music']);
    expect(noteOf(s.call).waiting).toMatchObject({ queue: QUEUE.id, since: T0, rung: false });
  });

  it('2: an agent of the queue is rung apart; the host is told whose phone rings', () => {
    const s = waiting().assigned(GUEST, 1);
    expect(s.asked()).toEqual([`dial ${GUEST}`]);
    s.rings(GUEST);
    expect(s.told()).toEqual([`EventRinging(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect(s.last('EventRinging', GUEST)).toMatchObject({
      referenceID: 7,
      otherDN: AGENT,
      otherDNRole: 'ConsultBy',
      thirdDN: CUSTOMER,
      callState: 'Consult',
      thisQueue: QUEUE.id,
      agentStatus: 'ConsultationGuestDialed',
    });
    expect(stageOf(s, 'EventRinging', GUEST)).toBe('2');
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({ otherDN: GUEST });
    expect(stageOf(s, 'EventAttachedDataChanged', AGENT)).toBe(2);
    expect([s.where(AGENT), s.where(CUSTOMER), s.where(GUEST)]).toEqual(['music', 'music', 'alone']);
  });

  it('4: he answers, and they talk among themselves; the customer goes on hearing music', () => {
    const s = ringing().answers(GUEST);
    expect(s.told()).toEqual([`EventEstablished(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect(s.asked()).toEqual(['create-bridge', `stop-music ${AGENT}`, `place ${AGENT} ${GUEST}`]);
    expect(s.last('EventEstablished', GUEST)).toMatchObject({
      thisQueue: QUEUE.id,
      agentStatus: 'ConsultationGuestConnected',
    });
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({ agentStatus: 'ConsultationConnected' });
    expect(stageOf(s, 'EventAttachedDataChanged', AGENT)).toBe(4);
    expect([s.where(AGENT), s.where(GUEST), s.where(CUSTOMER)]).toEqual(['b2', 'b2', 'music']);
    expect([s.call.queue, noteOf(s.call).waiting]).toEqual([undefined, undefined]);
  });

  it('an agent who does not come is missed, and the host waits on for the next', () => {
    const s = ringing().ends(GUEST, NO_ANSWER);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`]);
    expect(stageOf(s, 'EventReleased', GUEST)).toBe(3);
    expect(s.released(GUEST)).toMatchObject({ agentStatus: 'ConsultationGuestMissed', thisQueue: QUEUE.id });
    expect(noteOf(s.call)).toMatchObject({
      waiting: { rung: false, assignment: 1, since: T0 },
      parties: [
        { dn: AGENT, present: true },
        { dn: GUEST, missed: true },
      ],
    });
    expect(s.call.consult).toEqual({ host: s.party(AGENT).partyID, stage: 1, swapped: false });
    expect([s.where(AGENT), s.where(CUSTOMER)]).toEqual(['music', 'music']);
    s.assigned('1003', 2).rings('1003').answers('1003');
    expect([s.where(AGENT), s.where('1003')]).toEqual(['b2', 'b2']);
  });

  it('an agent who lets the call go on his phone’s request is one who does not come', () => {
    const s = ringing().releases(GUEST, 9);
    expect([s.asked(), s.where(AGENT), s.where(CUSTOMER)]).toEqual([[`hang-up ${GUEST} 16`], 'music', 'music']);
    const off = ringing().releases(GUEST, 9).fromHere().cancels(AGENT, 8);
    expect([off.refusal, off.where(AGENT), off.where(CUSTOMER)]).toEqual([undefined, 'b1', 'b1']);
    off.ends(GUEST);
    expect(off.told()).toEqual([`EventReleased(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    s.ends(GUEST);
    expect([noteOf(s.call).waiting?.rung, s.where(CUSTOMER)]).toEqual([false, 'music']);
  });

  it('3: he calls it off while he waits, and talks to the customer again at once', () => {
    const s = waiting().next('cancel-consult', AGENT, 8);
    expect(s.told()).toEqual([`EventAttachedDataChanged(${AGENT})`]);
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({
      referenceID: 8,
      otherDN: QUEUE.id,
      callState: 'Consult',
      agentStatus: 'ConsultationReleased',
      attachedData: { consultStage: 3 },
    });
    expect([s.where(AGENT), s.where(CUSTOMER)]).toEqual(['b1', 'b1']);
    expect([s.call.consult, noteOf(s.call).waiting]).toEqual([undefined, undefined]);
    expect(s.assigned(GUEST, 1).refusal).toBe('NotFoundCallID');
  });

  it('3: he calls it off while a phone rings: told when that has stopped, and the agent has missed nothing', () => {
    const s = ringing().next('cancel-consult', AGENT, 8);
    expect(s.asked()[0]).toMatch(/^stop-music/);
    expect([s.where(AGENT), s.where(CUSTOMER), s.told()]).toEqual(['b1', 'b1', []]);
    s.ends(GUEST);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect([stageOf(s, 'EventReleased', GUEST), stageOf(s, 'EventAttachedDataChanged', AGENT)]).toEqual([3, 3]);
    expect(noteOf(s.call).parties).toMatchObject([{}, { dn: GUEST, missed: false, present: false }]);
  });

  it('calls it off as the agent answers: that answer is too late', () => {
    const s = ringing().next('cancel-consult', AGENT, 8).fromHere().answers(GUEST).ends(GUEST);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect([s.where(AGENT), s.where(CUSTOMER)]).toEqual(['b1', 'b1']);
  });

  it('5: goes back to the customer after the answer', () => {
    const s = asked().retrieves(AGENT, 8).ends(GUEST);
    expect([stageOf(s, 'EventReleased', GUEST), stageOf(s, 'EventAttachedDataChanged', AGENT)]).toEqual([5, 5]);
    expect(s.released(GUEST)).toMatchObject({ wrapUpDuration: 30, agentStatus: 'ConsultationGuestReleased' });
    expect([s.where(AGENT), s.where(CUSTOMER)]).toEqual(['b1', 'b1']);
  });

  it('6: hands the customer over; the agent of the queue has a call like any other from then on', () => {
    const s = asked().transfers(AGENT, 8).ends(AGENT);
    expect(s.told()).toEqual([`EventReleased(${AGENT})`, `EventPartyChanged(${GUEST})`]);
    expect(s.released(AGENT)).toMatchObject({ thisDNRole: 'ConsultBy', otherDN: GUEST, callState: 'Transferred' });
    expect([s.where(GUEST), s.where(CUSTOMER)]).toEqual(['b1', 'b1']);
    s.ends(GUEST);
    expect(s.released(GUEST)).toMatchObject({ otherDN: CUSTOMER, wrapUpDuration: 30, agentStatus: 'Completed' });
  });

  it('7: makes it a conference', () => {
    const s = asked().confers(AGENT, 8);
    expect(s.told()).toEqual([`EventPartyAdded(${AGENT})`, `EventPartyChanged(${GUEST})`]);
    expect([s.where(AGENT), s.where(GUEST), s.where(CUSTOMER)]).toEqual(['b4', 'b4', 'b4']);
    s.ends(GUEST);
    expect(s.released(GUEST)).toMatchObject({ agentStatus: 'ConferenceGuestCompleted', wrapUpDuration: 30 });
  });

  it.each([
    ['waits', waiting],
    ['is being rung for', ringing],
  ])('hangs up while he %s: the call is over', (_, tell) => {
    const s = tell().ends(AGENT);
    expect(s.released(AGENT)).toMatchObject({ agentStatus: 'ConsultationReleased' });
    expect(s.asked()).toContain(`hang-up ${CUSTOMER} 16`);
    for (const p of s.call.parties) if (p.leg.state !== 'ended') s.ends(p.dn);
    expect(s.call.deleted).toBe(true);
  });

  it.each([
    ['waits', waiting],
    ['is being rung for', ringing],
  ])('the customer hangs up while the agent %s: the call is over, and nobody has missed anything', (_, tell) => {
    const s = tell().ends(CUSTOMER);
    expect(s.asked()).toContain(`hang-up ${AGENT} 16`);
    for (const p of s.call.parties) if (p.leg.state !== 'ended') s.ends(p.dn);
    expect(s.call.deleted).toBe(true);
    expect(noteOf(s.call).parties.every((p) => !p.missed)).toBe(true);
  });

  it('keeps the queue that his own call came from', () => {
    const s = waiting();
    expect(s.party(AGENT).thisQueue).toBeUndefined();
    expect(s.party(CUSTOMER).thisQueue).toBeUndefined();
  });

  it('a phone that is put on hold while he waits holds when the agent has answered', () => {
    const s = ringing();
    s.happens({ kind: 'leg-held-by-phone', channel: s.channel(AGENT) });
    expect(s.told()).toEqual([]);
    s.answers(GUEST);
    expect(s.told()).toContain(`EventHeld(${AGENT})`);
    expect(s.where(GUEST)).toBe('music');
  });
});

describe('the overflow of a queue that is asked', () => {
  it('rings a number, which is asked in its place', () => {
    const s = waiting()
      .happens({ kind: 'to-number', to: destination(NUMBER), assignment: 1 })
      .rings(NUMBER);
    expect(s.told()).toEqual([`EventRinging(${NUMBER})`, `EventAttachedDataChanged(${AGENT})`]);
    s.answers(NUMBER);
    expect([s.where(AGENT), s.where(NUMBER), s.where(CUSTOMER)]).toEqual(['b2', 'b2', 'music']);
  });

  it('leads nowhere: the host waits on, and may call it off', () => {
    const busy = waiting()
      .happens({ kind: 'to-number', to: destination(NUMBER), assignment: 1 })
      .ends(NUMBER, BUSY);
    expect([busy.where(AGENT), noteOf(busy.call).waiting?.overflowed]).toEqual(['music', true]);
    expect(waiting().happens({ kind: 'overflow-failed', queue: QUEUE.id }).refusal).toBe('NotFoundCallID');
    expect(busy.cancels(AGENT).refusal).toBeUndefined();
    expect(busy.where(AGENT)).toBe('b1');
  });
});
