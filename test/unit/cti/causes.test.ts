import { describe, expect, it } from 'vitest';
import { hangupCauseName, q850OfSip, sipOfQ850 } from '../../../src/cti/causes.ts';

describe('causes', () => {
  it('derives the cause from a SIP status as Asterisk does', () => {
    const table: Record<number, number> = { 302: 23, 404: 1, 420: 3, 480: 19, 483: 19, 486: 17, 487: 127, 488: 58 };
    for (const [sip, q850] of Object.entries(table)) expect(q850OfSip(Number(sip))).toBe(q850);
  });

  it('falls back by class', () => {
    expect(q850OfSip(499)).toBe(127);
    expect(q850OfSip(580)).toBe(34);
    expect(q850OfSip(607)).toBe(127);
    expect(q850OfSip(301)).toBe(16);
    expect(q850OfSip(200)).toBe(16);
  });

  it('answers an unanswered inbound call with the status of its cause, else 603', () => {
    expect(sipOfQ850(17)).toBe(486);
    expect(sipOfQ850(34)).toBe(503);
    expect(sipOfQ850(42)).toBe(503);
    for (const q850 of [0, 16, 26, 41, 44]) expect(sipOfQ850(q850)).toBe(603);
  });

  it('names causes', () => {
    expect(hangupCauseName(16)).toBe('NORMAL_CLEARING');
    expect(hangupCauseName(127)).toBe('INTERWORKING');
    expect(hangupCauseName(77)).toBe('CAUSE_77');
  });
});
