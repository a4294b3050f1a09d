import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallInput } from '../../../src/calls/input.ts';
import { toldEnds } from '../../../src/calls/told-ends.ts';
import { stories } from '../../support/properties.ts';
import { BUSY, CANCELS, DECLINES, type End, NO_ANSWER, NORMAL, story } from './flow.ts';

const AGENT = '1001';
const CUSTOMER = '+919800000001';
const UNSEEN: End = {};

/** What is told of the event's own moment, and not of the end itself. */
const MOMENT = { creationTime: 0, agentStatus: 0, referenceID: 0, otherDN: 0, thirdDN: 0 };

describe('the ends of a call, told once more from what is stored', () => {
  it('are nothing while nobody has left', () => {
    const talk = story().make({ agent: AGENT, customer: CUSTOMER }).answers(AGENT).answers(CUSTOMER);
    expect(toldEnds(talk.call)).toEqual([]);
  });

  it('say what was told first, whatever happened', () => {
    const who = fc.constantFrom(AGENT, CUSTOMER);
    const ends = fc.constantFrom(BUSY, DECLINES, NO_ANSWER, CANCELS, NORMAL, UNSEEN, { nodeDied: true });
    type Happening =
      | readonly [input: 'rings' | 'answers' | 'releases' | 'clears', who: string]
      | readonly ['ends', string, End];
    const happening: fc.Arbitrary<Happening> = fc.oneof(
      fc.tuple(fc.constantFrom('rings', 'answers', 'releases', 'clears'), who),
      fc.tuple(fc.constant('ends' as const), who, ends),
    );
    const birth = fc.record({
      firstLeg: fc.constantFrom('agent' as const, 'customer' as const),
      unreachable: fc.option(fc.constantFrom('invalid-number' as const, 'unavailable' as const), { nil: undefined }),
    });
    fc.assert(
      fc.property(birth, fc.array(happening, { maxLength: 12 }), ({ firstLeg, unreachable }, all) => {
        const one = story().make({
          agent: AGENT,
          customer: CUSTOMER,
          firstLeg,
          ...(unreachable && { customerUnreachable: unreachable }),
        });
        for (const [what, dn, end] of all) {
          one.after(1_000);
          const channel = one.channel(dn);
          const facts: Record<string, CallInput> = {
            rings: { kind: 'leg-ringing', channel },
            answers: { kind: 'leg-answered', channel },
            ends: { kind: 'leg-ended', channel, ...end },
            releases: { kind: 'release', thisDN: dn, referenceID: 1 },
            clears: { kind: 'clear', referenceID: 2 },
          };
          const input = facts[what];
          if (input) one.happens(input);
        }
        const isEnd = ({ messageID }: { messageID: string }) => /Released|CallDeleted/.test(messageID);
        const byParty = (e: object): string => String('partyID' in e && e.partyID);
        const sorted = (events: readonly object[]) =>
          events.map((e) => ({ ...e, ...MOMENT })).toSorted((a, b) => byParty(a).localeCompare(byParty(b)));
        expect(sorted(toldEnds(one.call))).toEqual(sorted(one.events.filter(isEnd)));
      }),
      stories(1_000),
    );
  });
});
