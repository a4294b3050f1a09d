import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordingPlan } from '../../../src/calls/call.ts';
import type { CallBirth, CallInput, QueueTarget } from '../../../src/calls/input.ts';
import { stories, usualStories } from '../../support/properties.ts';
import { callArrived, destination, makeCall, T0 } from './flow.ts';
import { Watcher } from './watcher.ts';

/** Whatever happens to a call, in whatever order. A failure prints the seed and the shortest story that shows it. */

const QUEUE = { id: '8001', ringTimeout: 15, wrapUp: 30 };
const queueTarget = (full: boolean): QueueTarget => ({
  dn: QUEUE.id,
  kind: 'queue',
  queue: QUEUE,
  ...(full && { full }),
});

/** Where the recordings of these stories go. */
const RECORDING = { uuid: '0123456789abcdef0123456789abcdef', url: 'https://calls.example.org/recordings/0123' };

const notStarted = fc.constantFrom('invalid-number', 'channel-limit', 'no-node', 'unavailable' as const);
const rarely = fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: notStarted });

/** Recorded from its early media, from its conversation, or only if somebody asks. */
const recording = fc.constantFrom<RecordingPlan | undefined>(
  undefined,
  { ...RECORDING, begins: 'early' },
  { ...RECORDING, begins: 'talk' },
);

const made: fc.Arbitrary<CallBirth> = fc
  .record({
    agent: fc.constantFrom('1001', '1001', '+919900000009'),
    customer: fc.constantFrom('+919800000001', '1002'),
    firstLeg: fc.constantFrom('agent', 'customer' as const),
    agentUnreachable: rarely,
    customerUnreachable: rarely,
    recording,
  })
  .map(({ agentUnreachable, customerUnreachable, recording: plan, ...m }) =>
    makeCall({
      ...m,
      ref: 7,
      ANI: '+911140000000',
      ...(agentUnreachable && { agentUnreachable }),
      ...(customerUnreachable && { customerUnreachable }),
      ...(plan && { recording: plan }),
    }),
  );

const arrived: fc.Arbitrary<CallBirth> = fc
  .record({
    from: fc.constantFrom('+919800000001', '1002'),
    reaches: fc.constantFrom('1001', '1001', '1001', '+919800000002', '+919800000002', null),
    unreachable: rarely,
    recording,
  })
  .map(({ unreachable, recording: plan, ...a }) =>
    callArrived({ ...a, to: '4000', ...(unreachable && { unreachable }), ...(plan && { recording: plan }) }),
  );

/** One who waits in a queue from the start: a caller, a customer whom it calls, an agent who calls it. */
const queued: fc.Arbitrary<CallBirth> = fc
  .record({
    how: fc.constantFrom('calls in', 'is called', 'asks'),
    recording,
    full: fc.constantFrom(false, false, true),
  })
  .map(({ how, recording: plan, full }): CallBirth => {
    const more = { queue: QUEUE, ...(plan && { recording: plan }) };
    if (how === 'asks') return { ...makeCall({ customer: QUEUE.id }), ...more };
    if (how === 'is called') return { ...makeCall({ agent: QUEUE.id, firstLeg: 'customer' }), ...more };
    const birth = callArrived({ from: '+919800000001', to: '4000', reaches: null });
    return { ...birth, ...more, ...(full && { turnedAway: 17 }) } as CallBirth;
  });

const birth = fc.oneof(
  { weight: 4, arbitrary: made },
  { weight: 4, arbitrary: arrived },
  { weight: 2, arbitrary: queued },
);

/** 0 and 1 are the first parties, 2 and on those who were brought in, or somebody whom the call does not know. */
const who = fc.constantFrom(0, 1, 0, 1, 0, 1, 2, 2, 3, 4);
/** Whom an agent asks, or hands his call to. */
const whom = fc.constantFrom('1003', '1001', '+919800000077');
const end = fc.record(
  {
    q850: fc.constantFrom(0, 1, 16, 17, 19, 20, 21, 31, 34, 127),
    sip: fc.constantFrom(404, 480, 486, 487, 503, 603, 300, 699),
    ringTimedOut: fc.boolean(),
    nodeDied: fc.boolean(),
    notStarted,
  },
  { requiredKeys: [] },
);
const data = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd', '__proto__'),
  fc.oneof(
    fc.constant(null),
    fc.nat(),
    fc.constantFrom(0, 10, 40_000, 66_000).map((n) => 'x'.repeat(n)),
  ),
  { maxKeys: 3, noNullPrototype: true },
);

