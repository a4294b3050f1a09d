import { describe, expect, it } from 'vitest';
import { SUPERVISOR } from './conferring.ts';
import { NORMAL } from './flow.ts';
import { AGENT, CUSTOMER, conference, consulting, GUEST, Holding, talking } from './holding.ts';

const TALKING = { [AGENT]: [CUSTOMER], [CUSTOMER]: [AGENT] };
const HELD_BY_AGENT = { [AGENT]: [], [CUSTOMER]: ['music'] };

describe('RequestHoldCall and RequestRetrieveCall', () => {
  it('give the other music, and take it back', () => {
    const call = talking();
    expect(call.hearing()).toEqual(TALKING);
    call.after(5_000).holds(AGENT, 21);
    expect(call.told()).toEqual([`EventHeld(${AGENT})`]);
    expect(call.asked()).toEqual([`unplace ${CUSTOMER}`, `start-music ${CUSTOMER}`]);
    expect(call.hearing()).toEqual(HELD_BY_AGENT);
    expect(call.party(AGENT).state).toBe('Held');
    call.takesBack(AGENT, 22);
    expect(call.told()).toEqual([`EventRetrieved(${AGENT})`]);
    expect(call.asked()).toEqual([`stop-music ${CUSTOMER}`, `place ${CUSTOMER}`]);
    expect(call.hearing()).toEqual(TALKING);
    for (const [name, referenceID] of [
      ['EventHeld', 21],
      ['EventRetrieved', 22],
    ] as const) {
      expect(call.event(name)).toMatchObject({ thisDN: AGENT, otherDN: CUSTOMER, partyRole: 'Agent', referenceID });
      expect(call.event(name).attachedData).toEqual({ orderID: '1' });
    }
  });

  it('tell both in EventReleased when they were last on hold', () => {
    const call = talking().after(1_000).holds(AGENT).takesBack(AGENT).after(4_000).holds(AGENT);
    const at = call.now;
    call.takesBack(AGENT).after(9_000).ends(CUSTOMER, NORMAL).ends(AGENT, NORMAL);
    expect([call.released(AGENT).lastHoldUepoch, call.released(CUSTOMER).lastHoldUepoch]).toEqual([at, at]);
    const never = talking().ends(CUSTOMER).ends(AGENT);
    expect('lastHoldUepoch' in never.released(AGENT)).toBe(false);
  });

  it('are refused a second time, and where nobody talks', () => {
    expect(talking().takesBack(AGENT).refusal).toBe('InvalidAgentState');
    expect(talking().holds(AGENT).holds(AGENT).refusal).toBe('HeldInProcess');
    expect(talking().holds(AGENT).takesBack(AGENT).takesBack(AGENT).refusal).toBe('InvalidAgentState');
    expect(talking().releases(AGENT).holds(AGENT).refusal).toBe('InvalidAgentState');
    expect(talking().holds(AGENT).releases(AGENT).takesBack(AGENT).refusal).toBe('InvalidAgentState');
    expect(talking().ends(AGENT).holds(AGENT).refusal).toBe('NotFoundParty');
    expect(talking().holds('1999').refusal).toBe('NotFoundParty');
  });

  it('by both sides: each has music from the other’s hold', () => {
    const call = talking().holds(AGENT).holds(CUSTOMER);
    expect(call.hearing()).toEqual({ [AGENT]: ['music'], [CUSTOMER]: ['music'] });
    call.takesBack(AGENT);
    expect(call.hearing()).toEqual({ [AGENT]: ['music'], [CUSTOMER]: [] });
    call.takesBack(CUSTOMER);
    expect(call.hearing()).toEqual(TALKING);
  });

  it('leave a call of two to its end when either hangs up', () => {
    for (const [first, second] of [
      [AGENT, CUSTOMER],
      [CUSTOMER, AGENT],
    ] as const) {
      const call = talking().holds(AGENT).fromHere().ends(first);
      // The other is on the way out: neither its music nor its place is touched any more.
      expect(call.asked()).toEqual([`hang-up ${second} 16`]);
      call.ends(second);
      expect(call.told().at(-1)).toBe(`EventCallDeleted(${AGENT})`);
    }
  });
});

