import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordingPlan } from '../../../src/calls/call.ts';
import type { CallInput } from '../../../src/calls/input.ts';
import { stories } from '../../support/properties.ts';
import { makeCall, T0 } from './flow.ts';
import { Watcher } from './watcher.ts';

/** Whatever is done to the recording of a conversation, in whatever order. */

const TARGET = { uuid: '0123456789abcdef0123456789abcdef', url: 'https://calls.example.org/recordings/0123' };
const plan = fc.constantFrom<RecordingPlan | undefined>(
  undefined,
  { ...TARGET, begins: 'talk' },
  { ...TARGET, begins: 'early' },
);
const verb = fc.constantFrom('start', 'stop', 'pause', 'pause', 'resume', 'resume' as const);
const happening = fc.oneof(
  { weight: 12, arbitrary: verb },
  { weight: 4, arbitrary: fc.constantFrom('writes', 'fails', 'has no file' as const) },
  { weight: 1, arbitrary: fc.constantFrom('agent leaves', 'customer leaves', 'release', 'clear', 'found' as const) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** A call in which both talk. */
function talking(recording: RecordingPlan | undefined): Watcher {
  const watcher = new Watcher(makeCall({ ...(recording && { recording }) }), T0);
  const [agent, customer] = watcher.call.parties.map((p) => p.leg.channel);
  watcher.happens({ kind: 'leg-answered', channel: agent ?? '' }, T0);
  watcher.happens({ kind: 'leg-early-media', channel: customer ?? '' }, T0);
  watcher.happens({ kind: 'leg-answered', channel: customer ?? '' }, T0);
  return watcher;
}

function inputOf(h: Happening, call: Watcher['call']): CallInput {
  const [agent = '', customer = ''] = call.parties.map((p) => p.leg.channel);
  switch (h) {
    case 'start':
      return { kind: 'start-recording', ...TARGET, referenceID: 1 };
    case 'stop':
    case 'pause':
    case 'resume':
      return { kind: `${h}-recording`, referenceID: 1 };
    case 'writes':
      return { kind: 'recording-started', channel: customer };
    case 'fails':
      return { kind: 'recording-failed', channel: customer };
    case 'has no file':
      return { kind: 'recording-failed', channel: customer, nothingWritten: true };
    case 'agent leaves':
      return { kind: 'leg-ended', channel: agent, q850: 16 };
    case 'customer leaves':
      return { kind: 'leg-ended', channel: customer, q850: 16 };
    case 'release':
      return { kind: 'release', thisDN: '1001', referenceID: 1 };
    case 'clear':
      return { kind: 'clear', referenceID: 1 };
    case 'found':
      return {
        kind: 'found',
        channels: Object.fromEntries(call.parties.map((p) => [p.leg.channel, 'Up'])),
        bridges: { [`${call.callID}-b1`]: [agent, customer] },
        onHold: {},
        underWay: [],
        busy: true,
        nodeDied: false,
      };
  }
}

describe('whatever is done to a recording', () => {
  it('one leg is recorded, what is paused only goes on by its resumption, and only what was written is told of', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(plan, fc.array(happening, { maxLength: 30, size: 'max' }), (recording, happenings) => {
        const watcher = talking(recording);
        let now = T0;
        for (const h of happenings) {
          now += 1_000;
          watcher.happens(inputOf(h, watcher.call), now);
        }
        for (const channel of watcher.liveChannels()) {
          watcher.happens({ kind: 'leg-ended', channel, q850: 16 }, now);
        }
        watcher.checkEnd();
        expect(watcher.call.recording?.state ?? 'stopped').toMatch(/stopped|waiting/);
        for (const name of watcher.seen.keys()) seen.set(name, (seen.get(name) ?? 0) + 1);
      }),
      stories(500),
    );
    const all = ['start-recording', 'stop-recording', 'pause-recording', 'resume-recording', 'InvalidAgentState'];
    expect(all.filter((name) => (seen.get(name) ?? 0) < 50)).toEqual([]);
  });
});
