import { expect } from 'vitest';
import type { CtiEvent, CtiEventName, EventOf } from '../../src/cti/events.ts';

/** Events as `EventRinging(1001)`: who is spoken for. */
export function told(events: readonly CtiEvent[]): string[] {
  return events.map((e) => ('thisDN' in e && e.thisDN !== undefined ? `${e.messageID}(${e.thisDN})` : e.messageID));
}

/** The one event of this name, for this DN where one is given. */
export function only<N extends CtiEventName>(events: readonly CtiEvent[], name: N, thisDN?: string): EventOf<N> {
  const found = events.filter(
    (e): e is EventOf<N> => e.messageID === name && (thisDN === undefined || ('thisDN' in e && e.thisDN === thisDN)),
  );
  const [first] = found;
  if (!first || found.length > 1) throw new Error(`${found.length} times ${name}(${thisDN ?? ''})`);
  return first;
}

/**
 * What holds for the events of every call that has ended: the first is EventCallCreated, the last EventCallDeleted,
 * ids grow, every party that was announced is released exactly once and speaks no more after it, moments are in order.
 */
export function expectWhole(events: readonly CtiEvent[]): void {
  const names = events.map((e) => e.messageID);
  expect(names[0]).toBe('EventCallCreated');
  expect(names.at(-1)).toBe('EventCallDeleted');
  expect(names.filter((n) => n === 'EventCallCreated' || n === 'EventCallDeleted')).toHaveLength(2);
  events.reduce((before, e) => {
    expect(e.eventID).toBeGreaterThan(before);
    return e.eventID;
  }, 0);
  const announced = new Set<string>();
  const released: string[] = [];
  for (const e of events) {
    if (!('partyID' in e) || e.partyID === undefined) continue;
    expect(released).not.toContain(e.partyID);
    announced.add(e.partyID);
    if (e.messageID !== 'EventReleased') continue;
    released.push(e.partyID);
    expectMoments(e);
  }
  expect(released.toSorted()).toEqual([...announced].toSorted());
}

/** The moments of a released party follow each other, and its durations are their differences. */
function expectMoments(e: EventOf<'EventReleased'>): void {
  const moments = [e.startUepoch, e.progressUepoch, e.answerUepoch, e.bridgeUepoch, e.endUepoch].filter(
    (at) => at !== undefined,
  );
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  const seconds = (ms: number) => Math.round(ms / 1000);
  expect(e.billsec).toBe(e.answerUepoch === undefined ? 0 : seconds(e.endUepoch - e.answerUepoch));
  expect(e.answersec).toBe(e.answerUepoch === undefined ? 0 : seconds(e.answerUepoch - e.startUepoch));
}

/** How `plain` shows that a leg has ended which talked, but for whose it was and who ended it. */
export const TALKED = {
  messageID: 'EventReleased',
  thisQueue: '',
  makeCallType: 'Regular',
  wrapUpDuration: 0,
  recordedEarlymedia: false,
  earlyDetectCause: 200,
  connectionStatus: 'Connected',
  q850: 16,
  moments: 'start progress answer bridge end',
};

const VOLATILE = new Set(['eventID', 'creationTime', 'billsec', 'answersec']);

/**
 * Events with every field that a repetition would bring again: without ids of the log, and with moments replaced by the
 * names of those that the event has.
 */
export function plain(events: readonly CtiEvent[]): Record<string, unknown>[] {
  return events.map((e) => {
    const fields = Object.entries(e).filter(([name]) => !VOLATILE.has(name));
    const moments = fields.filter(([name]) => name.endsWith('Uepoch')).map(([name]) => name.replace('Uepoch', ''));
    const rest = fields.filter(([name]) => !name.endsWith('Uepoch'));
    return { ...Object.fromEntries(rest), ...(moments.length > 0 && { moments: moments.join(' ') }) };
  });
}
