import { describe, expect, it } from 'vitest';
import { Directory } from '../../../src/engine/directory.ts';
import { company } from '../../support/store-kit.ts';

const ACME = company('acme');
const OTHER = company('other');
const NUMBER = '918000123456';

describe('the trunk by which a number is called', () => {
  const phones = (pattern: RegExp) => ({
    extensions: { pattern, endpoint: 'PJSIP/{dn}' },
    numbers: { pattern: /^\d{7,15}$/ },
    routes: [],
  });
  const directory = new Directory(
    [
      { companyId: ACME, ...phones(/^1\d{3}$/), trunk: 'a', flowTrunks: ['b', 'd'] },
      { companyId: OTHER, ...phones(/^2\d{3}$/), trunk: 'c', flowTrunks: ['d'] },
    ],
    [
      ...['a', 'b', 'd'].map((id) => ({ id, endpoint: `PJSIP/{number}@${id}`, callerId: `91${id}` })),
      { id: 'c', endpoint: 'PJSIP/{number}@c' },
    ],
  );

  it('is the company’s, or the one that is named, with its number unless another is', () => {
    expect(directory.resolve(ACME, NUMBER)).toMatchObject({
      endpoint: `PJSIP/${NUMBER}@a`,
      trunk: 'a',
      callerId: '91a',
    });
    expect(directory.resolve(ACME, NUMBER, undefined, 'b')).toMatchObject({ trunk: 'b', callerId: '91b' });
    expect(directory.resolve(ACME, NUMBER, '4711', 'b')).toMatchObject({ trunk: 'b', callerId: '4711' });
    expect([directory.trunkCallerId(ACME), directory.trunkCallerId(ACME, 'b')]).toEqual(['91a', '91b']);
  });

  it('is none where it is not there, and of no concern to a phone', () => {
    expect(directory.resolve(ACME, NUMBER, undefined, 'z')).toMatchObject({ unreachable: 'unavailable' });
    expect(directory.resolve(ACME, '1001', undefined, 'b')).not.toHaveProperty('trunk');
  });

  it('says whose a call is that comes in over it, where one company alone uses it', () => {
    expect(['a', 'b', 'c', 'd'].map((endpoint) => directory.routeOf('911140009999', endpoint)?.companyId)).toEqual([
      ACME,
      ACME,
      OTHER,
      undefined,
    ]);
  });
});