describe('a hold made on the phone itself', () => {
  it('gives the same events, without a request’s reference', () => {
    const call = talking().phoneHolds(AGENT);
    expect(call.hearing()).toEqual(HELD_BY_AGENT);
    expect(call.event('EventHeld').referenceID).toBe(0);
    call.phoneRetrieves(AGENT);
    expect(call.hearing()).toEqual(TALKING);
    expect(call.told()).toEqual([`EventHeld(${AGENT})`, `EventRetrieved(${AGENT})`]);
  });

  it('is one with the request, whichever came first', () => {
    expect(talking().phoneHolds(AGENT).holds(AGENT).refusal).toBe('HeldInProcess');
    const call = talking().holds(AGENT, 3).phoneHolds(AGENT).phoneHolds(AGENT).phoneRetrieves(AGENT);
    expect(call.told()).toEqual([`EventHeld(${AGENT})`, `EventRetrieved(${AGENT})`]);
    expect(call.phoneRetrieves(AGENT).told()).toEqual([]);
    expect(call.hearing()).toEqual(TALKING);
  });

  it('retrieved by request, the phone is made to go on; a carrier’s leg cannot be', () => {
    const call = talking().phoneHolds(AGENT).fromHere().takesBack(AGENT, 4);
    expect(call.asked()).toContain(`answer-phone ${AGENT}`);
    expect(call.phoneRetrieves(AGENT).told()).toEqual([`EventRetrieved(${AGENT})`]);
    expect(talking().holds(AGENT).fromHere().takesBack(AGENT).asked()).not.toContain(`answer-phone ${AGENT}`);
    const customer = talking().phoneHolds(CUSTOMER).fromHere().takesBack(CUSTOMER);
    expect(customer.asked()).not.toContain(`answer-phone ${CUSTOMER}`);
  });

  it('before the other answers, begins with the conversation', () => {
    const call = new Holding().make({ agent: AGENT, customer: CUSTOMER }).answers(AGENT).rings(CUSTOMER);
    call.phoneHolds(AGENT).fromHere().answers(CUSTOMER);
    expect(call.told()).toEqual([`EventEstablished(${AGENT})`, `EventEstablished(${CUSTOMER})`, `EventHeld(${AGENT})`]);
    expect(call.hearing()).toEqual(HELD_BY_AGENT);
    const inTime = new Holding().make({ agent: AGENT, customer: CUSTOMER }).answers(AGENT).rings(CUSTOMER);
    expect(inTime.phoneHolds(AGENT).phoneRetrieves(AGENT).answers(CUSTOMER).hearing()).toEqual(TALKING);
  });

  it('means nothing once the leg is on its way out, or has ended', () => {
    expect(talking().releases(AGENT).fromHere().phoneHolds(AGENT).told()).toEqual([]);
    expect(talking().ends(AGENT).fromHere().phoneHolds(AGENT).told()).toEqual([]);
    expect(talking().phoneHolds(AGENT).releases(AGENT).fromHere().phoneRetrieves(AGENT).told()).toEqual([]);
  });
});

describe('hold in a conference', () => {
  it('the others go on talking without the holder', () => {
    const call = conference().holds(AGENT);
    expect(call.hearing()).toEqual({ [AGENT]: [], [CUSTOMER]: [GUEST], [GUEST]: [CUSTOMER] });
    expect(call.told()).toEqual([`EventHeld(${AGENT})`]);
    call.takesBack(AGENT);
    expect(call.hearing()).toEqual({
      [AGENT]: [GUEST, CUSTOMER].sort(),
      [CUSTOMER]: [AGENT, GUEST],
      [GUEST]: [CUSTOMER, AGENT].sort(),
    });
  });

  it('whoever is left with none but holders has music', () => {
    const call = conference().holds(AGENT).holds(GUEST);
    expect(call.hearing()).toEqual({ [AGENT]: [], [CUSTOMER]: ['music'], [GUEST]: [] });
    call.takesBack(GUEST).ends(GUEST);
    expect(call.hearing()).toEqual({ [AGENT]: [], [CUSTOMER]: ['music'] });
    expect(call.takesBack(AGENT).hearing()).toEqual(TALKING);
  });

  it('a supervisor who only listens can neither hold nor mute nor press digits', () => {
    const call = talking().supervises('monitor', SUPERVISOR, AGENT, 7).rings(SUPERVISOR).answers(SUPERVISOR);
    for (const verb of ['holds', 'takesBack', 'mutes', 'unmutes'] as const) {
      expect(call[verb](SUPERVISOR).refusal).toBe('PartyIsObserver');
    }
    expect(call.sends(SUPERVISOR, '1').refusal).toBe('PartyIsObserver');
  });

  it('a supervisor who interrupts holds like any other', () => {
    const call = talking().supervises('bargein', SUPERVISOR, AGENT, 7).rings(SUPERVISOR).answers(SUPERVISOR);
    expect(call.holds(SUPERVISOR).hearing()).toEqual({ ...TALKING, [SUPERVISOR]: [] });
    expect(call.takesBack(SUPERVISOR).hearing()[SUPERVISOR]).toEqual([CUSTOMER, AGENT].sort());
  });

  it('one whom all others have put on hold brings somebody in: music until he answers, then the two talk', () => {
    const call = talking().supervises('bargein', SUPERVISOR, AGENT, 7).rings(SUPERVISOR).answers(SUPERVISOR);
    call.holds(AGENT).holds(CUSTOMER).adds(SUPERVISOR, GUEST, 9);
    expect(call.asked()).toContain(`dial ${GUEST} into the bridge`);
    const alone = { [AGENT]: [], [CUSTOMER]: [], [SUPERVISOR]: ['music'] };
    expect(call.rings(GUEST).hearing()).toEqual(alone);
    call.answers(GUEST);
    expect(call.hearing()).toEqual({ [AGENT]: [], [CUSTOMER]: [], [SUPERVISOR]: [GUEST], [GUEST]: [SUPERVISOR] });
    expect(call.takesBack(AGENT).hearing()[AGENT]).toEqual([GUEST, SUPERVISOR].sort());
  });
});

