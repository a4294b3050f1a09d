import fc from 'fast-check';
import type { Call } from '../../../src/calls/call.ts';
import type { CallInput } from '../../../src/calls/input.ts';
import { notStarted, QUEUE, queueTarget, RECORDING } from './births.ts';
import { destination, T0 } from './flow.ts';

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

/** What may happen to a call. */
export type Happening =
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
export const happening: fc.Arbitrary<Happening> = fc.oneof(
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
/** A call that has come somewhere, and then anything. */
export const story = fc.tuple(opening, anything).map(([first, then]) => [...first, ...then]);

/** Who has asked somebody; another party, if nobody has. */
const hostOf = (call: Call, otherwise: string): string =>
  call.parties.find((p) => p.partyID === call.consult?.host)?.dn ?? otherwise;

/** What the call is told where that happens, as it stands. */
export function inputOf(h: Happening, call: Call): CallInput {
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
