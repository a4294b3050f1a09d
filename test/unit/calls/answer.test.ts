import { describe, expect, it } from 'vitest';
import { story } from './flow.ts';

const AGENT = '1001';

describe('RequestAnswerCall', () => {
  it('tells a phone that rings to answer, at once and each time', () => {
    const t = story().make().rings(AGENT).fromHere();
    expect(t.picksUp(AGENT).asked()).toEqual([`answer-phone ${AGENT}`]);
    expect(t.picksUp(AGENT).asked()).toEqual([`answer-phone ${AGENT}`]);
  });

  it('waits for a phone that does not ring yet, and tells it once', () => {
    const t = story().make().fromHere();
    expect(t.picksUp(AGENT).asked()).toEqual([]);
    expect(t.refusal).toBeUndefined();
    expect(t.rings(AGENT).asked()).toEqual([`answer-phone ${AGENT}`]);
    expect(t.earlyMedia(AGENT).rings(AGENT).asked()).toEqual([]);
  });

  it('does not make a phone answer that is being hung up', () => {
    const t = story().make().picksUp(AGENT).releases(AGENT).fromHere();
    expect(t.rings(AGENT).asked()).toEqual([]);
  });

  it('its referenceID is that of the party’s EventEstablished', () => {
    const caller = '+919800000001';
    const t = story().arrives({ from: caller, to: '4000', reaches: AGENT }).rings(AGENT);
    t.picksUp(AGENT, 9).answers(AGENT).answers(caller);
    expect(t.event('EventEstablished', AGENT).referenceID).toBe(9);
    expect(t.event('EventEstablished', caller).referenceID).toBe(0);
  });

  it('one without a referenceID leaves the call its own', () => {
    const t = story().make({ ref: 7 }).picksUp(AGENT).rings(AGENT).answers(AGENT).answers('+919800000001');
    expect(t.events.filter((e) => e.messageID === 'EventEstablished').map((e) => e.referenceID)).toEqual([7, 7]);
  });

  it('a phone that could not be told, and is answered by its user, was answered by no request', () => {
    const t = story().make({ ref: 7 }).rings(AGENT).picksUp(AGENT, 9);
    const request = { kind: 'answer', thisDN: AGENT, referenceID: 9 } as const;
    t.happens({ kind: 'not-done', request, command: 'answer-phone' });
    t.answers(AGENT).answers('+919800000001');
    expect(t.event('EventEstablished', AGENT).referenceID).toBe(7);
  });

  it('is refused once the phone has answered', () => {
    const t = story().make().rings(AGENT).answers(AGENT).picksUp(AGENT);
    expect(t.refusal).toBe('InvalidAgentState');
  });
});
