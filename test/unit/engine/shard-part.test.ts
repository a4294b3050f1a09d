import { describe, expect, test } from 'vitest';
import { isCallID, newCallID } from '../../../src/cti/ids.ts';
import { inPart, MAX_SHARDS, partOfCall } from '../../../src/engine/shard-part.ts';

const HEX = '0123456789abcdef';

describe('the shard of a call', () => {
  test('is told by its id, for every shard of every number of them and every digit of chance', () => {
    for (let of = 1; of <= MAX_SHARDS; of++) {
      for (let index = 0; index < of; index++) {
        for (const digit of HEX) {
          const random = `${HEX}${HEX.slice(0, 15)}${digit}`;
          const callID = newCallID(inPart(random, { index, of }), 7);
          expect(isCallID(callID)).toBe(true);
          if (of > 1) expect(partOfCall(callID, of)).toBe(index);
          expect(callID.slice(0, 31)).toBe(random.slice(0, 31));
        }
      }
    }
  });

  test('is the only one where there is one, and costs no randomness there', () => {
    for (const digit of HEX) {
      const random = `${HEX}${HEX.slice(0, 15)}${digit}`;
      expect(inPart(random, { index: 0, of: 1 })).toBe(random);
      expect(partOfCall(`${random}000`, 1)).toBe(0);
    }
  });
});
