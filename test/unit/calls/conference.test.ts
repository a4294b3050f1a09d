import { describe, expect, it } from 'vitest';
import { CONFERENCE_LIMIT } from '../../../src/calls/conference.ts';
import { conferenceBridge } from '../../../src/calls/layout.ts';
import { MAX_PARTIES } from '../../../src/calls/newcomer.ts';
import { AGENT, CUSTOMER, conference, consultConference, GUEST, OUTSIDER, talking } from './conferring.ts';
import { BUSY, NO_ANSWER } from './flow.ts';

const THIRD = '1003';
const addedBy = { thirdDN: AGENT, thirdDNRole: 'AddedBy' };

describe('somebody is rung straight into the call', () => {
  it('rings in a bridge into which the others come, and says who added him', () => {
    const s = talking().adds(AGENT, GUEST, 7);
    expect(s.asked()).toEqual(['create-bridge', `place ${AGENT} ${CUSTOMER}`, `dial ${GUEST} into the bridge`]);
    expect(s.commands.at(-1)).toMatchObject({ bridge: conferenceBridge(s.call) });
    expect(s.told()).toEqual([]);
    s.rings(GUEST);
    expect(s.told()).toEqual([`EventRinging(${GUEST})`]);
    const ringing = s.event('EventRinging', GUEST);
    expect(ringing).toMatchObject({
      ...addedBy,
      referenceID: 7,
      partyRole: 'Agent',
      otherDN: CUSTOMER,
      attachedData: { orderID: '1' },
      agentStatus: 'ConferenceGuestDialed',
    });
    expect(ringing).not.toHaveProperty('callState');
    expect(ringing).not.toHaveProperty('thisDNRole');
  });

  it('is in a conference by answering, and the one who added him is told', () => {
    const s = talking().adds(AGENT, GUEST, 7).rings(GUEST).fromHere().answers(GUEST);
    expect(s.told()).toEqual([`EventEstablished(${GUEST})`, `EventPartyAdded(${AGENT})`]);
    expect(s.event('EventEstablished', GUEST)).toMatchObject({
      ...addedBy,
      otherDN: CUSTOMER,
      callState: 'Conference',
      agentStatus: 'ConferenceGuestConnected',
    });
    expect(s.event('EventPartyAdded', AGENT)).toMatchObject({
      ...addedBy,
      referenceID: 7,
      partyID: s.party(AGENT).partyID,
      partyRole: 'Agent',
      otherDN: GUEST,
      callState: 'Conference',
      agentStatus: 'ConferenceConnected',
    });
    expect([AGENT, CUSTOMER, GUEST].map((dn) => s.where(dn))).toEqual(['b4', 'b4', 'b4']);
  });

  it('is in a bridge that always mixes, where those who are left stay, and to which one who held comes back', () => {
    const s = talking().adds(AGENT, GUEST, 7);
    expect(s.commands).toContainEqual({ do: 'create-bridge', bridge: conferenceBridge(s.call), mixesAlways: true });
    const holder = { thisDN: GUEST, referenceID: 0 };
    s.rings(GUEST)
      .answers(GUEST)
      .happens({ kind: 'hold', ...holder })
      .fromHere();
    s.happens({ kind: 'retrieve', ...holder });
    expect(s.asked()).toEqual([`place ${GUEST}`]);
    s.deletes(AGENT, GUEST).ends(GUEST);
    expect([AGENT, CUSTOMER].map((dn) => s.where(dn))).toEqual(['b4', 'b4']);
    expect(s.adds(AGENT, THIRD).asked().slice(-1)).toEqual([`dial ${THIRD} into the bridge`]);
    expect(s.commands.filter((c) => c.do === 'create-bridge')).toHaveLength(2);
  });

  it('two alone are in no such bridge', () => {
    const { commands } = talking();
    expect(commands.filter((c) => c.do === 'create-bridge')).toEqual([
      { do: 'create-bridge', bridge: expect.stringMatching(/-b1$/) },
    ]);
  });

  it('every agent who is there hears of him, the one who added him first', () => {
    const s = conference().adds(GUEST, THIRD, 9).answers(THIRD);
    expect(s.told()).toEqual([
      `EventRinging(${THIRD})`,
      `EventEstablished(${THIRD})`,
      `EventPartyAdded(${GUEST})`,
      `EventPartyAdded(${AGENT})`,
    ]);
    expect(s.last('EventPartyAdded', AGENT)).toMatchObject({
      otherDN: THIRD,
      thirdDN: GUEST,
      thirdDNRole: 'AddedBy',
      referenceID: 9,
    });
  });

  it('an outside number comes in as ThirdPSTN', () => {
    const s = talking().adds(AGENT, OUTSIDER, 7).rings(OUTSIDER).answers(OUTSIDER);
    expect(s.event('EventEstablished', OUTSIDER)).toMatchObject({ ...addedBy, partyRole: 'ThirdPSTN' });
  });
});

