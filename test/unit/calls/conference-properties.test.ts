import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallInput, Supervise } from '../../../src/calls/input.ts';
import { stories, usualStories } from '../../support/properties.ts';
import { callArrived, destination, makeCall, T0 } from './flow.ts';
import { Watcher } from './watcher.ts';

/** Conferences, supervision, consultations and holds in any order, on a call that has begun. */

const PEOPLE = ['1001', '+919800000001', '1002', '1003', '+919800000077', '1007', '1008'] as const;
const MODES: readonly Supervise['mode'][] = ['monitor', 'whisper', 'bargein', 'intercept'];
const dn = fc.constantFrom(...PEOPLE);
const staff = fc.constantFrom('1001', '1001', '1002', '1003', '1007');
const newcomer = fc.constantFrom('1002', '1003', '+919800000077');
const supervisor = fc.constantFrom('1007', '1007', '1008', '1003');
const mode = fc.constantFrom(...MODES);
const end = fc.constantFrom({ q850: 16 }, { q850: 17, sip: 486 }, { q850: 19, ringTimedOut: true }, { q850: 38 });

type Happening =
  | {
      readonly is: 'leg-ringing' | 'leg-answered' | 'leg-held-by-phone' | 'leg-retrieved-by-phone';
      readonly dn: string;
    }
  | { readonly is: 'leg-ended'; readonly dn: string; readonly end: object }
  | { readonly is: 'release' | 'hold' | 'retrieve' | 'mute' | 'unmute' | 'conference-consult'; readonly dn: string }
  | { readonly is: 'stop-supervision' | 'retrieve-consult' | 'transfer-consult'; readonly dn: string }
  | { readonly is: 'add-party' | 'consult' | 'delete-party'; readonly dn: string; readonly whom: string }
  | { readonly is: 'transfer'; readonly dn: string; readonly whom: string }
  | { readonly is: 'supervise'; readonly dn: string; readonly whom: string; readonly mode: Supervise['mode'] };

const constant = <T extends string>(is: T) => fc.constant(is);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ is: constant('leg-ringing'), dn }) },
  { weight: 16, arbitrary: fc.record({ is: constant('leg-answered'), dn }) },
  { weight: 5, arbitrary: fc.record({ is: constant('leg-ended'), dn, end }) },
  { weight: 2, arbitrary: fc.record({ is: constant('release'), dn }) },
  { weight: 8, arbitrary: fc.record({ is: constant('add-party'), dn: staff, whom: newcomer }) },
  { weight: 4, arbitrary: fc.record({ is: constant('delete-party'), dn: staff, whom: dn }) },
  {
    weight: 12,
    arbitrary: fc.record({
      is: constant('supervise'),
      dn: supervisor,
      whom: fc.oneof({ weight: 5, arbitrary: staff }, { weight: 1, arbitrary: dn }),
      mode,
    }),
  },
  { weight: 2, arbitrary: fc.record({ is: constant('stop-supervision'), dn: supervisor }) },
  { weight: 4, arbitrary: fc.record({ is: constant('consult'), dn: staff, whom: newcomer }) },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constantFrom('conference-consult', 'retrieve-consult', 'transfer-consult' as const),
      dn: staff,
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: constant('transfer'), dn: staff, whom: newcomer }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constantFrom('hold', 'retrieve', 'mute', 'unmute' as const), dn }) },
  {
    weight: 2,
    arbitrary: fc.record({ is: fc.constantFrom('leg-held-by-phone', 'leg-retrieved-by-phone' as const), dn }),
  },
);
const answered: Happening[] = ['1001', '+919800000001'].map((who) => ({ is: 'leg-answered', dn: who }));
const third = (is: 'add-party' | 'consult'): Happening[] => [
  ...answered,
  { is, dn: '1001', whom: '1003' },
  { is: 'leg-answered', dn: '1003' },
];
const supervised = (as: Supervise['mode']): Happening[] => [
  ...answered,
  { is: 'supervise', dn: '1007', whom: '1001', mode: as },
  { is: 'leg-answered', dn: '1007' },
];
const opening = fc.constantFrom(answered, third('add-party'), third('consult'), ...MODES.map(supervised));
const story = fc
  .tuple(opening, fc.array(happening, { maxLength: 24, size: 'max' }))
  .map(([first, then]) => [...first, ...then]);
