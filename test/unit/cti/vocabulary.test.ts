import { describe, expect, it } from 'vitest';
import { vocabularyJsonSchema } from '../../../scripts/vocabulary-schema.ts';
import * as vocabulary from '../../../src/cti/vocabulary.ts';

const lists = Object.entries(vocabulary.VOCABULARY);

describe('the vocabulary', () => {
  it('has the seeds’ lists at their length', () => {
    expect(Object.fromEntries(lists.map(([name, list]) => [name, list.words.length]))).toEqual({
      FlowStatus: 39,
      ConnectionStatus: 16,
      AgentStatus: 44,
      SmsStatus: 8,
      EmailStatus: 13,
      ContactStatus: 4,
      ContactReason: 16,
      CtiEventName: 24,
      ErrorCode: Object.keys(vocabulary.ERRORS).length,
    });
  });

  it.each(lists)('%s has no word twice and none without a meaning', (_name, list) => {
    const words: readonly vocabulary.Word[] = list.words;
    expect(new Set(words.map((w) => w.value)).size).toBe(words.length);
    expect(words.filter((w) => w.meaning.trim() === '')).toEqual([]);
  });

  it('is what the schemas of events and answers allow, word for word', () => {
    const values = (name: keyof typeof vocabulary.VOCABULARY) => vocabulary.VOCABULARY[name].words.map((w) => w.value);
    expect(values('FlowStatus')).toEqual(vocabulary.FlowStatus.options);
    expect(values('ConnectionStatus')).toEqual(vocabulary.ConnectionStatus.options);
    expect(values('AgentStatus')).toEqual(vocabulary.AgentStatus.options);
    expect(values('SmsStatus')).toEqual(vocabulary.SmsStatus.options);
    expect(values('EmailStatus')).toEqual(vocabulary.EmailStatus.options);
    expect(values('ContactStatus')).toEqual(vocabulary.ContactStatus.options);
    expect(values('ContactReason')).toEqual(vocabulary.ContactReason.options);
    expect(values('CtiEventName')).toEqual(vocabulary.CTI_EVENT_NAMES);
  });

  it('is published with every word and its meaning', () => {
    const { $defs } = vocabularyJsonSchema() as { $defs: Record<string, { oneOf: { const: unknown }[] }> };
    for (const [name, list] of lists) {
      expect($defs[name]?.oneOf.map((w) => w.const)).toEqual(list.words.map((w) => w.value));
    }
  });
});
