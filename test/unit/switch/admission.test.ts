import { describe, expect, it } from 'vitest';
import { CompanyId, newCallID } from '../../../src/cti/ids.ts';
import { CallAdmission } from '../../../src/switch/admission.ts';

const companyId = CompanyId.parse('acme');
const call = (n: number) => newCallID(String(n).padStart(32, '0'), 1);

/** A trunk with room for so many legs. */
function trunkOf(calls: number): CallAdmission {
  return new CallAdmission(new Map(), new Map([['t', { calls }]]), new Map(), () => 0);
}
const admit = (a: CallAdmission, n: number) => a.admit({ callID: call(n), companyId, node: 'a1', trunk: 't' });

describe('legs that a call rings beyond its first on a trunk', () => {
  it('take a place each, and are refused where there is none', () => {
    const admission = trunkOf(2);
    expect(admit(admission, 1)).toBeUndefined();
    expect(admission.admitLeg(call(1), 't')).toBeUndefined();
    expect(admission.admitLeg(call(1), 't')).toBe('channel-limit');
    expect(admit(admission, 2)).toBe('channel-limit');
  });

  it('give it back when they have ended, or when nothing came of them', () => {
    const admission = trunkOf(2);
    admit(admission, 1);
    admission.admitLeg(call(1), 't');
    admission.legsOf(call(1), ['t', 't']);
    expect(admit(admission, 2)).toBe('channel-limit');
    admission.legsOf(call(1), ['t']);
    expect(admit(admission, 2)).toBeUndefined();
  });

  it('give it back with the call', () => {
    const admission = trunkOf(2);
    admit(admission, 1);
    admission.admitLeg(call(1), 't');
    admission.release(call(1));
    expect([admit(admission, 2), admit(admission, 3), admit(admission, 4)]).toEqual([
      undefined,
      undefined,
      'channel-limit',
    ]);
  });

  it('that were found alive have theirs, whatever the limits say', () => {
    const admission = trunkOf(1);
    admission.readmit({ callID: call(1), companyId, node: 'a1', trunk: 't' });
    admission.legsOf(call(1), ['t', 't', 't']);
    admission.legsOf(call(1), []);
    expect(admit(admission, 2)).toBe('channel-limit');
    admission.release(call(1));
    expect(admit(admission, 2)).toBeUndefined();
  });

  it('of a call that has no place are not counted', () => {
    const admission = trunkOf(1);
    expect(admission.admitLeg(call(9), 't')).toBeUndefined();
    admission.legsOf(call(9), ['t']);
    expect(admit(admission, 1)).toBeUndefined();
  });
});
