import { describe, expect, it } from 'vitest';
import { mergeAttachedData } from '../../../src/calls/attached-data.ts';
import { ATTACHED_DATA_MAX_BYTES } from '../../../src/cti/json.ts';
import { story } from './flow.ts';

const AGENT = '1001';

describe('RequestUpdateAttachedData', () => {
  it('merges, deletes with null, tells it, and every later event carries it', () => {
    const t = story()
      .make({ ref: 7, attachedData: { order: '1', tag: 'x' } })
      .fromHere();
    t.attaches({ order: '2', tag: null, more: { deep: [1, null] } }, 8, AGENT);
    const attachedData = { order: '2', more: { deep: [1, null] } };
    expect(t.told()).toEqual(['EventAttachedDataChanged(1001)']);
    expect(t.asked()).toEqual([]);
    expect(t.event('EventAttachedDataChanged')).toMatchObject({ referenceID: 8, callType: 'Outbound' });
    expect(t.event('EventAttachedDataChanged').attachedData).toEqual(attachedData);
    t.ends(AGENT);
    expect(t.released(AGENT).attachedData).toEqual(attachedData);
    expect(t.event('EventCallDeleted').attachedData).toEqual(attachedData);
    expect(t.event('EventCallCreated').attachedData).toEqual({ order: '1', tag: 'x' });
  });

  it('speaks for the one who created the call where nobody is named', () => {
    const t = story().make().fromHere().attaches({ a: 1 });
    expect(t.told()).toEqual(['EventAttachedDataChanged(1001)']);
  });

  it('is taken while the call is ending', () => {
    const t = story().make().releases(AGENT).fromHere().attaches({ result: 'none' });
    expect(t.told()).toEqual(['EventAttachedDataChanged(1001)']);
    expect(t.ends(AGENT).event('EventCallDeleted').attachedData).toEqual({ result: 'none' });
  });

  it('a null given at the beginning deletes nothing later by surprise: it is not there from the start', () => {
    const t = story().make({ attachedData: { a: null, b: 1 } });
    expect(t.event('EventCallCreated').attachedData).toEqual({ b: 1 });
  });

  it('takes exactly 64 KiB and refuses a byte more, leaving the call as it was', () => {
    const frame = JSON.stringify({ text: '' }).length;
    const full = 'x'.repeat(ATTACHED_DATA_MAX_BYTES - frame);
    const t = story().make().attaches({ text: full }).fromHere();
    expect(t.refusal).toBeUndefined();
    const before = t.call;
    t.attaches({ text: `${full}x` });
    expect(t.refusal).toBe('InvalidParams');
    expect(t.told()).toEqual([]);
    expect(t.call).toEqual(before);
    t.attaches({ k: 1 });
    expect(t.refusal).toBe('InvalidParams');
    t.attaches({ text: null, k: 1 });
    expect(t.call.attachedData).toEqual({ k: 1 });
  });

  it('counts bytes, not characters', () => {
    const t = story()
      .make()
      .attaches({ text: 'é'.repeat(ATTACHED_DATA_MAX_BYTES / 2) });
    expect(t.refusal).toBe('InvalidParams');
  });

  it('a key named like a piece of the language is a key like any other', () => {
    const merged = mergeAttachedData({ a: 1 }, JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'));
    expect(JSON.stringify(merged)).toBe('{"a":1,"__proto__":{"polluted":true},"constructor":1}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});
