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

  it('is refused once the phone has answered', () => {
    const t = story().make().rings(AGENT).answers(AGENT).picksUp(AGENT);
    expect(t.refusal).toBe('InvalidAgentState');
  });
});
