import { describe, expect, it } from 'vitest';
import { CompanyId, newCallID } from '../../../src/cti/ids.ts';
import { CallAdmission } from '../../../src/switch/admission.ts';

const companyId = CompanyId.parse('acme');
const call = (n: number) => newCallID(String(n).padStart(32, '0'), 1);

/** A trunk with room for so many legs. */
function trunkOf(calls: number): CallAdmission {
  return new CallAdmission({ trunks: new Map([['t', { calls }]]) }, () => 0);
}
const T = { trunk: 't' };
const known = (n: number) => ({ callID: call(n), companyId, node: 'a1', shard: 'app@a1', trunk: 't' });
const admit = (a: CallAdmission, n: number) => a.admit(known(n));

describe('legs that a call rings beyond its first on a trunk', () => {
  it('take a place each, and are refused where there is none', () => {
    const admission = trunkOf(2);
    expect(admit(admission, 1)).toBeUndefined();
    expect(admission.admitUse(call(1), T)).toBeUndefined();
    expect(admission.admitUse(call(1), T)).toBe('channel-limit');
    expect(admit(admission, 2)).toBe('channel-limit');
  });

  it('give it back when they have ended, or when nothing came of them', () => {
    const admission = trunkOf(2);
    admit(admission, 1);
    admission.admitUse(call(1), T);
    admission.usesOf(call(1), [T, T]);
    admission.settled(call(1), T);
    expect(admit(admission, 2)).toBe('channel-limit');
    admission.usesOf(call(1), [T]);
    expect(admit(admission, 2)).toBeUndefined();
  });

  it('give it back with the call', () => {
    const admission = trunkOf(2);
    admit(admission, 1);
    admission.admitUse(call(1), T);
    admission.release(call(1));
    expect([admit(admission, 2), admit(admission, 3), admit(admission, 4)]).toEqual([
      undefined,
      undefined,
      'channel-limit',
    ]);
  });

  it('that were found alive have theirs, whatever the limits say', () => {
    const admission = trunkOf(1);
    admission.readmit(known(1));
    admission.usesOf(call(1), [T, T, T]);
    admission.usesOf(call(1), []);
    expect(admit(admission, 2)).toBe('channel-limit');
    admission.release(call(1));
    expect(admit(admission, 2)).toBeUndefined();
  });

  it('of a call that has no place are not counted', () => {
    const admission = trunkOf(1);
    expect(admission.admitUse(call(9), T)).toBeUndefined();
    admission.usesOf(call(9), [T]);
    expect(admit(admission, 1)).toBeUndefined();
  });

  it('are nobody else’s while their call is on its way to having them, whatever it tells meanwhile', () => {
    const admission = trunkOf(2);
    admit(admission, 1);
    admission.admitUse(call(1), T);
    admission.usesOf(call(1), [T]);
    expect(admit(admission, 2)).toBe('channel-limit');
    admission.settled(call(1), T);
    expect(admit(admission, 2)).toBeUndefined();
  });

  it('of a call that is read back are counted once', () => {
    const admission = trunkOf(1);
    admission.readmit(known(1));
    admission.readmit(known(1));
    admission.release(call(1));
    expect(admit(admission, 2)).toBeUndefined();
  });
});

describe('those who wait in a queue', () => {
  const Q = { queue: 'q' };
  const waiting = (calls: number): CallAdmission =>
    new CallAdmission({ trunks: new Map([['t', { calls: 9 }]]), queues: new Map([['acme:q', { calls }]]) }, () => 0);
  const enter = (a: CallAdmission, n: number) => a.admit({ ...known(n), queue: 'q' });

  it('have a place each from the beginning, and one too many has none anywhere', () => {
    const admission = waiting(1);
    expect(enter(admission, 1)).toBeUndefined();
    expect(enter(admission, 2)).toBe('queue-full');
    expect(admission.size).toBe(1);
    admission.usesOf(call(1), [Q]);
    admission.settled(call(1), Q);
    expect(enter(admission, 2)).toBe('queue-full');
    admission.usesOf(call(1), []);
    expect(enter(admission, 2)).toBeUndefined();
  });

  it('are let in from within a call, and always where we have called them', () => {
    const admission = waiting(1);
    admit(admission, 1);
    admit(admission, 2);
    expect(admission.admitUse(call(1), Q)).toBeUndefined();
    expect(admission.admitUse(call(2), Q)).toBe('queue-full');
    admission.usesOf(call(2), [Q]);
    admission.release(call(1));
    expect(admission.admitUse(call(1), Q)).toBeUndefined();
    expect(enter(admission, 3)).toBe('queue-full');
  });
});
