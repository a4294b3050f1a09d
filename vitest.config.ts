import { defineConfig } from 'vitest/config';
import { STORIES_MS } from './test/support/properties.ts';

/**
 * Four kinds of test, by what they need:
 * unit: nothing; contract: Redis; switch: the whole lab; chaos: a lab of its own, to break. One kind runs after
 * the other (groupOrder), so that calls on the lab have the machine to themselves.
 */
/** What is asked for until it is so, ms: a busy machine takes its time, and an idle one is not held up. */
const PATIENT = { poll: { timeout: 15_000, interval: 30 } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: STORIES_MS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'contract',
          expect: PATIENT,
          sequence: { groupOrder: 1 },
          include: ['test/contract/**/*.test.ts'],
          globalSetup: ['test/support/redis-setup.ts'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'switch',
          expect: PATIENT,
          sequence: { groupOrder: 2 },
          include: ['test/switch/**/*.test.ts'],
          globalSetup: ['test/support/lab-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'chaos',
          expect: PATIENT,
          sequence: { groupOrder: 3 },
          include: ['test/chaos/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
