import { describe, expect, it } from 'vitest';
import { isAnchored, patternFault } from '../../../src/config/patterns.ts';
import { nearest } from '../../../src/config/suggest.ts';

describe('patterns', () => {
  it.each([
    '^1\\d{3}$',
    '^\\+?\\d{7,15}$',
    '^(1|2)\\d{3}$',
    '^(?:00|\\+)?[1-9]\\d{6,14}$',
    '^(\\d{3}){2}$',
    '^[(+*]+$',
    '^\\(\\d+\\)$',
    '^(?!1)\\d+$',
    '^(a+)?b$',
    '^.*foo.*$',
    'foo',
    '\\d+',
    '^[^@]+@[^@]+\\.[^@]+$',
    '^[A-Z]+ [A-Z]+ [A-Z]+ [A-Z]+$',
    '^\\+?\\d{1,3}[- ]?\\d{3}[- ]?\\d{4}(?: ext \\d{1,5})?$',
    '^(?:\\d+-\\d+|[a-z]+\\.[a-z]+)$',
    '^(?<year>\\d{4})-(?<month>\\d\\d)$',
    '^\\p{L}+(?: \\p{L}+)?$',
    '^[\\]x]+\\(\\x41*$',
  ])('takes %s', (source) => expect(patternFault(source)).toBeUndefined());

  it.each([
    '^(a+)+$',
    '^(a*)*$',
    '^(a|a)*$',
    '^(?:\\d+-?)+$',
    '^((a+))+$',
    '^(\\d{1,3}){5}$',
    '^(a+){2,}$',
    '^(a)\\1$',
    '^(\\d+){10}$',
    '^(a?b)+$',
    '^\\d*\\d*\\d*$',
    '^\\d+\\d+\\d+x$',
    '^\\d*[a-z]*\\d*[a-z]*\\d*$',
    '^.*a.*b.*$',
    '.*a.*',
    `^${'a?'.repeat(40)}b$`,
    '^(?:ab)*(?:ab)*(?:ab)*c$',
    '^\\d*(?:x|y?)\\d*(?:x)?\\d*$',
    '^\\d{0,500}\\d{0,500}\\d{0,500}$',
  ])('refuses %s', (source) => expect(patternFault(source)).toMatch(/for ever/));

  it('refuses what is no expression or too long', () => {
    expect(patternFault('(')).toMatch(/not a regular expression/);
    expect(patternFault('^a$'.padEnd(201, 'a'))).toMatch(/longer than 200/);
  });

  it.each([
    ['^1$', true],
    ['^(1|2)$', true],
    ['^[|]$', true],
    ['1$', false],
    ['^1', false],
    ['^1|2$', false],
    ['^1\\$', false],
  ])('%s is tied to both ends: %s', (source, anchored) => expect(isAnchored(source)).toBe(anchored));
});

describe('nearest word', () => {
  it.each([
    ['usrname', 'username'],
    ['pasword', 'password'],
    ['ulr', 'url'],
    ['URL', 'url'],
    ['zzzz', undefined],
  ])('%s → %s', (word, meant) => expect(nearest(word, ['url', 'username', 'password', 'app'])).toBe(meant));
});
