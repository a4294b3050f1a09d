import { describe, expect, it } from 'vitest';
import { partyByChannel } from '../../../src/calls/call.ts';
import { givenParty } from '../../../src/calls/give-away.ts';
import type { CallBirth } from '../../../src/calls/input.ts';
import { newCallID } from '../../../src/cti/ids.ts';
import { AGENT, type Consulting, CUSTOMER, GUEST, talking } from './consulting.ts';
import { callArrived, NORMAL, Story } from './flow.ts';

const SECOND = newCallID('fedcba9876543210fedcba9876543210', 1);

/** The agent's second line: a call of its own, dialled on the phone. */
class SecondLine extends Story {
  constructor(guest = GUEST) {
    super();
    const birth: CallBirth = { ...callArrived({ from: AGENT, to: guest, reaches: guest }), callID: SECOND };
    this.born(birth);
    this.rings(guest).answers(guest).answers(AGENT).fromHere();
  }
  gives(dn: string, to = CUSTOMER): this {
    return this.happens({ kind: 'give-away', by: this.channel(dn), to });
  }
}

const held = (dn: string, s: Story) => s.happens({ kind: 'leg-held-by-phone', channel: s.channel(dn) });

/** The first call, with the customer on hold by the phone; then the guest of the second is in it. */
function joined(first: Consulting = talking(), second = new SecondLine()) {
  held(AGENT, first);
  first.fromHere();
  second.gives(AGENT);
  const given = second.call.parties.find((p) => p.leg.given);
  if (!given) throw new Error('nobody was given away');
  first.happens({ kind: 'adopt', by: first.channel(AGENT), guest: givenParty(given) });
  return { first, second, guest: given.leg.channel };
}

describe('an attended transfer on the phone: the call that gives its party away', () => {
  it('releases it without a hang-up, and ends as a call of two does', () => {
    const second = new SecondLine().gives(AGENT);
    expect(second.asked()).toEqual([`hang-up ${AGENT} 16`]);
    expect(second.told()).toEqual([`EventReleased(${GUEST})`]);
    expect(second.released(GUEST)).toMatchObject({
      callState: 'Transferred',
      otherDN: AGENT,
      thirdDN: CUSTOMER,
      thirdDNRole: 'TransferTo',
      connectionStatus: 'Connected',
      q850: 16,
    });
    second.ends(AGENT);
    expect(second.told()).toEqual([`EventReleased(${AGENT})`, `EventCallDeleted(${AGENT})`]);
    expect(second.asked()).toEqual(['destroy-bridge']);
  });

  it('has no more to do with that channel', () => {
    const second = new SecondLine().gives(AGENT);
    const before = second.call;
    second.ends(GUEST).clears();
    expect(second.call.parties).toEqual(before.parties);
    expect(second.asked()).toEqual([`hang-up ${AGENT} 16`]);
  });

  it('stops its recording, which is no other call’s', () => {
    const second = new SecondLine('+919800000055');
    second.happens({ kind: 'start-recording', uuid: 'ab'.repeat(16), url: 'http://x/r', referenceID: 1 }).fromHere();
    second.gives(AGENT);
    expect(second.asked()).toEqual(['stop-recording +919800000055', `hang-up ${AGENT} 16`]);
  });

  it.each([
    ['when the guest holds', (s: SecondLine) => held(GUEST, s).fromHere()],
    ['when the guest has hung up', (s: SecondLine) => s.ends(GUEST).fromHere()],
    ['when the agent is on the way out', (s: SecondLine) => s.releases(AGENT).fromHere()],
    ['twice', (s: SecondLine) => s.gives(AGENT).fromHere()],
  ])('gives nobody away %s', (_, happen) => {
    const second = new SecondLine();
    happen(second);
    const { call } = second;
    second.gives(AGENT);
    expect([second.refusal, second.told(), second.asked()]).toEqual(['InvalidAgentState', [], []]);
    expect(second.call).toEqual(call);
  });

  it('gives nobody away while the guest’s phone only rings', () => {
    const ringing = new Story().arrives({ from: AGENT, to: GUEST, reaches: GUEST }).rings(GUEST).fromHere();
    ringing.happens({ kind: 'give-away', by: ringing.channel(AGENT), to: CUSTOMER });
    expect([ringing.refusal, ringing.told()]).toEqual(['InvalidAgentState', []]);
  });
});

