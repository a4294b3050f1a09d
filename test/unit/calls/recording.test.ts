import { describe, expect, it } from 'vitest';
import type { RecordingPlan } from '../../../src/calls/call.ts';
import type { CallRequest } from '../../../src/calls/input.ts';
import { isRefused } from '../../../src/calls/output.ts';
import { recordingName } from '../../../src/calls/recording.ts';
import { step } from '../../../src/calls/step.ts';
import { BUSY, COMPANY, destination, type Story, story } from './flow.ts';

const AGENT = '1001';
const COLLEAGUE = '1002';
const CUSTOMER = '+919800000001';
const UUID = 'abcdef0123456789abcdef0123456789';
const URL = `https://calls.example.org/recordings/${UUID}`;
const TARGET = { uuid: UUID, url: URL };
const AT_TALK: RecordingPlan = { ...TARGET, begins: 'talk' };
const EARLY: RecordingPlan = { ...TARGET, begins: 'early' };

const ringing = (recording?: RecordingPlan): Story =>
  story()
    .make({ agent: AGENT, customer: CUSTOMER, ...(recording && { recording }) })
    .rings(AGENT)
    .answers(AGENT)
    .fromHere();
const talking = (recording?: RecordingPlan): Story => ringing(recording).rings(CUSTOMER).answers(CUSTOMER);

type Verb = 'start' | 'stop' | 'pause' | 'resume';
const request = (verb: Verb, thisDN?: string): CallRequest => {
  const who = thisDN !== undefined && { thisDN };
  return verb === 'start'
    ? { kind: 'start-recording', ...TARGET, ...who, referenceID: 0 }
    : { kind: `${verb}-recording`, ...who, referenceID: 0 };
};
const ask = (t: Story, verb: Verb, thisDN?: string): Story => t.happens(request(verb, thisDN));

const asked = (t: Story): string[] => t.asked().filter((command) => command.includes('-recording'));
const started = (t: Story, dn = CUSTOMER): Story => t.happens({ kind: 'recording-started', channel: t.channel(dn) });
const failed = (t: Story, nothingWritten = false): Story =>
  t.happens({ kind: 'recording-failed', channel: t.channel(CUSTOMER), ...(nothingWritten && { nothingWritten }) });
const over = (t: Story): Story => t.ends(CUSTOMER).ends(AGENT);

describe('the leg that carries a recording', () => {
  it('is the customer’s, whoever is asked and whoever rang first', () => {
    const agentFirst = talking().fromHere();
    expect(asked(ask(agentFirst, 'start', AGENT))).toEqual([`start-recording ${CUSTOMER}`]);
    const inbound = story().arrives({ from: CUSTOMER, to: '4000', reaches: AGENT });
    inbound.rings(AGENT).answers(AGENT).answers(CUSTOMER).fromHere();
    expect(asked(ask(inbound, 'start'))).toEqual([`start-recording ${CUSTOMER}`]);
  });

  it('is the first party’s where there is no customer', () => {
    const t = story().make({ agent: AGENT, customer: COLLEAGUE, recording: AT_TALK });
    t.rings(AGENT).answers(AGENT).rings(COLLEAGUE).answers(COLLEAGUE);
    expect(asked(t)).toEqual([`start-recording ${AGENT}`]);
  });

  it('names a file in its company’s own folder', () => {
    const t = ask(talking(), 'start');
    const command = t.commands.find((c) => c.do === 'start-recording');
    expect(command).toMatchObject({ name: `ringmaster/${COMPANY}/ab/${UUID}` });
    expect(recordingName(COMPANY, UUID)).toBe(`ringmaster/${COMPANY}/ab/${UUID}`);
  });
});