describe('somebody who is rung does not come', () => {
  it.each([
    ['busy', BUSY, 'User Busy', 'ConferenceFailed', 'ConferenceGuestMissed'],
    ['rings out', NO_ANSWER, 'User Not Answered', 'ConferenceMissed', 'ConferenceGuestMissed'],
  ])('%s: he is released and the call goes on', (_, end, status, host, guest) => {
    const s = talking().adds(AGENT, GUEST, 7).rings(GUEST).fromHere().ends(GUEST, end);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`]);
    expect(s.released(GUEST)).toMatchObject({ ...addedBy, otherDN: CUSTOMER, connectionStatus: status });
    expect(s.released(GUEST).agentStatus).toBe(guest);
    expect(s.statuses.findLast((x) => x.dn === AGENT)?.status).toBe(host);
    expect(s.asked()).toEqual([]);
    expect(s.leaving()).toEqual([]);
    expect([AGENT, CUSTOMER].map((dn) => s.party(dn).state)).toEqual(['Talk', 'Talk']);
  });

  it('a number that must not be dialled is released at once', () => {
    const s = talking().adds(AGENT, OUTSIDER, 7, 'invalid-number');
    expect(s.told()).toEqual([`EventReleased(${OUTSIDER})`]);
    expect(s.released(OUTSIDER)).toMatchObject({ connectionStatus: 'Invalid Number', referenceID: 7, ...addedBy });
    expect(s.statuses.map((x) => x.status).slice(-2)).toEqual(['ConferenceDialed', 'ConferenceFailed']);
    expect(s.asked()).toEqual([]);
  });

  it('the one who rings him in gives him up', () => {
    const s = talking().adds(AGENT, GUEST, 7).rings(GUEST).fromHere().deletes(AGENT, GUEST, 8);
    expect(s.asked()).toEqual([`hang-up ${GUEST} 16`]);
    s.ends(GUEST);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`]);
    expect(s.released(GUEST)).toMatchObject({
      referenceID: 8,
      connectionStatus: 'Hang Up',
      agentStatus: 'ConferenceGuestReleased',
    });
    expect(s.statuses.findLast((x) => x.dn === AGENT)?.status).toBe('ConferenceReleased');
  });

  it.each([AGENT, CUSTOMER])('%s leaves a call of two meanwhile: the call is over and the phone stops', (dn) => {
    const s = talking().adds(AGENT, GUEST, 7).rings(GUEST).ends(dn);
    expect(s.leaving().sort()).toEqual([AGENT, CUSTOMER, GUEST].filter((p) => p !== dn).sort());
    s.ends(GUEST);
    expect(s.released(GUEST).agentStatus).toBe('ConferenceGuestReleased');
  });
});