describe('an attended transfer on the phone: the call that goes on', () => {
  it('joins the two at once, answers the phone, and then hangs it up', () => {
    const { first } = joined();
    expect(first.asked()).toEqual([
      `stop-music ${CUSTOMER}`,
      `place ${CUSTOMER} ${GUEST}`,
      `answer-transfer ${AGENT}`,
      `hang-up ${AGENT} 16`,
    ]);
    expect([first.where(CUSTOMER), first.where(GUEST)]).toEqual(['b1', 'b1']);
    expect(first.told()).toEqual([]);
  });

  it('tells what a consultation’s transfer tells, and goes on as a call of two', () => {
    const { first, guest } = joined();
    expect(first.party(GUEST)).toMatchObject({ partyID: `${first.call.callID}-3`, state: 'Talk', role: 'Agent' });
    expect(first.channel(GUEST)).toBe(guest);
    first.ends(AGENT);
    expect(first.told()).toEqual([`EventReleased(${AGENT})`, `EventPartyChanged(${GUEST})`]);
    expect(first.released(AGENT)).toMatchObject({
      callState: 'Transferred',
      otherDN: CUSTOMER,
      thirdDN: GUEST,
      thirdDNRole: 'TransferTo',
    });
    expect(first.event('EventPartyChanged', GUEST)).toMatchObject({
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'TransferBy',
      callState: 'OK',
      agentStatus: 'Connected',
    });
    first.ends(GUEST);
    expect(first.asked().at(-1)).toBe(`hang-up ${CUSTOMER} 16`);
    first.ends(CUSTOMER);
    expect(first.told()).toEqual([
      `EventReleased(${GUEST})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(first.released(GUEST)).toMatchObject({ otherDN: CUSTOMER, agentStatus: 'Completed' });
    expect(first.released(CUSTOMER)).toMatchObject({ otherDN: GUEST });
  });

  it('ends where the guest hangs up before the agent’s phone has let go', () => {
    const { first } = joined();
    first.fromHere().ends(GUEST);
    expect(first.asked()).toEqual([`hang-up ${CUSTOMER} 16`]);
    first.ends(AGENT).ends(CUSTOMER);
    expect(first.told()).toEqual([
      `EventReleased(${GUEST})`,
      `EventReleased(${AGENT})`,
      `EventReleased(${CUSTOMER})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  it('ends the music that the guest heard while the agent held both', () => {
    const second = new SecondLine();
    held(AGENT, second).fromHere();
    const { first } = joined(talking(), second);
    expect(first.asked().slice(0, 2)).toEqual([`stop-music ${CUSTOMER}`, `stop-music ${GUEST}`]);
    expect(first.call.media.music).toEqual([]);
  });

  it('takes somebody from outside for no second customer', () => {
    const { first } = joined(talking(), new SecondLine('+919800000055'));
    expect(first.party('+919800000055').role).toBe('ThirdPSTN');
  });

  it.each([
    ['the customer has hung up', (s: Consulting) => s.ends(CUSTOMER)],
    ['the agent has gone', (s: Consulting) => s.ends(AGENT, NORMAL)],
    ['somebody is being consulted', (s: Consulting) => s.consults(AGENT, '1003')],
    ['the guest is in it already', (s: Consulting) => s.consults(AGENT, GUEST)],
  ])('adopts nobody where %s', (_, happen) => {
    const first = happen(talking()).fromHere();
    const { call } = first;
    const second = new SecondLine().gives(AGENT);
    const guest = partyByChannel(second.call, second.channel(GUEST));
    if (!guest) throw new Error('no guest');
    first.happens({ kind: 'adopt', by: first.channel(AGENT), guest: givenParty(guest) });
    expect([first.refusal, first.told(), first.asked()]).toEqual(['InvalidAgentState', [], []]);
    expect(first.call).toEqual(call);
  });
});
