import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { agentTone } from '../../lab/standing.ts';
import { expectWhole, only, plain, TALKED, told } from '../support/call-events.ts';
import { CUSTOMER_TONE } from '../support/conversation.ts';
import { type Hears, hearing } from '../support/hearing.ts';
import { AGENT, CUSTOMER, Office, sinceTheyTalked, TRUNK_NUMBER } from '../support/office.ts';

const SUPERVISOR = '1019';
const RIVAL = '1020';
/** A standing telephone that is always busy, and one that is not registered. */
const BUSY = '1091';
const UNREGISTERED = '1093';

type Method = 'RequestMonitor' | 'RequestWhisper' | 'RequestBargein' | 'RequestIntercept';

const MONITORED = { agent: ['customer'], customer: ['agent'], supervisor: ['agent', 'customer'] };
const WHISPERED = { ...MONITORED, agent: ['customer', 'supervisor'] };
const BARGED = {
  agent: ['customer', 'supervisor'],
  customer: ['agent', 'supervisor'],
  supervisor: ['agent', 'customer'],
};

describe('supervision', () => {
  const office = new Office([AGENT, SUPERVISOR, RIVAL]);
  const { talking, rung, established, released, ended } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  const ask = async (method: Method, callID: string, referenceID: number, thisDN = SUPERVISOR) =>
    (await office.client.call(method, { referenceID, callID, thisDN, otherDN: AGENT })).partyID;
  const picksUp = async (phone = office.phone(SUPERVISOR)): Promise<PhoneCall> => {
    const call = await phone.nextCall();
    call.ring();
    await call.answer();
    return call;
  };
  const hears = (calls: { agent: PhoneCall; customer: PhoneCall; supervisor?: PhoneCall }, heard: Hears) => {
    return hearing({
      agent: { call: calls.agent, tone: agentTone(AGENT) },
      customer: { call: calls.customer, tone: CUSTOMER_TONE },
      ...(calls.supervisor && { supervisor: { call: calls.supervisor, tone: agentTone(SUPERVISOR) } }),
    }).is(heard);
  };
  const all = (callID: string) => ({
    callID,
    companyId: office.rm.companyId,
    callType: 'Outbound',
    ANI: TRUNK_NUMBER,
    DNIS: CUSTOMER,
    attachedData: {},
  });
  const agentOf = (callID: string) => ({ ...all(callID), partyID: `${callID}-1`, partyRole: 'Agent', thisDN: AGENT });
  const observerOf = (callID: string, partyID: string) => ({
    ...all(callID),
    partyID,
    partyRole: 'Supervisor',
    thisDN: SUPERVISOR,
    otherDN: AGENT,
    otherDNRole: 'ObserveTo',
    thirdDN: CUSTOMER,
  });
  const speakerOf = (callID: string, partyID: string, thirdDNRole: 'BargeinTo' | 'InterceptTo') => ({
    ...all(callID),
    partyID,
    partyRole: 'Agent',
    thisDN: SUPERVISOR,
    otherDN: CUSTOMER,
    thirdDN: AGENT,
    thirdDNRole,
  });
  const ANSWERED = { messageID: 'EventEstablished', thisQueue: '', makeCallType: 'Regular' };

  test.each([
    ['RequestMonitor', 'Monitor', MONITORED],
    ['RequestWhisper', 'Whisper', WHISPERED],
  ] as const)('%s: who hears whom, and what is told', async (method, name, heard) => {
    const { callID, agent, customer } = await talking();
    await hears({ agent, customer }, { agent: ['customer'], customer: ['agent'] });
    const partyID = await ask(method, callID, 7);
    const supervisor = await picksUp();
    expect(supervisor.callerNumber).toBe(AGENT);
    await hears({ agent, customer, supervisor }, heard);
    await office.client.call('RequestStopSupervision', { referenceID: 8, callID, thisDN: SUPERVISOR });
    await Promise.all([released(callID, SUPERVISOR), supervisor.waitFor('ended')]);
    await hears({ agent, customer }, { agent: ['customer'], customer: ['agent'] });
    await customer.hangUp();
    const events = await ended(callID);
    const observer = observerOf(callID, partyID);
    expect(plain(sinceTheyTalked(events)).slice(0, 3)).toEqual([
      { messageID: 'EventRinging', ...observer, referenceID: 7, thisQueue: '' },
      { ...ANSWERED, ...observer, referenceID: 7, agentStatus: `${name}Started` },
      {
        ...TALKED,
        ...observer,
        referenceID: 8,
        agentStatus: `${name}Ended`,
        hangupCause: 'BY_AGENT',
        hangupDisposition: 'send_bye',
      },
    ]);
    expect(told(sinceTheyTalked(events)).slice(3)).toEqual([
      `EventReleased(${CUSTOMER})`,
      `EventReleased(${AGENT})`,
      `EventCallDeleted(${AGENT})`,
    ]);
  });

  test('RequestBargein: all hear each other until the supervisor leaves', async () => {
    const { callID, agent, customer } = await talking();
    const partyID = await ask('RequestBargein', callID, 7);
    const supervisor = await picksUp();
    await hears({ agent, customer, supervisor }, BARGED);
    await supervisor.hangUp();
    await released(callID, SUPERVISOR);
    await hears({ agent, customer }, { agent: ['customer'], customer: ['agent'] });
    await agent.hangUp();
    const events = await ended(callID);
    const speaker = speakerOf(callID, partyID, 'BargeinTo');
    expect(plain(sinceTheyTalked(events)).slice(0, 5)).toEqual([
      { messageID: 'EventRinging', ...speaker, referenceID: 7, thisQueue: '' },
      { ...ANSWERED, ...speaker, referenceID: 7, agentStatus: 'BargeinStarted' },
      {
        messageID: 'EventPartyAdded',
        ...agentOf(callID),
        referenceID: 7,
        otherDN: SUPERVISOR,
        thirdDN: SUPERVISOR,
        thirdDNRole: 'BargeinBy',
        callState: 'Conference',
        agentStatus: 'BargeinStarted',
      },
      {
        messageID: 'EventPartyDeleted',
        ...all(callID),
        partyID,
        partyRole: 'Agent',
        thisDN: SUPERVISOR,
        referenceID: 0,
        otherDN: AGENT,
        thirdDN: SUPERVISOR,
        thirdDNRole: 'DeletedBy',
        callState: 'OK',
        agentStatus: 'BargeinEnded',
      },
      { ...TALKED, ...speaker, referenceID: 0, hangupCause: 'BY_AGENT', hangupDisposition: 'recv_bye' },
    ]);
  });

  test('RequestIntercept: the supervisor has the customer, and the agent is released', async () => {
    const { callID, agent, customer } = await talking();
    const partyID = await ask('RequestIntercept', callID, 7);
    const supervisor = await picksUp();
    await agent.waitFor('ended');
    await hearing({
      customer: { call: customer, tone: CUSTOMER_TONE },
      supervisor: { call: supervisor, tone: agentTone(SUPERVISOR) },
    }).is({ customer: ['supervisor'], supervisor: ['customer'] });
    expect(await customer.hearsNothingOf(agentTone(AGENT), 400)).toBe(true);
    await supervisor.hangUp();
    const events = await office.client.ended(callID);
    await customer.waitFor('ended');
    expectWhole(events);
    const speaker = speakerOf(callID, partyID, 'InterceptTo');
    expect(plain(sinceTheyTalked(events)).slice(0, 3)).toEqual([
      { messageID: 'EventRinging', ...speaker, referenceID: 7, thisQueue: '', agentStatus: 'Dialed' },
      { ...ANSWERED, ...speaker, referenceID: 7, agentStatus: 'Connected' },
      {
        ...TALKED,
        ...agentOf(callID),
        referenceID: 7,
        moments: 'start answer bridge end',
        otherDN: CUSTOMER,
        thirdDN: SUPERVISOR,
        thirdDNRole: 'InterceptBy',
        hangupCause: 'BY_AGENT',
        agentStatus: 'Completed',
        hangupDisposition: 'send_bye',
      },
    ]);
  });

  test('from one mode to another without a new call: what is heard changes with each', async () => {
    const { callID, agent, customer } = await talking();
    const partyID = await ask('RequestMonitor', callID, 7);
    const supervisor = await picksUp();
    const calls = { agent, customer, supervisor };
    await hears(calls, MONITORED);
    const moves = [
      ['RequestWhisper', WHISPERED],
      ['RequestBargein', BARGED],
      ['RequestMonitor', MONITORED],
      ['RequestBargein', BARGED],
      ['RequestWhisper', WHISPERED],
      ['RequestMonitor', MONITORED],
    ] as const;
    for (const [i, [method, heard]] of moves.entries()) {
      expect(await ask(method, callID, 10 + i)).toBe(partyID);
      await hears(calls, heard);
    }
    expect(office.phone(SUPERVISOR).calls).toHaveLength(1);
    expect(await ask('RequestIntercept', callID, 20)).toBe(partyID);
    await agent.waitFor('ended');
    expect(await supervisor.hears(CUSTOMER_TONE)).toBe(true);
    expect(await customer.hears(agentTone(SUPERVISOR))).toBe(true);
    await customer.hangUp();
    const events = await ended(callID);
    expect(told(sinceTheyTalked(events)).slice(2, -3)).toEqual([
      `EventPartyChanged(${SUPERVISOR})`,
      `EventPartyChanged(${SUPERVISOR})`,
      `EventPartyAdded(${AGENT})`,
      `EventPartyDeleted(${SUPERVISOR})`,
      `EventPartyChanged(${SUPERVISOR})`,
      `EventPartyChanged(${SUPERVISOR})`,
      `EventPartyAdded(${AGENT})`,
      `EventPartyDeleted(${SUPERVISOR})`,
      `EventPartyChanged(${SUPERVISOR})`,
      `EventPartyChanged(${SUPERVISOR})`,
      `EventPartyChanged(${SUPERVISOR})`,
      `EventReleased(${AGENT})`,
    ]);
    expect(events.flatMap((e) => (e.messageID === 'EventPartyChanged' ? [e.agentStatus] : []))).toEqual([
      'WhisperStarted',
      'BargeinStarted',
      'MonitorStarted',
      'BargeinStarted',
      'WhisperStarted',
      'MonitorStarted',
      'Connected',
    ]);
  });

  test.each([
    ['RequestMonitor', MONITORED],
    ['RequestWhisper', WHISPERED],
    ['RequestBargein', BARGED],
  ] as const)('%s lasts through hold and mute', async (method, heard) => {
    const { callID, agent, customer } = await talking();
    await ask(method, callID, 7);
    const supervisor = await picksUp();
    const calls = { agent, customer, supervisor };
    await hears(calls, heard);
    const p = { callID, thisDN: AGENT };
    await office.client.call('RequestHoldCall', p);
    const barged = method === 'RequestBargein';
    // Who is held alone has music; where the supervisor is heard, he and the customer go on without the agent.
    await hears(
      calls,
      barged
        ? { customer: ['supervisor'], supervisor: ['customer'] }
        : { customer: ['music'], supervisor: ['agent'], agent: [] },
    );
    await office.client.call('RequestRetrieveCall', p);
    await hears(calls, heard);
    await office.client.call('RequestMuteCall', p);
    // The agent's microphone is off for everybody, the supervisor included.
    const unheard = (names: readonly string[]) => names.filter((n) => n !== 'agent');
    await hears(calls, Object.fromEntries(Object.entries(heard).map(([name, names]) => [name, unheard(names)])));
    await office.client.call('RequestUnmuteCall', p);
    await hears(calls, heard);
    await customer.hangUp();
    await ended(callID);
  });

  test.each([
    ['RequestMonitor', {}],
    ['RequestWhisper', {}],
    ['RequestBargein', { bargein_cause: 1 }],
    ['RequestIntercept', { intercept_cause: 1 }],
  ] as const)('%s of a supervisor who cannot be reached fails, and the agent keeps the call', async (method, data) => {
    const { callID, agent, customer } = await talking();
    for (const [thisDN, status] of [
      [BUSY, 'User Busy'],
      [UNREGISTERED, 'Channel Unavailable'],
    ] as const) {
      const partyID = await ask(method, callID, 7, thisDN);
      const event = await released(callID, thisDN);
      expect(event).toMatchObject({ partyID, connectionStatus: status, attachedData: data });
    }
    await ask(method, callID, 9);
    const ringing = await office.phone(SUPERVISOR).nextCall();
    ringing.ring();
    await rung(callID, SUPERVISOR);
    await ringing.refuse(603);
    expect(await released(callID, SUPERVISOR)).toMatchObject({ connectionStatus: 'User Rejected', attachedData: data });
    await hears({ agent, customer }, { agent: ['customer'], customer: ['agent'] });
    await customer.hangUp();
    await ended(callID);
  });

  test('the agent leaves: supervision ends with the call', async () => {
    const { callID, agent } = await talking();
    await ask('RequestMonitor', callID, 7);
    const supervisor = await picksUp();
    await established(callID, SUPERVISOR);
    await agent.hangUp();
    const events = await office.client.ended(callID);
    await supervisor.waitFor('ended');
    expectWhole(events);
    expect(only(events, 'EventReleased', SUPERVISOR)).toMatchObject({ agentStatus: 'MonitorEnded' });
  });

  test('refusals that the whole company decides', async () => {
    const { callID, customer } = await talking();
    const refusal = async (method: Method, thisDN: string, of = callID, otherDN = AGENT) =>
      (await office.client.refusal(method, { callID: of, thisDN, otherDN })).message;
    expect(await refusal('RequestMonitor', '911140099002')).toBe('RegisterDNNotMatch');
    expect(await refusal('RequestMonitor', SUPERVISOR, 'none')).toBe('NotFoundCallID');
    const other = await office.client.call('RequestMakeCall', { thisDN: RIVAL, otherDN: SUPERVISOR });
    await picksUp(office.phone(RIVAL));
    const colleague = await picksUp(office.phone(SUPERVISOR));
    await established(other.callID, SUPERVISOR);
    expect(await refusal('RequestMonitor', SUPERVISOR)).toBe('SupervisorInCall');
    await colleague.hangUp();
    await office.client.ended(other.callID);

    const second = await office.client.call('RequestMakeCall', { thisDN: RIVAL, otherDN: '1001' });
    const rival = await picksUp(office.phone(RIVAL));
    await established(second.callID, '1001');
    await ask('RequestMonitor', callID, 7);
    await picksUp();
    await established(callID, SUPERVISOR);
    expect(await refusal('RequestMonitor', SUPERVISOR, second.callID, RIVAL)).toBe('SupervisorMonitoring');
    expect(await refusal('RequestBargein', '1001', callID)).toBe('SupervisorInCall');
    expect(await refusal('RequestWhisper', '1002', callID)).toBe('AgentMonitoredBy');
    expect(await refusal('RequestBargein', '1002', callID)).toBe('AgentIsInMonitorScene');
    await rival.hangUp();
    await customer.hangUp();
    await Promise.all([office.client.ended(callID), office.client.ended(second.callID)]);
    expect(office.client.events.filter((e) => e.messageID === 'EventPartyError')).toHaveLength(7);
  });

  test('a key without the scope may not supervise', async () => {
    const calling = office.lab.file.companies[0]?.keys.find((k) => !k.scopes.includes('supervise'));
    if (!calling) throw new Error('every key of the lab may supervise');
    const refused = await (await office.rm.client(calling.name)).refusal('RequestMonitor', {
      callID: 'x',
      thisDN: SUPERVISOR,
      otherDN: AGENT,
    });
    expect(refused.code).toBe(-32003);
  });
});