describe('a call that is to be recorded', () => {
  it('is from the moment both talk', () => {
    const t = ringing(AT_TALK).earlyMedia(CUSTOMER);
    expect(asked(t)).toEqual([]);
    t.answers(CUSTOMER);
    expect(asked(t)).toEqual([`start-recording ${CUSTOMER}`]);
    over(started(t));
    expect(t.event('EventCallDeleted')).toMatchObject({ recordUUID: UUID, recordUrl: URL });
    expect(t.released(CUSTOMER).recordedEarlymedia).toBe(false);
  });

  it('is from the early media on where that is wanted, and once', () => {
    const t = ringing(EARLY).rings(CUSTOMER);
    expect(asked(t)).toEqual([]);
    t.earlyMedia(CUSTOMER).earlyMedia(CUSTOMER).answers(CUSTOMER);
    expect(asked(t)).toEqual([`start-recording ${CUSTOMER}`]);
    over(started(t));
    expect(t.released(CUSTOMER).recordedEarlymedia).toBe(true);
    expect(t.released(AGENT).recordedEarlymedia).toBe(false);
  });

  it('keeps the early media of a customer who was never reached', () => {
    const t = started(ringing(EARLY).earlyMedia(CUSTOMER)).ends(CUSTOMER, BUSY).ends(AGENT);
    expect(t.event('EventCallDeleted')).toMatchObject({ recordUUID: UUID, recordUrl: URL });
    expect(t.released(CUSTOMER).recordedEarlymedia).toBe(true);
  });

  it('is from the conversation on where there was no early media', () => {
    const t = started(ringing(EARLY).rings(CUSTOMER).answers(CUSTOMER));
    expect(asked(t)).toEqual([`start-recording ${CUSTOMER}`]);
    expect(over(t).released(CUSTOMER).recordedEarlymedia).toBe(false);
  });

  it('has no recording where it never came to a conversation', () => {
    const t = ringing(AT_TALK).ends(CUSTOMER, BUSY).ends(AGENT);
    expect(asked(t)).toEqual([]);
    expect(t.event('EventCallDeleted')).not.toHaveProperty('recordUrl');
  });

  it('is not where that was called off before it began', () => {
    const t = ask(ringing(AT_TALK), 'stop').rings(CUSTOMER).answers(CUSTOMER);
    expect(asked(t)).toEqual([]);
    expect(asked(ask(t, 'start'))).toEqual([`start-recording ${CUSTOMER}`]);
  });
});

describe('pause, resume, stop and start again', () => {
  it('go to the same leg, and keep one recording', () => {
    const t = started(talking(AT_TALK).fromHere());
    for (const verb of ['pause', 'resume', 'stop', 'start'] as const) {
      expect(asked(ask(t, verb))).toEqual([`${verb}-recording ${CUSTOMER}`]);
      expect(t.call.recording).toMatchObject({ uuid: UUID });
    }
    expect(over(t).event('EventCallDeleted')).toMatchObject({ recordUUID: UUID });
  });

  it('a recording may be stopped while it is paused', () => {
    const t = ask(talking(AT_TALK), 'pause').fromHere();
    expect(asked(ask(t, 'stop'))).toEqual([`stop-recording ${CUSTOMER}`]);
  });
});

describe('a recorded leg that comes to talk to somebody else', () => {
  const REF = 0;
  const transferred = (t: Story): Story =>
    t
      .happens({
        kind: 'consult',
        thisDN: AGENT,
        target: destination(COLLEAGUE),
        attachedData: {},
        referenceID: REF,
      })
      .rings(COLLEAGUE)
      .answers(COLLEAGUE)
      .happens({ kind: 'transfer-consult', thisDN: AGENT, referenceID: REF });

  it('has its recording renewed once the one before has gone', () => {
    const t = transferred(started(talking(AT_TALK)).fromHere());
    expect(asked(t)).toEqual([]);
    expect(asked(t.ends(AGENT))).toEqual([`renew-recording ${CUSTOMER}`]);
    expect(t.commands.find((c) => c.do === 'renew-recording')).toMatchObject({
      name: `ringmaster/${COMPANY}/ab/${UUID}`,
    });
    expect(t.call.recording).toMatchObject({ state: 'on', written: true });
  });

  it('while it is paused, only when it goes on: nothing of the pause is recorded', () => {
    const t = transferred(ask(started(talking(AT_TALK)), 'pause').fromHere()).ends(AGENT);
    expect(asked(t)).toEqual([]);
    expect(asked(ask(t, 'resume'))).toEqual([`renew-recording ${CUSTOMER}`]);
    expect(asked(ask(ask(t, 'pause'), 'resume'))).toEqual([
      `pause-recording ${CUSTOMER}`,
      `resume-recording ${CUSTOMER}`,
    ]);
  });

  it('is left alone where the same one comes back', () => {
    const t = started(talking(AT_TALK)).happens({
      kind: 'consult',
      thisDN: AGENT,
      target: destination(COLLEAGUE),
      attachedData: {},
      referenceID: REF,
    });
    t.rings(COLLEAGUE).answers(COLLEAGUE).fromHere();
    t.happens({ kind: 'retrieve-consult', thisDN: AGENT, referenceID: REF }).ends(COLLEAGUE);
    expect(asked(t)).toEqual([]);
  });
});

