import type { TestProject } from 'vitest/node';
import { startRedis } from './redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a Redis that all test files of the project share: use a key prefix of your own. */
    redisUrl: string;
  }
}

/** One private Redis for the contract tests; `inject('redisUrl')` gives its address. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startRedis();
  project.provide('redisUrl', redis.url);
  return () => redis.stop();
}