type Happening =
  | { readonly is: 'ringing' | 'early' | 'answered'; readonly who: number; readonly recovered: boolean }
  | { readonly is: 'ended'; readonly who: number; readonly recovered: boolean; readonly end: EndCodes }
  | { readonly is: 'release' | 'answer'; readonly who: number; readonly ref: number }
  | { readonly is: 'clear'; readonly ref: number }
  | { readonly is: 'attach'; readonly who: number; readonly data: Record<string, string | number | null> }
  | { readonly is: 'consult' | 'transfer'; readonly who: number; readonly whom: string }
  | {
      readonly is: 'ask a queue' | 'hand to a queue' | 'refer to a queue';
      readonly who: number;
      readonly full: boolean;
    }
  | { readonly is: FloorStep; readonly late: boolean }
  | { readonly is: 'give away' | 'adopt'; readonly who: number; readonly hearsMusic: boolean }
  | { readonly is: ConsultStep; readonly who: number }
  | { readonly is: 'record'; readonly verb: 'start' | 'stop' | 'pause' | 'resume'; readonly who: number }
  | { readonly is: 'records' | 'fails to record'; readonly who: number; readonly recovered: boolean }
  | { readonly is: SoundStep; readonly who: number }
  | { readonly is: 'timer' };
type SoundStep =
  | Extract<CallInput['kind'], 'hold' | 'retrieve' | 'mute' | 'unmute' | 'send-dtmf'>
  | 'leg-held-by-phone'
  | 'leg-retrieved-by-phone'
  | 'leg-dtmf';
/** What the floor asks of a call that waits. */
type FloorStep = 'assign' | 'to another queue' | 'to a number' | 'overflow fails';
type ConsultStep = Extract<CallInput['kind'], `${string}-consult`>;
type EndCodes = typeof end extends fc.Arbitrary<infer T> ? T : never;

