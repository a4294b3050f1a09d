import { describe, expect, it } from 'vitest';
import type { CallBirth, QueueInput } from '../../../src/calls/input.ts';
import { step } from '../../../src/calls/step.ts';
import { noteOf } from '../../../src/engine/call-note.ts';
import { BUSY, CALLER_CHANNEL, callArrived, destination, makeCall, NO_ANSWER, Story, T0 } from './flow.ts';

const CALLER = '+919800000001';
const QUEUE = { id: '8001', ringTimeout: 15, wrapUp: 30 };

class QueueStory extends Story {
  arrivesAt(more: Partial<Extract<CallBirth, { kind: 'arrived' }>> = {}): this {
    const birth = callArrived({ from: CALLER, to: '4000', reaches: null });
    if (birth.kind !== 'arrived') throw new Error('not an arrival');
    return this.born({ ...birth, queue: QUEUE, ...more });
  }
  asks(input: QueueInput): this {
    return this.happens(input);
  }
  assigned(dn: string, assignment: number, queue = QUEUE.id): this {
    return this.asks({ kind: 'assign', queue, to: destination(dn), assignment });
  }
  /** A caller who waits, with music. */
  waiting(): this {
    return this.arrivesAt().answers(CALLER).fromHere();
  }
}
const story = (): QueueStory => new QueueStory();

describe('a caller of a queue', () => {
  it('is answered, hears music alone, and rings nobody', () => {
    const s = story().arrivesAt();
    expect([s.told(), s.asked()]).toEqual([[`EventCallCreated(${CALLER})`], [`answer ${CALLER}`]]);
    s.after(50).answers(CALLER);
    expect([s.told(), s.asked()]).toEqual([[], [`start-music ${CALLER}`]]);
    expect(noteOf(s.call).waiting).toEqual({
      queue: '8001',
      since: T0 + 50,
      enteredAt: T0 + 50,
      rung: false,
      assignment: 0,
      overflowed: false,
    });
  });

  it('hears music until the agent answers, who is rung apart', () => {
    const s = story().waiting().assigned('1001', 1);
    expect(s.asked()).toEqual(['dial 1001']);
    s.rings('1001');
    expect(s.told()).toEqual(['EventRinging(1001)', `EventOtherRinging(${CALLER})`]);
    expect(s.event('EventRinging')).toMatchObject({ thisQueue: '8001', agentStatus: 'Dialed', otherDN: CALLER });
    s.answers('1001');
    expect(s.asked()).toEqual(['create-bridge', `stop-music ${CALLER}`, expect.stringMatching(/^place /)]);
    expect(s.told()).toEqual(['EventEstablished(1001)', `EventEstablished(${CALLER})`]);
    expect(noteOf(s.call)).toMatchObject({ parties: [{ dn: '1001', present: true, wrapUp: 30, answered: true }] });
    expect(noteOf(s.call).waiting).toBeUndefined();
    s.ends('1001').ends(CALLER);
    expect(s.released('1001')).toMatchObject({ wrapUpDuration: 30, thisQueue: '8001', agentStatus: 'Completed' });
    expect(s.released(CALLER)).toMatchObject({ wrapUpDuration: 0, thisQueue: '8001' });
    expect(s.event('EventCallDeleted')).toMatchObject({ otherDN: '8001', connectionStatus: 'Connected' });
  });

  it('goes on waiting where the agent does not come, and the next one is rung', () => {
    const s = story().waiting().assigned('1001', 1).rings('1001').fromHere().ends('1001', NO_ANSWER);
    expect([s.told(), s.asked()]).toEqual([['EventReleased(1001)'], []]);
    expect(s.released('1001')).toMatchObject({ agentStatus: 'Missed', connectionStatus: 'User Not Answered' });
    expect(noteOf(s.call)).toMatchObject({
      waiting: { since: T0, rung: false, assignment: 1 },
      parties: [{ assignment: 1, present: false, missed: true, answered: false, wrapUp: 0 }],
    });
    s.assigned('1002', 2).ends('1002', BUSY).assigned('1003', 3).rings('1003').answers('1003');
    expect(s.event('EventEstablished', '1003').otherDN).toBe(CALLER);
  });

  it('who leaves lets the agent go who is being rung: that is no miss', () => {
    const s = story().waiting().assigned('1001', 1).rings('1001').fromHere().ends(CALLER);
    expect(s.asked()).toEqual(['hang-up 1001 16']);
    s.ends('1001');
    expect(s.released(CALLER)).toMatchObject({ connectionStatus: 'Hang Up', thisQueue: '8001' });
    expect(noteOf(s.call).parties).toMatchObject([{ present: false, missed: false }]);
    expect(s.event('EventCallDeleted').connectionStatus).toBe('Hang Up');
  });

  it('whose agent releases the ringing call waits on', () => {
    const s = story().waiting().assigned('1001', 1).rings('1001').fromHere().releases('1001', 7);
    expect(s.asked()).toEqual(['hang-up 1001 16']);
    s.ends('1001');
    expect(s.told()).toEqual(['EventReleased(1001)']);
    expect(noteOf(s.call).waiting).toMatchObject({ rung: false });
  });

  it('is turned away with the cause that is given, without being answered', () => {
    const s = story().arrivesAt({ turnedAway: 17 });
    expect(s.asked()).toEqual([`play-tone ${CALLER} busy`]);
    s.after(3_000).timer();
    expect(s.asked()).toEqual([`hang-up ${CALLER} 17`]);
  });
});

