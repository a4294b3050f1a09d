import { describe, expect, it } from 'vitest';
import { AGENT, asked, CUSTOMER, GUEST, QUEUE, talking } from './consulting.ts';

/** What the phone was told of its REFER. */
const answers = (s: ReturnType<typeof talking>) =>
  s.commands.flatMap((c) => (c.do === 'answer-transfer' ? [c.taken] : []));

describe('a transfer that is asked for on the phone', () => {
  it('is carried out like the request, and answered before the phone is hung up', () => {
    const s = talking().refers(AGENT, GUEST);
    expect(s.asked()).toEqual([`answer-transfer ${AGENT}`, `hang-up ${AGENT} 16`]);
    s.ends(AGENT).rings(GUEST).answers(GUEST);
    expect(s.told()).toEqual([`EventReleased(${AGENT})`, `EventRinging(${GUEST})`, `EventEstablished(${GUEST})`]);
    expect(s.released(AGENT)).toMatchObject({ thirdDN: GUEST, thirdDNRole: 'TransferTo', callState: 'Transferred' });
    expect(answers(s)).toEqual([true]);
  });

  it('leads to a queue by its number, where the customer waits', () => {
    const s = talking().refers(AGENT, QUEUE.id);
    expect(s.asked()).toEqual([`answer-transfer ${AGENT}`, `hang-up ${AGENT} 16`]);
    s.ends(AGENT);
    expect(s.released(AGENT)).toMatchObject({ thirdDN: QUEUE.id, callState: 'Transferred', referenceID: 0 });
    expect([answers(s), s.where(CUSTOMER)]).toEqual([[true], 'music']);
    s.assigned(GUEST, 1).rings(GUEST).answers(GUEST);
    expect(s.event('EventEstablished', GUEST)).toMatchObject({ otherDN: CUSTOMER, thirdDN: AGENT, referenceID: 0 });
  });

  it.each([
    ['names another call of its own', () => talking().refers(AGENT)],
    ['names itself', () => talking().refers(AGENT, AGENT)],
    ['is the customer’s', () => talking().refers(CUSTOMER, GUEST)],
    ['is in a consultation', () => asked().refers(AGENT, '1003')],
    ['is in a conference', () => asked().confers(AGENT).fromHere().refers(AGENT, '1003')],
  ])('is declined where the phone %s, and the call goes on as it was', (_, happen) => {
    const s = happen();
    expect([answers(s), s.told()]).toEqual([[false], []]);
    expect(s.commands.at(-1)).toMatchObject({ do: 'answer-transfer', taken: false });
  });
});