describe('the host of a consultation who holds swaps to the customer', () => {
  const CONSULTING = { [AGENT]: [GUEST], [GUEST]: [AGENT], [CUSTOMER]: ['music'] };
  const SWAPPED = { [AGENT]: [CUSTOMER], [CUSTOMER]: [AGENT], [GUEST]: ['music'] };

  it('and back to the guest by retrieving', () => {
    const call = consulting();
    expect(call.hearing()).toEqual(CONSULTING);
    call.holds(AGENT, 31);
    expect(call.hearing()).toEqual(SWAPPED);
    expect(call.call.consult).toMatchObject({ swapped: true, stage: 4 });
    expect(call.holds(AGENT).refusal).toBe('HeldInProcess');
    call.takesBack(AGENT, 32);
    expect(call.hearing()).toEqual(CONSULTING);
    expect(call.takesBack(AGENT).refusal).toBe('InvalidAgentState');
    expect(call.told()).toEqual([`EventHeld(${AGENT})`, `EventRetrieved(${AGENT})`]);
    expect(call.event('EventHeld')).toMatchObject({ otherDN: GUEST, referenceID: 31 });
    expect(call.event('EventRetrieved')).toMatchObject({ otherDN: GUEST, referenceID: 32 });
  });

  it('not before the guest has answered', () => {
    const call = talking().consults(AGENT, GUEST).rings(GUEST);
    expect(call.holds(AGENT).refusal).toBe('InvalidAgentState');
    expect(call.answers(GUEST).holds(AGENT).refusal).toBeUndefined();
  });

  it('the guest who waits hangs up, or is dropped: the host is with the customer already', () => {
    for (const guestGoes of [
      (call: Holding) => call.ends(GUEST),
      (call: Holding) => call.retrieves(AGENT, 33).ends(GUEST),
      (call: Holding) => call.releases(GUEST, 33).ends(GUEST),
    ]) {
      const call = consulting().holds(AGENT).fromHere();
      guestGoes(call);
      expect(call.hearing()).toEqual(TALKING);
      expect(call.party(AGENT).state).toBe('Talk');
      const told = call.told();
      expect(told.filter((e) => e === `EventRetrieved(${AGENT})`)).toHaveLength(1);
      // That of the request that ended the consultation, if one did.
      expect(call.event('EventRetrieved').referenceID).toBe(call.released(GUEST).referenceID);
      expect(told).toContain(`EventReleased(${GUEST})`);
      expect(call.holds(AGENT).hearing()).toEqual(HELD_BY_AGENT);
    }
  });

  it('while the guest is being dropped, nobody is left with music', () => {
    const call = consulting().holds(AGENT).retrieves(AGENT);
    expect(call.hearing()).toEqual(TALKING);
  });

  it('and transfers or confers from there', () => {
    const transfer = consulting().holds(AGENT).transfers(AGENT, 34).ends(AGENT);
    expect(transfer.hearing()).toEqual({ [CUSTOMER]: [GUEST], [GUEST]: [CUSTOMER] });
    const meeting = consulting().holds(AGENT).fromHere().confers(AGENT, 35);
    expect(meeting.party(AGENT).state).toBe('Talk');
    expect(meeting.told()).toContain(`EventRetrieved(${AGENT})`);
    expect(Object.values(meeting.hearing()).map((heard) => heard.length)).toEqual([2, 2, 2]);
  });

  it('the customer hangs up while he talks to the host: nobody is left with silence', () => {
    const call = consulting().holds(AGENT).ends(CUSTOMER);
    expect(call.hearing()).toEqual({ [AGENT]: [GUEST], [GUEST]: [AGENT] });
    expect(call.party(AGENT).state).toBe('Talk');
  });

  it('the host hangs up: the guest and the customer go on as they do in every consultation', () => {
    const call = consulting().holds(AGENT).ends(AGENT);
    expect(call.hearing()).toEqual({ [CUSTOMER]: [GUEST], [GUEST]: [CUSTOMER] });
  });

  it('a phone’s own hold is a plain one, with the guest or the customer whoever talks to the host', () => {
    const call = consulting().phoneHolds(AGENT);
    expect(call.hearing()).toEqual({ [AGENT]: [], [GUEST]: ['music'], [CUSTOMER]: ['music'] });
    call.phoneRetrieves(AGENT);
    expect(call.hearing()).toEqual(CONSULTING);
    call.holds(AGENT).phoneHolds(AGENT);
    expect(call.hearing()).toEqual({ [AGENT]: [], [GUEST]: ['music'], [CUSTOMER]: ['music'] });
    call.phoneRetrieves(AGENT);
    expect(call.hearing()).toEqual(SWAPPED);
    expect(call.party(AGENT).state).toBe('Held');
  });

  it('the guest holds: the host has music, the customer waits as before', () => {
    const call = consulting().holds(GUEST);
    expect(call.hearing()).toEqual({ [AGENT]: ['music'], [GUEST]: [], [CUSTOMER]: ['music'] });
  });
});