describe('what the floor asks of a call', () => {
  it('is declined where the call has changed meanwhile', () => {
    const late = story().waiting().ends(CALLER);
    expect(late.assigned('1001', 1).refusal).toBe('NotFoundCallID');
    const rung = story().waiting().assigned('1001', 1);
    expect(rung.assigned('1002', 2).refusal).toBe('NotFoundCallID');
    const old = story().waiting().assigned('1001', 2).ends('1001', BUSY);
    expect(old.assigned('1001', 2).refusal).toBe('NotFoundCallID');
    expect(story().waiting().assigned('1001', 1, '8002').refusal).toBe('NotFoundCallID');
    expect(step(late.call, { kind: 'to-queue', queue: QUEUE }, T0)).toHaveProperty('refusal');
  });

  it('moves the call to another queue, at the place of all its waiting', () => {
    const s = story()
      .waiting()
      .after(9_000)
      .asks({ kind: 'to-queue', queue: { ...QUEUE, id: '8002' } });
    expect(noteOf(s.call).waiting).toMatchObject({ queue: '8002', since: T0, enteredAt: T0 + 9_000 });
    s.assigned('1001', 1, '8002').rings('1001');
    expect(s.event('EventRinging').thisQueue).toBe('8002');
  });

  it('rings a number, and the caller waits on where nobody answers there', () => {
    const s = story()
      .waiting()
      .asks({ kind: 'to-number', to: destination('+919800000007'), assignment: 1 });
    expect(s.asked()).toEqual(['dial +919800000007']);
    s.rings('+919800000007').ends('+919800000007', BUSY);
    expect(s.event('EventRinging').partyRole).toBe('ThirdPSTN');
    expect(noteOf(s.call).waiting).toMatchObject({ overflowed: true, rung: false });
  });
});

describe('a customer whom a queue calls', () => {
  it('waits with music once he has answered', () => {
    const make = makeCall({ agent: '8001', firstLeg: 'customer', ref: 3 });
    if (make.kind !== 'make') throw new Error('not a call that is made');
    const s = story().born({ ...make, queue: QUEUE });
    expect(s.told()).toEqual(['EventCallCreated(8001)', `EventDialing(${CALLER})`]);
    expect(noteOf(s.call).waiting).toBeUndefined();
    s.after(5_000).answers(CALLER);
    expect(s.asked()).toEqual([`dial ${CALLER}`, `start-music ${CALLER}`]);
    expect(noteOf(s.call).waiting).toMatchObject({ since: T0 + 5_000 });
    s.assigned('1001', 1).rings('1001').answers('1001');
    expect(s.event('EventEstablished', '1001')).toMatchObject({ thisQueue: '8001', agentStatus: 'Connected' });
    expect(s.call.parties.map((p) => p.leg.channel)).not.toContain(CALLER_CHANNEL);
  });
});