const birth = fc.constantFrom(
  makeCall({ ref: 1 }),
  makeCall({ ref: 1, firstLeg: 'customer' }),
  callArrived({ from: '+919800000001', to: '4000', reaches: '1001' }),
);

function inputOf(h: Happening, call: Watcher['call']): CallInput {
  const channel = call.parties.findLast((p) => p.dn === h.dn)?.leg.channel ?? 'stranger';
  const by = { thisDN: h.dn, referenceID: 5 };
  switch (h.is) {
    case 'leg-ended':
      return { kind: h.is, channel, ...h.end };
    case 'leg-ringing':
    case 'leg-answered':
    case 'leg-held-by-phone':
    case 'leg-retrieved-by-phone':
      return { kind: h.is, channel };
    case 'add-party':
      return { kind: h.is, ...by, to: destination(h.whom) };
    case 'delete-party':
      return { kind: h.is, ...by, otherDN: h.whom };
    case 'consult':
      return { kind: h.is, ...by, target: destination(h.whom), attachedData: {} };
    case 'transfer':
      return { kind: h.is, ...by, target: destination(h.whom), back: destination(h.dn) };
    case 'supervise':
      return { kind: h.is, ...by, otherDN: h.whom, mode: h.mode, to: destination(h.dn) };
    default:
      return { kind: h.is, ...by };
  }
}

/** Lets all of it happen, then everybody hang up. */
function live(b: Parameters<typeof begun>[0], happenings: readonly Happening[]): Watcher {
  const watcher = begun(b);
  let now = T0;
  for (const h of happenings) {
    now += 100;
    watcher.happens(inputOf(h, watcher.call), now);
  }
  // A leg that ends may make another begin: a call that is handed on rings the next, and he who handed it on again.
  for (let rounds = 0; rounds < 5; rounds++) {
    for (const channel of watcher.liveChannels()) watcher.happens({ kind: 'leg-ended', channel, q850: 16 }, now);
  }
  watcher.checkEnd();
  return watcher;
}
const begun = (b: ConstructorParameters<typeof Watcher>[0]) => new Watcher(b, T0);

describe('whatever agents, guests and supervisors do', () => {
  it('nobody is heard by whom he must not be, and all of it ends', () => {
    fc.assert(
      fc.property(birth, story, (b, happenings) => void live(b, happenings)),
      stories(1000),
    );
  });

  it('the stories are not idle: every event and every refusal of these verbs comes up', () => {
    const seen = new Set<string>();
    for (const [b, s] of fc.sample(fc.tuple(birth, story), usualStories(1200))) {
      for (const name of live(b, s).seen.keys()) seen.add(name);
    }
    const all = [
      ...['EventPartyAdded', 'EventPartyDeleted', 'EventPartyChanged', 'EventHeld', 'EventMuted', 'snoop'],
      ...['TargetPartyIsSelf', 'NotFoundOtherParty', 'CustomerAddByConference', 'PartyIsObserver', 'InvalidCallType'],
      ...['SupervisorMonitoring', 'SupervisorInCall', 'AgentMonitoredBy', 'CallHasObserver', 'TargetPartyInCall'],
      ...['AgentIsInBargedInScene', 'AgentIsInMonitorScene', 'AgentIsInInterceptScene', 'HeldInProcess', 'Unknown'],
      ...['AgentIsInConsultScene', 'AgentIsInConferenceScene', 'InvalidAgentState'],
    ];
    expect(all.filter((name) => !seen.has(name))).toEqual([]);
  });
});
