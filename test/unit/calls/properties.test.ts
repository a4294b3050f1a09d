import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stories, usualStories } from '../../support/properties.ts';
import { birth } from './births.ts';
import { T0 } from './flow.ts';
import { type Happening, happening, inputOf, story } from './happenings.ts';
import { Watcher } from './watcher.ts';

/** Whatever happens to a call, in whatever order. A failure prints the seed and the shortest story that shows it. */

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
