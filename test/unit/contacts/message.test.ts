import { describe, expect, it } from 'vitest';
import { MAX_LENGTHS, readMessage } from '../../../src/contacts/message.ts';
import { callable } from '../../../src/contacts/route.ts';
import { readXml, writeXml, XmlFault } from '../../../src/contacts/xml.ts';

const LEAST = { name: 'Ann', title: 'A question', mediaAddress: '911140001234' };

describe('a message', () => {
  it('needs name and title, and a callback its number', () => {
    expect(readMessage('callback', LEAST)).toEqual(LEAST);
    expect(readMessage('task', { name: 'Ann', title: 'A' })).toEqual({ name: 'Ann', title: 'A' });
    for (const missing of ['name', 'title', 'mediaAddress']) {
      expect(readMessage('callback', { ...LEAST, [missing]: undefined })).toBe('invalid-message');
      expect(readMessage('callback', { ...LEAST, [missing]: '' })).toBe('invalid-message');
    }
    expect(readMessage('callback', { ...LEAST, anything: { else: 1 } })).toEqual(LEAST);
  });

  it('has its longest fields, and not one character more', () => {
    const at = (field: string, length: number) => readMessage('callback', { ...LEAST, [field]: 'x'.repeat(length) });
    for (const field of ['name', 'title', 'mediaAddress', 'description', 'scriptSelector'] as const) {
      expect(at(field, MAX_LENGTHS[field])).toHaveProperty(field);
      expect(at(field, MAX_LENGTHS[field] + 1)).toBe('invalid-values');
    }
    const tags = (n: number) => readMessage('callback', { ...LEAST, tags: Array(n).fill('t') });
    expect(tags(MAX_LENGTHS.tags)).toHaveProperty('tags');
    expect(tags(MAX_LENGTHS.tags + 1)).toBe('invalid-values');
    const variables = (n: number, value: string) =>
      readMessage('callback', { ...LEAST, variables: Array.from({ length: n }, (_, i) => ({ name: `v${i}`, value })) });
    expect(variables(MAX_LENGTHS.variables, 'x'.repeat(MAX_LENGTHS.variableValue))).toHaveProperty('variables');
    expect(variables(MAX_LENGTHS.variables + 1, 'x')).toBe('invalid-values');
    expect(variables(1, 'x'.repeat(MAX_LENGTHS.variableValue + 1))).toBe('invalid-values');
    // More than a call's attached data may have, in bytes.
    expect(variables(MAX_LENGTHS.variables, '€'.repeat(MAX_LENGTHS.variableValue))).toBe('invalid-values');
    expect(readMessage('callback', { ...LEAST, name: 'A\nB' })).toBe('invalid-values');
  });

  it('has a number that people have written', () => {
    expect(callable('+91 (11) 4000-12.34')).toBe('+911140001234');
  });
});

describe('XML', () => {
  it('is read with its texts, lists and CDATA', () => {
    const { root, value } = readXml(
      '<?xml version="1.0"?>\n<!-- x --><Contact a="1"><name> A &amp; B &#x20AC;</name><t><![CDATA[<&amp;>]]></t><l><i>1</i><i>2</i></l></Contact>',
    );
    expect(root).toBe('Contact');
    expect(value).toEqual({ name: ['A & B €'], t: ['<&amp;>'], l: [{ i: ['1', '2'] }] });
    expect(readXml(`\uFEFF${writeXml('Contact', { status: '<&>', n: 1, none: undefined })}`).value).toEqual({
      status: ['<&>'],
      n: ['1'],
    });
  });

  it.each([
    ['a DTD', '<!DOCTYPE a><a/>'],
    ['a DTD after a comment', '<!-- x --><!DOCTYPE a [<!ENTITY b "c">]><a/>'],
    ['a DTD after something like a comment', '<a><![CDATA[<!--]]><!DOCTYPE a><b/></a>'],
    ['an element declaration', '<a><!ELEMENT b ANY></a>'],
    ['an instruction', '<a><?x y?></a>'],
    ['two declarations', '<?xml version="1.0"?><?xml version="1.0"?><a/>'],
    ['an entity', '<a>&x;</a>'],
    ['a character that may not be', '<a>&#0;</a>'],
    ['a surrogate', '<a>&#xD800;</a>'],
    ['a comment without an end', `<a>${'<!--'.repeat(1_000)}`],
    ['nothing closed', '<a><b>'],
    ['no element', 'text'],
    ['too much', `<a>${'<b/>'.repeat(1_001)}</a>`],
    ['too deep', `${'<a>'.repeat(9)}${'</a>'.repeat(9)}`],
  ])('%s is refused', (_what, text) => {
    expect(() => readXml(text)).toThrow(XmlFault);
  });
});