const recovered = fc.boolean();
const verb = fc.constantFrom('start', 'start', 'stop', 'pause', 'pause', 'resume', 'resume' as const);
const ref = fc.nat({ max: 99 });
const consultStep = fc.constantFrom<ConsultStep[]>(
  'cancel-consult',
  'retrieve-consult',
  'transfer-consult',
  'conference-consult',
  'conference-consult',
);
const soundStep = fc.constantFrom<SoundStep[]>(
  ...(['hold', 'hold', 'retrieve', 'retrieve', 'mute', 'mute', 'unmute', 'unmute', 'send-dtmf'] as const),
  ...(['leg-held-by-phone', 'leg-held-by-phone', 'leg-retrieved-by-phone', 'leg-dtmf'] as const),
);
const rarelyTrue = fc.constantFrom(false, false, true);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ is: fc.constantFrom('ringing', 'early' as const), who, recovered }) },
  { weight: 14, arbitrary: fc.record({ is: fc.constant('answered' as const), who, recovered }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('ended' as const), who, recovered, end }) },
  {
    weight: 16,
    arbitrary: fc.record({ is: fc.constantFrom('release', 'answer', 'answer', 'answer', 'answer' as const), who, ref }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('clear' as const), ref }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('attach' as const), who, data }) },
  { weight: 6, arbitrary: fc.record({ is: fc.constantFrom('consult', 'consult', 'transfer' as const), who, whom }) },
  { weight: 9, arbitrary: fc.record({ is: consultStep, who }) },
  {
    weight: 6,
    arbitrary: fc.record({
      is: fc.constantFrom('ask a queue', 'hand to a queue', 'refer to a queue' as const),
      who,
      full: rarelyTrue,
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      is: fc.constantFrom<FloorStep[]>(
        'assign',
        'assign',
        'assign',
        'to another queue',
        'to a number',
        'overflow fails',
      ),
      late: rarelyTrue,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constantFrom('give away', 'adopt' as const),
      who,
      hearsMusic: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ is: fc.constant('record' as const), verb, who: fc.constantFrom(0, 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ is: fc.constantFrom('records', 'records', 'fails to record' as const), who, recovered }),
  },
  { weight: 14, arbitrary: fc.record({ is: soundStep, who }) },
  { weight: 3, arbitrary: fc.constant({ is: 'timer' as const }) },
);
/** With the time that has passed since the last one, in ms: the clock may be set back. */
const anything = fc.array(fc.tuple(happening, fc.integer({ min: -2000, max: 60_000 })), { maxLength: 24, size: 'max' });
const assigned: readonly [Happening, number] = [{ is: 'assign', late: false }, 100];
const asksQueue: readonly [Happening, number] = [{ is: 'ask a queue', who: 0, full: false }, 100];
const handsToQueue: readonly (readonly [Happening, number])[] = [
  [{ is: 'hand to a queue', who: 0, full: false }, 100],
  [{ is: 'ended', who: 0, recovered: false, end: { q850: 16 } }, 100],
];
const answered = (n: number): readonly [Happening, number] => [{ is: 'answered', who: n, recovered: false }, 100];
/** Most of what can happen needs two who talk, or three: left to chance, they come about too seldom. */
const opening = fc.constantFrom<(readonly [Happening, number])[]>(
  [],
  [],
  [answered(0), answered(1)],
  [answered(0), answered(1), [{ is: 'consult', who: 0, whom: '1003' }, 100]],
  [answered(0), answered(1), [{ is: 'consult', who: 0, whom: '1003' }, 100], answered(2)],
  [answered(0), answered(1), [{ is: 'hold', who: 0 }, 100]],
  [answered(0), answered(1), ...handsToQueue],
  [answered(0), answered(1), ...handsToQueue, assigned, answered(2)],
  [answered(0), answered(1), ...handsToQueue, [{ is: 'overflow fails', late: false }, 100]],
  [answered(0), answered(1), asksQueue],
  [answered(0), answered(1), asksQueue, assigned, answered(2)],
  [answered(0), assigned, answered(1)],
  [
    answered(0),
    answered(1),
    [{ is: 'mute', who: 1 }, 100],
    [{ is: 'hold', who: 1 }, 100],
    [{ is: 'unmute', who: 1 }, 100],
  ],
  [
    answered(0),
    answered(1),
    [{ is: 'consult', who: 0, whom: '1003' }, 100],
    answered(2),
    [{ is: 'hold', who: 0 }, 100],
  ],
);
const story = fc.tuple(opening, anything).map(([first, then]) => [...first, ...then]);

/** Who has asked somebody; another party, if nobody has. */
const hostOf = (call: Watcher['call'], otherwise: string): string =>
  call.parties.find((p) => p.partyID === call.consult?.host)?.dn ?? otherwise;