describe('somebody leaves a conference', () => {
  const told = { thirdDNRole: 'DeletedBy', callState: 'OK' };

  it('the host by request (stage 8): the guest goes on with the customer', () => {
    const s = conference().deletes(AGENT, AGENT, 8);
    expect(s.asked()).toEqual([`hang-up ${AGENT} 16`]);
    s.ends(AGENT);
    expect(s.told()).toEqual([`EventReleased(${AGENT})`, `EventPartyDeleted(${GUEST})`]);
    expect(s.event('EventPartyDeleted', GUEST)).toMatchObject({
      ...told,
      referenceID: 8,
      partyRole: 'Agent',
      otherDN: AGENT,
      thirdDN: AGENT,
      attachedData: { orderID: '1', consultStage: 8 },
      agentStatus: 'HostDisconnected',
    });
    expect(s.released(AGENT)).toMatchObject({ referenceID: 8, agentStatus: 'ConferenceCompleted' });
    s.ends(CUSTOMER).ends(GUEST);
    expect(s.released(GUEST)).toMatchObject({ callState: 'OK', agentStatus: 'ConferenceGuestCompleted' });
    expect(s.call.deleted).toBe(true);
  });

  it('the guest is dropped (stage 9): the host has the customer to himself', () => {
    const s = conference().deletes(AGENT, GUEST, 8).ends(GUEST);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventPartyDeleted(${AGENT})`]);
    expect(s.event('EventPartyDeleted', AGENT)).toMatchObject({
      ...told,
      otherDN: GUEST,
      thirdDN: AGENT,
      attachedData: { consultStage: 9 },
      agentStatus: 'ConferenceReleased',
    });
    expect(s.released(GUEST)).toMatchObject({ referenceID: 8, agentStatus: 'ConferenceGuestReleased' });
  });

  it('the guest hangs up: it was he who did it, and there is no stage', () => {
    const s = conference().ends(GUEST);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventPartyDeleted(${AGENT})`]);
    const event = s.event('EventPartyDeleted', AGENT);
    expect(event).toMatchObject({ ...told, otherDN: GUEST, thirdDN: GUEST, agentStatus: 'ConferenceCompleted' });
    expect(event.attachedData).not.toHaveProperty('consultStage');
  });

  it('after a consultation, the stage is told however they leave', () => {
    const host = consultConference().ends(AGENT);
    expect(host.event('EventPartyDeleted', GUEST).attachedData).toMatchObject({ consultStage: 8 });
    expect(host.call.conference).toBeUndefined();
    const guest = consultConference().releases(GUEST, 3).ends(GUEST);
    expect(guest.event('EventPartyDeleted', AGENT)).toMatchObject({
      referenceID: 3,
      thirdDN: GUEST,
      attachedData: { consultStage: 9 },
    });
  });

  it('the customer leaves: the agents go on, and their events name each other', () => {
    const s = conference().ends(CUSTOMER);
    expect(s.told()).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventPartyDeleted(${AGENT})`,
      `EventPartyDeleted(${GUEST})`,
    ]);
    expect(s.leaving()).toEqual([]);
    s.releases(GUEST);
    expect(s.leaving()).toEqual([AGENT, GUEST]);
    s.ends(GUEST).ends(AGENT);
    expect(s.released(GUEST)).toMatchObject({ otherDN: AGENT, callState: 'OK' });
    expect(s.told().at(-1)).toBe('EventCallDeleted(1001)');
  });

  it('three are left of four: still a conference', () => {
    const s = conference().adds(AGENT, THIRD).answers(THIRD).fromHere().deletes(GUEST, THIRD).ends(THIRD);
    expect(s.told()).toEqual([`EventReleased(${THIRD})`, `EventPartyDeleted(${AGENT})`, `EventPartyDeleted(${GUEST})`]);
    expect(s.last('EventPartyDeleted', AGENT)).toMatchObject({ callState: 'Conference', thirdDN: GUEST });
  });

  it('two of three leave at once: the call is over', () => {
    const s = conference().deletes(AGENT, GUEST).ends(CUSTOMER);
    expect(s.leaving()).toEqual([AGENT, GUEST]);
    s.ends(GUEST).ends(AGENT);
    expect(s.call.deleted).toBe(true);
    expect(s.told().filter((e) => e.startsWith('EventPartyDeleted'))).toEqual([]);
  });

  it('the same one is dropped twice at once: once is enough', () => {
    const s = conference().deletes(AGENT, GUEST, 8).deletes(AGENT, GUEST, 9);
    expect(s.refusal).toBeUndefined();
    expect(s.asked()).toEqual([`hang-up ${GUEST} 16`]);
  });
});

describe('what is refused', () => {
  it.each([
    ['himself', talking().adds(AGENT, AGENT), 'TargetPartyIsSelf'],
    ['one who is there', talking().adds(AGENT, CUSTOMER), 'TargetPartyInCall'],
    ['one who is being rung', talking().adds(AGENT, GUEST).adds(AGENT, GUEST), 'TargetPartyInCall'],
    ['by a stranger', talking().adds('1999', GUEST), 'NotFoundParty'],
    ['by the customer', talking().adds(CUSTOMER, GUEST), 'InvalidAgentState'],
    ['by an outside party', conference(OUTSIDER).adds(OUTSIDER, GUEST), 'CustomerAddByConference'],
    ['by one who rings', talking().adds(AGENT, GUEST).adds(GUEST, THIRD), 'InvalidAgentState'],
    ['during a consultation', talking().consults(AGENT, GUEST).adds(AGENT, THIRD), 'AgentIsInConsultScene'],
    [
      'by an observer',
      talking().supervises('monitor', '1007', AGENT).answers('1007').adds('1007', GUEST),
      'PartyIsObserver',
    ],
  ])('adding %s', (_, s, code) => expect(s.refusal).toBe(code));

  it('adding an eleventh', () => {
    const s = talking();
    for (let n = 3; n <= CONFERENCE_LIMIT; n++) s.adds(AGENT, `11${String(n).padStart(2, '0')}`);
    expect(s.refusal).toBeUndefined();
    expect(s.adds(AGENT, GUEST).refusal).toBe('NotEnoughMeetmeRoom');
    expect(s.ends('1103').adds(AGENT, GUEST).refusal).toBeUndefined();
  });

  it('adding more than a call may ever have had', () => {
    const s = talking();
    while (s.call.parties.length < MAX_PARTIES) s.adds(AGENT, GUEST, 0, 'unavailable');
    expect(s.refusal).toBeUndefined();
    expect(s.adds(AGENT, GUEST).refusal).toBe('NotEnoughMeetmeRoom');
  });

  it.each([
    ['from a call of two', talking().deletes(AGENT, CUSTOMER), 'InvalidCallType'],
    ['oneself from a call of two', talking().deletes(AGENT, AGENT), 'InvalidCallType'],
    ['a stranger', conference().deletes(AGENT, THIRD), 'NotFoundOtherParty'],
    ['by a stranger', conference().deletes(THIRD, AGENT), 'NotFoundParty'],
    ['by the customer', conference().deletes(CUSTOMER, GUEST), 'InvalidAgentState'],
    ['by an outside party', conference(OUTSIDER).deletes(OUTSIDER, CUSTOMER), 'CustomerAddByConference'],
    ['by one who rings', conference().adds(AGENT, THIRD).deletes(THIRD, GUEST), 'InvalidAgentState'],
    [
      'from a consultation',
      talking().consults(AGENT, GUEST).answers(GUEST).deletes(AGENT, GUEST),
      'AgentIsInConsultScene',
    ],
    [
      'an observer',
      talking().supervises('monitor', '1007', AGENT).answers('1007').deletes(AGENT, '1007'),
      'PartyIsObserver',
    ],
    [
      'a supervisor who interrupts',
      talking().supervises('bargein', '1007', AGENT).answers('1007').deletes(AGENT, '1007'),
      'AgentIsInBargedInScene',
    ],
    [
      'a supervisor who is to take over',
      talking().supervises('intercept', '1007', AGENT).deletes(AGENT, '1007'),
      'AgentIsInInterceptScene',
    ],
  ])('taking out %s', (_, s, code) => expect(s.refusal).toBe(code));
});
