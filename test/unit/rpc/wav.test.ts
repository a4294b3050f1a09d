import { describe, expect, test } from 'vitest';
import { byteRange } from '../../../src/rpc/range.ts';
import { WAV_HEADER_BYTES, wavHeader } from '../../../src/rpc/wav.ts';

test('a WAV header says how much follows, and never more than its field can hold', () => {
  const header = wavHeader(32_000);
  expect(header).toHaveLength(WAV_HEADER_BYTES);
  expect(header.toString('latin1', 0, 4) + header.toString('latin1', 8, 16)).toBe('RIFFWAVEfmt ');
  expect([header.readUInt32LE(4), header.readUInt32LE(28), header.readUInt32LE(40)]).toEqual([32_036, 32_000, 32_000]);
  expect(wavHeader(2 ** 33).readUInt32LE(4)).toBe(0xffff_fff7);
});

describe('a Range header', () => {
  test.each([
    ['bytes=0-9', { first: 0, last: 9 }],
    ['bytes=90-', { first: 90, last: 99 }],
    ['bytes=90-200', { first: 90, last: 99 }],
    ['bytes=-10', { first: 90, last: 99 }],
    ['bytes=-1000', { first: 0, last: 99 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=9-3', undefined],
    ['bytes=-', undefined],
    ['bytes=0-1,5-6', undefined],
    ['lines=0-1', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s of 100 bytes', (header, expected) => {
    expect(byteRange(header, 100)).toEqual(expected);
  });
});
