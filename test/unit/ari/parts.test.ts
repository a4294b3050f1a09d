import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/ari/backoff.ts';
import { kindOf } from '../../../src/ari/carrier-policy.ts';
import { Deadlines } from '../../../src/ari/deadlines.ts';
import { encodeQuery } from '../../../src/ari/resources/requester.ts';
import { stories } from '../../support/properties.ts';

describe('Backoff', () => {
  it('stays between base and cap, and never beyond three times the delay before', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1 }), (draws) => {
        let drawn = 0;
        const backoff = new Backoff(100, 10_000, () => draws[drawn++ % draws.length] ?? 0);
        let previous = 100;
        for (let n = 0; n < 50; n++) {
          const delay = backoff.next();
          expect(delay).toBeGreaterThanOrEqual(100);
          expect(delay).toBeLessThanOrEqual(Math.min(10_000, previous * 3));
          previous = delay;
        }
        backoff.reset();
        expect(backoff.next()).toBeLessThanOrEqual(300);
      }),
      stories(),
    );
  });
});

describe('Deadlines', () => {
  it('expires what is due and only that, once', () => {
    const deadlines = new Deadlines();
    const expired: number[] = [];
    for (const deadline of [30, 10, 20]) deadlines.add({ deadline, expire: () => expired.push(deadline) });
    deadlines.sweep(20);
    expect(expired.sort()).toEqual([10, 20]);
    deadlines.sweep(20);
    expect(expired).toHaveLength(2);
    expect(deadlines.size).toBe(1);
  });
});

describe('kindOf', () => {
  it.each([
    ['GET', '/channels', 'list'],
    ['GET', '/channels/c1', 'quick'],
    ['GET', '/bridges', 'list'],
    ['GET', '/endpoints', 'list'],
    ['GET', '/endpoints/PJSIP', 'list'],
    ['GET', '/endpoints/PJSIP/1000', 'quick'],
    ['GET', '/recordings/stored', 'list'],
    ['GET', '/recordings/stored/r1/file', 'list'],
    ['GET', '/applications/app', 'list'],
    ['GET', '/asterisk/ping', 'quick'],
    ['GET', '/channels/c1/variable', 'blocking'],
    ['POST', '/channels/c1/answer', 'blocking'],
    ['POST', '/bridges/b1/addChannel', 'blocking'],
    ['POST', '/bridges/b1/removeChannel', 'blocking'],
    ['POST', '/channels/create', 'quick'],
    ['POST', '/channels', 'quick'],
    ['DELETE', '/channels/c1', 'quick'],
  ] as const)('%s %s is %s', (method, path, kind) => {
    expect(kindOf(method, path)).toBe(kind);
  });
});

describe('encodeQuery', () => {
  it('leaves out what is undefined and escapes the rest', () => {
    expect(encodeQuery({ a: 'x y', b: undefined, c: 0, d: false, e: ['1', '2;'] })).toBe(
      '?a=x%20y&c=0&d=false&e=1%2C2%3B',
    );
    expect(encodeQuery({ a: undefined })).toBe('');
  });
});
