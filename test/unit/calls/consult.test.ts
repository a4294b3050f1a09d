import { describe, expect, it } from 'vitest';
import { AGENT, asked, CUSTOMER, GUEST, ringing, talking } from './consulting.ts';
import { BUSY, NO_ANSWER } from './flow.ts';

/** Where agent, customer and guest are. */
const places = (s: ReturnType<typeof talking>) => [AGENT, CUSTOMER, GUEST].map((dn) => s.where(dn));

const consult = { callState: 'Consult', otherDN: AGENT, otherDNRole: 'ConsultBy', thirdDN: CUSTOMER };

describe('a consultation begins', () => {
  it('the customer hears music, and the guest is dialled into the bridge where the agent waits', () => {
    const s = talking().consults(AGENT, GUEST, 7, { question: 'price' });
    expect(s.asked()).toEqual([
      'create-bridge',
      `unplace ${CUSTOMER}`,
      `place ${AGENT}`,
      `start-music ${CUSTOMER}`,
      `dial ${GUEST} into the bridge`,
    ]);
    expect(places(s)).toEqual(['b2', 'music', 'b2']);
    expect(s.told()).toEqual([`EventAttachedDataChanged(${AGENT})`]);
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({
      referenceID: 7,
      partyID: s.party(AGENT).partyID,
      partyRole: 'Agent',
      otherDN: GUEST,
      attachedData: { orderID: '1', question: 'price', consultStage: 1 },
      agentStatus: 'ConsultationDialed',
    });
    expect(s.last('EventAttachedDataChanged', AGENT)).not.toHaveProperty('callState');
    expect(s.call.attachedData).toEqual({ orderID: '1', question: 'price' });
  });

  it('the guest rings and answers, and the agent is told each time', () => {
    const s = talking().consults(AGENT, GUEST, 7).fromHere().rings(GUEST);
    expect(s.told()).toEqual([`EventRinging(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect(s.last('EventRinging', GUEST)).toMatchObject({
      ...consult,
      referenceID: 7,
      partyRole: 'Agent',
      attachedData: { orderID: '1', consultStage: '2', consulting: 'true' },
      agentStatus: 'ConsultationGuestDialed',
    });
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({
      callState: 'Consult',
      otherDN: GUEST,
      attachedData: { consultStage: 2 },
    });
    s.rings(GUEST).answers(GUEST).answers(GUEST);
    expect(s.told()).toEqual([`EventEstablished(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect(s.last('EventEstablished', GUEST)).toMatchObject({
      ...consult,
      attachedData: { consultStage: '4', consulting: 'true' },
      agentStatus: 'ConsultationGuestConnected',
    });
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({
      attachedData: { consultStage: 4 },
      agentStatus: 'ConsultationConnected',
    });
  });

  it('a guest who answers without ringing is announced first', () => {
    const s = talking().consults(AGENT, GUEST).fromHere().answers(GUEST);
    expect(s.told()).toEqual([
      `EventRinging(${GUEST})`,
      `EventAttachedDataChanged(${AGENT})`,
      `EventEstablished(${GUEST})`,
      `EventAttachedDataChanged(${AGENT})`,
    ]);
  });

  it('a number outside is a third party of the PSTN, dialled over the trunk', () => {
    const s = talking().consults(AGENT, '+919800000077').rings('+919800000077');
    expect(s.last('EventRinging', '+919800000077')).toMatchObject({ ...consult, partyRole: 'ThirdPSTN' });
    expect(s.commands.at(-1)).toMatchObject({ do: 'dial', trunk: 'trunk' });
  });
});

describe('a consultation ends before an answer', () => {
  const cases = [
    ['is busy', BUSY, 'ConsultationFailed', 'User Busy'],
    ['rings out', NO_ANSWER, 'ConsultationMissed', 'User Not Answered'],
    ['cannot be reached', { notStarted: 'unavailable' }, 'ConsultationFailed', undefined],
  ] as const;
  it.each(cases)('the guest %s: agent and customer talk again', (_, end, agentStatus, connectionStatus) => {
    const s = ringing().ends(GUEST, end);
    expect(places(s).slice(0, 2)).toEqual(['b1', 'b1']);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect(s.released(GUEST)).toMatchObject({
      ...consult,
      referenceID: 0,
      attachedData: { consultStage: 3, consulting: 'true' },
      agentStatus: 'ConsultationGuestMissed',
      ...(connectionStatus && { connectionStatus }),
    });
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({
      callState: 'Consult',
      attachedData: { consultStage: 3 },
      agentStatus,
    });
    expect(s.call.consult).toBeUndefined();
  });

  it('cancelled: they talk at once, and stage 3 is told when the guest’s phone has stopped', () => {
    const s = ringing().cancels(AGENT, 8);
    expect(s.asked()).toEqual([`stop-music ${CUSTOMER}`, `place ${AGENT} ${CUSTOMER}`, `hang-up ${GUEST} 16`]);
    expect(s.told()).toEqual([]);
    s.answers(GUEST).ends(GUEST);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect(s.released(GUEST)).toMatchObject({
      referenceID: 8,
      attachedData: { consultStage: 3 },
      agentStatus: 'ConsultationGuestReleased',
    });
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({
      referenceID: 8,
      attachedData: { consultStage: 3 },
      agentStatus: 'ConsultationReleased',
    });
    expect(places(s).slice(0, 2)).toEqual(['b1', 'b1']);
  });

  it('the guest is released by request: it is as if it had refused', () => {
    const s = ringing().releases(GUEST, 9).ends(GUEST);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect(s.released(GUEST)).toMatchObject({ referenceID: 9, agentStatus: 'ConsultationGuestMissed' });
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({ agentStatus: 'ConsultationFailed' });
    expect(places(s).slice(0, 2)).toEqual(['b1', 'b1']);
  });

  it.each([
    ['the agent', AGENT, CUSTOMER],
    ['the customer', CUSTOMER, AGENT],
  ])('%s hangs up: the guest’s phone stops, and the call ends', (_, leaver, other) => {
    const s = ringing().ends(leaver);
    expect(s.asked()).toContain(`hang-up ${GUEST} 16`);
    s.ends(GUEST).ends(other);
    expect(s.told()).toEqual([
      `EventReleased(${leaver})`,
      `EventReleased(${GUEST})`,
      `EventReleased(${other})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(s.released(GUEST)).toMatchObject({ attachedData: { consultStage: 3 } });
  });
});

describe('a consultation ends after the answer', () => {
  it.each([
    ['retrieved', (s: ReturnType<typeof asked>) => s.retrieves(AGENT, 8).ends(GUEST), 'Released', 8],
    ['the guest hangs up', (s: ReturnType<typeof asked>) => s.ends(GUEST), 'Completed', 0],
    ['the guest leaves by request', (s: ReturnType<typeof asked>) => s.releases(GUEST, 9).ends(GUEST), 'Completed', 9],
  ])('%s: stage 5, and agent and customer talk again', (_, happen, status, referenceID) => {
    const s = happen(asked());
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventAttachedDataChanged(${AGENT})`]);
    expect(s.released(GUEST)).toMatchObject({
      ...consult,
      referenceID,
      attachedData: { consultStage: 5, consulting: 'true' },
      agentStatus: `ConsultationGuest${status}`,
    });
    expect(s.last('EventAttachedDataChanged', AGENT)).toMatchObject({
      referenceID,
      attachedData: { consultStage: 5 },
      agentStatus: `Consultation${status}`,
    });
    expect(places(s).slice(0, 2)).toEqual(['b1', 'b1']);
  });

  it.each([
    ['transferred', (s: ReturnType<typeof asked>) => s.transfers(AGENT, 8), 8],
    ['the agent is released', (s: ReturnType<typeof asked>) => s.releases(AGENT, 8), 8],
    ['the agent hangs up', (s: ReturnType<typeof asked>) => s, 0],
  ])('%s: customer and guest talk at once, and it is told when the agent has gone', (_, happen, referenceID) => {
    const s = happen(asked());
    if (referenceID !== 0) {
      expect(s.told()).toEqual([]);
      expect(places(s).slice(1)).toEqual(['b1', 'b1']);
    }
    s.ends(AGENT);
    expect(places(s).slice(1)).toEqual(['b1', 'b1']);
    expect(s.told()).toEqual([`EventReleased(${AGENT})`, `EventPartyChanged(${GUEST})`]);
    expect(s.released(AGENT)).toMatchObject({
      referenceID,
      thisDNRole: 'ConsultBy',
      otherDN: GUEST,
      callState: 'Transferred',
      attachedData: { consultStage: 6 },
      agentStatus: 'ConsultationCompleted',
    });
    expect(s.last('EventPartyChanged', GUEST)).toMatchObject({
      referenceID,
      otherDN: CUSTOMER,
      thirdDN: AGENT,
      thirdDNRole: 'TransferBy',
      callState: 'OK',
      attachedData: { orderID: '1', consultStage: 6 },
      agentStatus: 'HostDisconnected',
    });
    s.ends(CUSTOMER).ends(GUEST);
    expect(s.told()).toEqual([`EventReleased(${CUSTOMER})`, `EventReleased(${GUEST})`, `EventCallDeleted(${AGENT})`]);
    expect([s.released(CUSTOMER).otherDN, s.released(GUEST).otherDN]).toEqual([GUEST, CUSTOMER]);
    expect(s.released(GUEST)).not.toHaveProperty('thirdDN');
  });

  it.each([
    ['customer', CUSTOMER, GUEST],
    ['guest', GUEST, CUSTOMER],
  ])('the %s leaves while the agent is on his way out: the call ends', (_, leaver, other) => {
    const s = asked().transfers(AGENT, 8).ends(leaver);
    expect(s.asked()).toContain(`hang-up ${other} 16`);
    s.ends(AGENT).ends(other);
    expect(s.told()).toEqual([
      `EventReleased(${leaver})`,
      `EventReleased(${AGENT})`,
      `EventReleased(${other})`,
      `EventCallDeleted(${AGENT})`,
    ]);
    expect(s.released(AGENT)).toMatchObject({ callState: 'Transferred', attachedData: { consultStage: 6 } });
  });

  it('a conference: all three in one bridge', () => {
    const s = asked().confers(AGENT, 8);
    expect(s.asked()).toEqual(['create-bridge', `stop-music ${CUSTOMER}`, `place ${AGENT} ${CUSTOMER} ${GUEST}`]);
    expect(s.told()).toEqual([`EventPartyAdded(${AGENT})`, `EventPartyChanged(${GUEST})`]);
    const added = { thirdDN: AGENT, thirdDNRole: 'AddedBy', callState: 'Conference', referenceID: 8 };
    expect(s.last('EventPartyAdded', AGENT)).toMatchObject({
      ...added,
      otherDN: GUEST,
      attachedData: { consultStage: 7 },
      agentStatus: 'ConferenceConnected',
    });
    expect(s.last('EventPartyChanged', GUEST)).toMatchObject({
      ...added,
      otherDN: CUSTOMER,
      attachedData: { consultStage: 7 },
      agentStatus: 'ConferenceGuestConnected',
    });
    expect(s.call.consult).toBeUndefined();
    expect(s.call.conference).toEqual({ host: s.party(AGENT).partyID, guest: s.party(GUEST).partyID });
  });

  it('the customer hangs up: agent and guest go on as a call of two', () => {
    const s = asked().ends(CUSTOMER);
    expect(s.told()).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventPartyChanged(${AGENT})`,
      `EventPartyChanged(${GUEST})`,
    ]);
    expect(s.last('EventPartyChanged', AGENT)).toMatchObject({ otherDN: GUEST, callState: 'OK' });
    expect(s.last('EventPartyChanged', GUEST)).toMatchObject({ otherDN: AGENT, callState: 'OK' });
    expect(s.asked()).toEqual([`place ${AGENT} ${GUEST}`]);
    s.ends(GUEST);
    expect(s.asked()).toEqual([`hang-up ${AGENT} 16`]);
    s.ends(AGENT);
    expect(s.told()).toEqual([`EventReleased(${GUEST})`, `EventReleased(${AGENT})`, `EventCallDeleted(${AGENT})`]);
  });

  it('the customer hangs up while the guest is being dropped: the call ends', () => {
    const s = asked().retrieves(AGENT).ends(CUSTOMER).ends(GUEST).ends(AGENT);
    expect(s.told().at(-1)).toBe(`EventCallDeleted(${AGENT})`);
    expect(s.released(GUEST)).toMatchObject({ attachedData: { consultStage: 5 } });
  });
});

describe('a consultation is refused', () => {
  const refusal = (s: ReturnType<typeof talking>) => [s.refusal, s.told(), s.asked()];
  it.each([
    ['TargetPartyIsSelf', () => talking().consults(AGENT, AGENT)],
    ['TargetPartyInCall', () => talking().consults(AGENT, CUSTOMER)],
    ['NotFoundParty', () => talking().consults('1009', GUEST)],
    ['InvalidAgentState', () => talking().consults(CUSTOMER, GUEST)],
    ['AgentIsInConsultScene', () => asked().consults(AGENT, '1003')],
    ['AgentIsInConsultScene', () => ringing().consults(AGENT, '1003')],
    ['AgentIsInConferenceScene', () => asked().confers(AGENT).fromHere().consults(AGENT, '1003')],
    ['InvalidParams', () => talking().consults(AGENT, GUEST, 0, { big: 'x'.repeat(66_000) })],
    ['InvalidAgentState', () => talking().cancels(AGENT)],
    ['InvalidAgentState', () => asked().cancels(AGENT)],
    ['InvalidAgentState', () => asked().cancels(GUEST)],
    ['InvalidAgentState', () => ringing().retrieves(AGENT)],
    ['InvalidAgentState', () => ringing().transfers(AGENT)],
    ['InvalidAgentState', () => ringing().confers(AGENT)],
    ['InvalidAgentState', () => ringing().cancels(AGENT).fromHere().cancels(AGENT)],
    ['InvalidAgentState', () => asked().transfers(AGENT).fromHere().transfers(AGENT)],
    ['InvalidAgentState', () => asked().retrieves(AGENT).fromHere().transfers(AGENT)],
    ['NotFoundCallID', () => talking().ends(AGENT).ends(CUSTOMER).fromHere().consults(AGENT, GUEST)],
  ])('%s (%#)', (name, tell) => {
    expect(refusal(tell())).toEqual([name, [], []]);
  });

  it.each([
    ['invalid-number', 'InvalidParams'],
    ['channel-limit', 'RequestTooFast'],
    ['unavailable', 'NotFoundChannel'],
  ] as const)('a target that is %s: %s', (unreachable, name) => {
    const s = talking();
    const target = { dn: '5', kind: 'customer', endpoint: '', unreachable } as const;
    s.happens({ kind: 'consult', thisDN: AGENT, target, attachedData: {}, referenceID: 0 });
    expect(refusal(s)).toEqual([name, [], []]);
  });

  it('one after another may be asked, each in turn', () => {
    const s = asked().retrieves(AGENT).ends(GUEST).consults(AGENT, GUEST).fromHere();
    expect(s.refusal).toBeUndefined();
    expect(s.call.parties).toHaveLength(4);
  });
});
