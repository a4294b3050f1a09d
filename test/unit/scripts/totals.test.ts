import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { totalsOf } from '../../../scripts/totals.ts';

/** How npm test counts. */
describe('totalsOf', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringmaster-totals-'));
    file = join(folder, 'report.json');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const report = (files: Readonly<Record<string, { status: string; tests: readonly string[] }>>): void => {
    const all = Object.values(files).flatMap((one) => one.tests);
    writeFileSync(
      file,
      JSON.stringify({
        numPassedTests: all.filter((status) => status === 'passed').length,
        numFailedTests: all.filter((status) => status === 'failed').length,
        testResults: Object.entries(files).map(([name, { status, tests }]) => ({
          name,
          status,
          assertionResults: tests.map((one) => ({ status: one, title: 'a test' })),
        })),
      }),
    );
  };

  it('counts tests', () => {
    report({
      a: { status: 'passed', tests: ['passed', 'passed'] },
      b: { status: 'failed', tests: ['passed', 'failed'] },
    });
    expect(totalsOf(file, 1)).toEqual({ passed: 3, failed: 1, problems: [] });
  });

  it('counts a file that cannot be loaded as one failure', () => {
    report({ a: { status: 'passed', tests: ['passed'] }, b: { status: 'failed', tests: [] } });
    expect(totalsOf(file, 1)).toEqual({ passed: 1, failed: 1, problems: ['failed outside its tests: b'] });
  });

  it('counts a file whose tests pass and which fails nevertheless', () => {
    report({ a: { status: 'failed', tests: ['passed', 'passed'] } });
    expect(totalsOf(file, 1)).toEqual({ passed: 2, failed: 1, problems: ['failed outside its tests: a'] });
  });

  it('does not believe a report that is all good if the runner failed', () => {
    report({ a: { status: 'passed', tests: ['passed'] } });
    expect(totalsOf(file, 1)).toMatchObject({ passed: 1, failed: 1 });
    expect(totalsOf(file, 0)).toEqual({ passed: 1, failed: 0, problems: [] });
  });

  it.each(['', '{"numPassedTests":3}'])('takes a report that is none for a failure: %j', (text) => {
    writeFileSync(file, text);
    expect(totalsOf(file, 0)).toMatchObject({ passed: 0, failed: 1 });
  });

  it('takes no report for a failure', () => {
    expect(totalsOf(join(folder, 'absent'), 0)).toMatchObject({ passed: 0, failed: 1 });
  });
});