describe('refused, with the call left as it was', () => {
  const cases: readonly (readonly [string, () => Story, readonly Verb[]])[] = [
    ['before the conversation', () => ringing(), ['start', 'stop', 'pause', 'resume']],
    ['while it waits to begin', () => ringing(AT_TALK), ['start', 'pause', 'resume']],
    ['while nothing is recorded', () => talking(), ['stop', 'pause', 'resume']],
    ['while it is on', () => talking(AT_TALK), ['start', 'resume']],
    ['while it is paused', () => ask(talking(AT_TALK), 'pause'), ['start', 'pause']],
    ['after a stop', () => ask(talking(AT_TALK), 'stop'), ['stop', 'pause', 'resume']],
    ['while the call is being ended', () => talking(AT_TALK).clears(), ['start', 'stop', 'pause', 'resume']],
    ['once the customer has gone', () => talking(AT_TALK).ends(CUSTOMER), ['start', 'stop', 'pause', 'resume']],
  ];
  for (const [when, make, verbs] of cases) {
    it(`${when}: ${verbs.join(', ')}`, () => {
      const t = make().fromHere();
      const before = t.call;
      for (const verb of verbs) {
        ask(t, verb);
        expect([verb, t.refusal]).toEqual([verb, 'InvalidAgentState']);
      }
      expect(t.call).toEqual(before);
      expect(t.asked()).toEqual([]);
    });
  }

  it('says why: a recording that is paused is not one that there is not', () => {
    const reasonOf = (t: Story) => {
      const outcome = step(t.call, request('pause'), t.now);
      return isRefused(outcome) ? outcome.refusal.data : undefined;
    };
    const t = talking(AT_TALK);
    ask(t, 'pause');
    expect(reasonOf(t)).toEqual({ reason: 'the recording is paused already' });
    ask(t, 'stop');
    expect(reasonOf(t)).toEqual({ reason: 'the call is not being recorded' });
  });

  it('NotFoundParty where thisDN is no party, NotFoundCallID once the call is over', () => {
    const t = talking(AT_TALK);
    for (const verb of ['start', 'stop', 'pause', 'resume'] as const) {
      expect(ask(t, verb, '1999').refusal).toBe('NotFoundParty');
    }
    over(t);
    for (const verb of ['start', 'stop', 'pause', 'resume'] as const) {
      expect(ask(t, verb).refusal).toBe('NotFoundCallID');
    }
  });
});

describe('a recording that Asterisk does not make', () => {
  it('is not told of, and may be asked for again', () => {
    const t = failed(talking(AT_TALK).fromHere(), true);
    expect(t.call.recording?.state).toBe('stopped');
    expect(asked(ask(t.fromHere(), 'start'))).toEqual([`start-recording ${CUSTOMER}`]);
    expect(over(failed(t, true)).event('EventCallDeleted')).not.toHaveProperty('recordUUID');
  });

  it('that was begun and turns out to have no file is not told of', () => {
    const t = over(failed(started(talking(AT_TALK)), true));
    expect(t.event('EventCallDeleted')).not.toHaveProperty('recordUrl');
  });

  it('that failed later is told of, for what was written', () => {
    const t = failed(started(talking(AT_TALK)));
    expect(t.call.recording?.state).toBe('stopped');
    expect(over(t).event('EventCallDeleted')).toMatchObject({ recordUrl: URL });
  });

  it('that was never confirmed is not told of', () => {
    expect(over(talking(AT_TALK)).event('EventCallDeleted')).not.toHaveProperty('recordUrl');
  });
});

describe('after a time in which nobody listened', () => {
  const found = (t: Story): Story =>
    t.fromHere().happens({
      kind: 'found',
      channels: { [t.channel(AGENT)]: 'Up', [t.channel(CUSTOMER)]: 'Up' },
      bridges: { [`${t.call.callID}-b1`]: [t.channel(AGENT), t.channel(CUSTOMER)] },
      onHold: {},
      underWay: [],
      busy: false,
      nodeDied: false,
    });

  it('what was confirmed goes on by itself', () => {
    expect(asked(found(started(talking(AT_TALK))))).toEqual([]);
  });
  it('what was not confirmed is begun again', () => {
    expect(asked(found(talking(AT_TALK)))).toEqual([`start-recording ${CUSTOMER}`]);
  });
  it('what is paused is paused again, and never begun', () => {
    expect(asked(found(ask(talking(AT_TALK), 'pause')))).toEqual([`pause-recording ${CUSTOMER}`]);
  });
  it('what was stopped is stopped again', () => {
    expect(asked(found(ask(started(talking(AT_TALK)), 'stop')))).toEqual([`stop-recording ${CUSTOMER}`]);
  });
});
