import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What became of a test run. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  /** What failed that is no test, in words. */
  readonly problems: readonly string[];
}

/** The part of vitest's JSON report that counts. */
const reportSchema = z.object({
  numPassedTests: z.int().min(0),
  numFailedTests: z.int().min(0),
  testResults: z.array(
    z.object({ name: z.string(), status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
});

/**
 * Counts a run. A file that failed without a failed test in it, as when it cannot be loaded, counts as one failure; so
 * does a run that failed for no reason that its report knows, or that left no report.
 * @param file vitest's JSON report
 * @param exitCode of vitest
 */
export function totalsOf(file: string, exitCode: number): Totals {
  let report: z.infer<typeof reportSchema>;
  try {
    report = reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return { passed: 0, failed: 1, problems: ['vitest left no report: it ended before the tests did'] };
  }
  const broken = report.testResults.filter(
    (one) => one.status === 'failed' && !one.assertionResults.some((test) => test.status === 'failed'),
  );
  const problems = broken.map((one) => `failed outside its tests: ${one.name}`);
  if (exitCode !== 0 && report.numFailedTests === 0 && problems.length === 0) {
    problems.push(`vitest ended with ${exitCode} though no test failed: its output above tells why`);
  }
  return { passed: report.numPassedTests, failed: report.numFailedTests + problems.length, problems };
}