function inputOf(h: Happening, call: Watcher['call']): CallInput {
  const party = 'who' in h ? call.parties[h.who] : undefined;
  const channel = party?.leg.channel ?? 'stranger';
  const thisDN = party?.dn ?? '1999';
  switch (h.is) {
    case 'ringing':
      return { kind: 'leg-ringing', channel, ...(h.recovered && { recovered: true }) };
    case 'early':
      return { kind: 'leg-early-media', channel, ...(h.recovered && { recovered: true }) };
    case 'answered':
      return { kind: 'leg-answered', channel, ...(h.recovered && { recovered: true }) };
    case 'ended':
      return { kind: 'leg-ended', channel, ...h.end, ...(h.recovered && { recovered: true }) };
    case 'release':
    case 'answer':
      return { kind: h.is, thisDN, referenceID: h.ref };
    case 'clear':
      return { kind: 'clear', referenceID: h.ref };
    case 'attach':
      return { kind: 'attach-data', thisDN, attachedData: h.data, referenceID: 5 };
    case 'consult':
      return { kind: 'consult', thisDN, target: destination(h.whom), attachedData: {}, referenceID: 6 };
    case 'transfer':
      return { kind: 'transfer', thisDN, target: destination(h.whom), back: destination(thisDN), referenceID: 8 };
    case 'ask a queue':
      return { kind: 'consult', thisDN, target: queueTarget(h.full), attachedData: {}, referenceID: 6 };
    case 'hand to a queue':
      return { kind: 'transfer', thisDN, target: queueTarget(h.full), back: destination(thisDN), referenceID: 8 };
    case 'refer to a queue': {
      const aim = { target: queueTarget(h.full), back: destination(thisDN) };
      return { kind: 'leg-transfer-requested', channel, dialled: QUEUE.id, aim };
    }
    case 'assign':
    case 'to a number': {
      const { id = QUEUE.id, assignment = 0 } = call.queue ?? {};
      // A phone that the floor chooses is in no call.
      const dn = h.is === 'assign' ? String(1600 + call.parties.length) : '+919800000088';
      const how = h.is === 'assign' ? ({ kind: 'assign', queue: id } as const) : ({ kind: 'to-number' } as const);
      return { ...how, to: destination(dn), assignment: assignment + (h.late ? 0 : 1) };
    }
    case 'to another queue':
      return { kind: 'to-queue', queue: { ...QUEUE, id: '8002' } };
    case 'overflow fails':
      return { kind: 'overflow-failed', queue: h.late ? '8003' : (call.queue?.id ?? QUEUE.id) };
    case 'give away':
      return { kind: 'give-away', by: channel, to: '+919800000055' };
    case 'adopt': {
      const leg = { kind: 'user', direction: 'outbound', state: 'up', startedAt: T0, answeredAt: T0 } as const;
      const n = call.parties.length;
      const guest = { dn: String(1700 + n), role: 'Agent', hearsMusic: h.hearsMusic } as const;
      return { kind: 'adopt', by: channel, guest: { ...guest, leg: { ...leg, channel: `elsewhere-${n}` } } };
    }
    case 'cancel-consult':
    case 'retrieve-consult':
    case 'transfer-consult':
    case 'conference-consult':
      return { kind: h.is, thisDN: h.who < 2 ? hostOf(call, thisDN) : thisDN, referenceID: 4 };
    case 'record':
      if (h.verb === 'start') return { kind: 'start-recording', thisDN, ...RECORDING, referenceID: 6 };
      return { kind: `${h.verb}-recording`, thisDN, referenceID: 6 };
    case 'records':
      return { kind: 'recording-started', channel, ...(h.recovered && { recovered: true }) };
    case 'fails to record':
      return { kind: 'recording-failed', channel, ...(h.recovered && { recovered: true }) };
    case 'hold':
    case 'retrieve':
    case 'mute':
    case 'unmute':
      return { kind: h.is, thisDN, referenceID: 3 };
    case 'send-dtmf':
      return { kind: h.is, thisDN, dtmfDigits: '12*', referenceID: 3 };
    case 'leg-held-by-phone':
    case 'leg-retrieved-by-phone':
      return { kind: h.is, channel };
    case 'leg-dtmf':
      return { kind: h.is, channel, digit: '7' };
    case 'timer':
      return { kind: 'timer', name: 'treatment' };
  }
}

/** Lets all of it happen. @returns Unix ms at the end */
function live(watcher: Watcher, happenings: readonly (readonly [Happening, number])[]): number {
  let now = T0;
  for (const [h, ms] of happenings) {
    now += ms;
    watcher.happens(inputOf(h, watcher.call), now);
  }
  return now;
}

/** The switch confirms every end, in one order or the other. */
function confirmEnds(watcher: Watcher, now: number, lastFirst: boolean): void {
  // A leg that ends may make another begin: a call that is handed on rings the next, and he who handed it on again.
  for (let rounds = 0; rounds < 5; rounds++) {
    const channels = watcher.liveChannels();
    for (const channel of lastFirst ? channels.reverse() : channels) {
      watcher.happens({ kind: 'leg-ended', channel, q850: 16 }, now);
    }
  }
}

