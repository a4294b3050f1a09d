import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { seedOf, timesOf, usualStories } from '../../support/properties.ts';

const tests = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

describe('the stories of the property tests', () => {
  it('are the same every time unless others are asked for', () => {
    expect(seedOf({})).toBe(seedOf({}));
    expect(usualStories(5)).toEqual({ seed: seedOf({}), numRuns: 5 });
    expect(seedOf({ RINGMASTER_SEED: '5751420' })).toBe(5751420);
    const random = new Set(Array.from({ length: 20 }, () => seedOf({ RINGMASTER_SEED: 'random' })));
    expect(random.size).toBeGreaterThan(1);
    expect([timesOf({}), timesOf({ RINGMASTER_RUNS: '50' })]).toEqual([1, 50]);
  });

  it.each(['0', '-1', '1.5', 'many', ' '])('%o is no seed and no number of runs', (text) => {
    expect(() => seedOf({ RINGMASTER_SEED: text })).toThrow('RINGMASTER_SEED');
    expect(() => timesOf({ RINGMASTER_RUNS: text })).toThrow('RINGMASTER_RUNS');
  });

  it('are asked for by every property', () => {
    const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
    const count = (text: string, what: RegExp): number => [...text.matchAll(what)].length;
    const careless = files.filter((name) => {
      const text = readFileSync(join(tests, name), 'utf8');
      return count(text, /\bfc\.(assert|sample)\(/g) > count(text, /\b(stories|usualStories)\(/g);
    });
    expect(careless).toEqual([]);
  });
});