const RUNS = 1500;

describe('whatever happens to a call', () => {
  it('nobody is told or asked what must not be, and in the end everything has ended', () => {
    fc.assert(
      fc.property(birth, story, fc.boolean(), fc.boolean(), (b, happenings, timerFires, lastFirst) => {
        const watcher = new Watcher(b, T0);
        const now = live(watcher, happenings);
        if (timerFires) watcher.happens({ kind: 'timer', name: 'treatment' }, now);
        confirmEnds(watcher, now, lastFirst);
        watcher.checkEnd();
      }),
      stories(RUNS),
    );
  });

  it('a call that is cleared ends with the confirmation of its legs, whatever else comes between', () => {
    fc.assert(
      fc.property(birth, story, story, fc.boolean(), (b, before, between, lastFirst) => {
        const watcher = new Watcher(b, T0);
        let now = live(watcher, before);
        watcher.happens({ kind: 'clear', referenceID: 9 }, now);
        const established = watcher.seen.get('EventEstablished') ?? 0;
        const dialled = watcher.seen.get('dial') ?? 0;
        now = live(watcher, between);
        confirmEnds(watcher, now, lastFirst);
        watcher.checkEnd();
        expect(watcher.seen.get('EventEstablished') ?? 0).toBe(established);
        expect(watcher.seen.get('dial') ?? 0).toBe(dialled);
      }),
      stories(RUNS / 3),
    );
  });

  it('a fact told twice is told once', () => {
    fc.assert(
      fc.property(birth, story, happening, (b, before, h) => {
        const watcher = new Watcher(b, T0);
        const now = live(watcher, before);
        const input = inputOf(h, watcher.call);
        // A digit that is told twice was pressed twice.
        fc.pre('channel' in input && input.kind !== 'leg-dtmf');
        watcher.happens(input, now);
        const { call, events } = watcher;
        const told = events.length;
        watcher.happens(input, now);
        expect(watcher.call).toEqual(call);
        expect(watcher.events.length).toBe(told);
      }),
      stories(RUNS / 3),
    );
  });

  it('the stories are not idle: every event, command and refusal of this room comes up in many of them', () => {
    // A fixed seed: what is looked at here is the stories themselves, and they must not differ from run to run.
    const many = 800;
    const seen = new Map<string, number>();
    for (const [b, happenings] of fc.sample(fc.tuple(birth, story), usualStories(many))) {
      const watcher = new Watcher(b, T0);
      confirmEnds(watcher, live(watcher, happenings), false);
      for (const name of watcher.seen.keys()) seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    const all = [
      ...['EventDialing', 'EventRinging', 'EventOtherRinging', 'EventEstablished', 'EventReleased'],
      ...['EventCallCreated', 'EventCallDeleted', 'EventAttachedDataChanged'],
      ...['EventPartyAdded', 'EventPartyChanged'],
      ...[
        'unplace',
        'start-music',
        'stop-music',
        'dial',
        'place',
        'create-bridge',
        'destroy-bridge',
        'ring',
        'answer',
        'answer-phone',
        'hang-up',
        'play-tone',
      ],
      ...['TargetPartyIsSelf', 'AgentIsInConsultScene'],
      'start-recording',
      ...['EventHeld', 'EventRetrieved', 'EventMuted', 'EventUnmuted', 'EventDtmfSent', 'HeldInProcess'],
      ...['mute', 'unmute', 'send-dtmf'],
      ...['NotFoundCallID', 'NotFoundParty', 'InvalidAgentState', 'InvalidParams'],
      ...['RequestTooFast', 'answer-transfer'],
      ...['assign', 'to-queue', 'to-number', 'overflow-failed', 'give-away', 'adopt'],
    ];
    expect(all.filter((name) => (seen.get(name) ?? 0) < many / 200)).toEqual([]);
    expect((seen.get('EventEstablished') ?? 0) > many / 8).toBe(true);
  });
});
