import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Config, checkConfig, formatProblem, type Problem } from '../../src/config.ts';

/** The example in the repository, and an environment that completes it. */
export const EXAMPLE = new URL('../../ringmaster.example.yaml', import.meta.url);
export const example = readFileSync(EXAMPLE, 'utf8');
export const ENV = {
  ARI_PASSWORD: 'ari-secret-000',
  AMI_SECRET: 'ami-secret-000',
  DIALER_KEY: 'dialer-key-0000000000',
  WALLBOARD_KEY: 'wallboard-key-0000000',
  SALES_SECURITY_ID: 's'.repeat(64),
  SALES_WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}`,
};

/** The least that is a configuration. */
export const MINIMAL = `nodes:
  - id: pbx-1
    ari: { url: http://127.0.0.1:8088/ari, username: u, password: p }
    ami: { username: u, secret: s }
trunks:
  - id: carrier-a
    endpoint: "PJSIP/{number}@carrier-a"
companies:
  - companyId: acme
    keys: [{ name: all, key: "0123456789abcdef", scopes: [call] }]
    extensions: { pattern: '^1\\d{3}$', endpoint: "PJSIP/{dn}" }
    trunk: carrier-a
    queues: [{ id: "8001" }]
    routes: [{ did: "911140001000", to: { queue: "8001" } }]
`;

/** The configuration in a text that must have no problem. */
export function good(
  text: string,
  env: Readonly<Record<string, string>> = ENV,
): { config: Config; warnings: readonly Problem[] } {
  const result = checkConfig(text, 'ringmaster.yaml', env);
  if (result.problems !== undefined) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result;
}

/** The problems of a text that must have some. */
export function bad(text: string, env: Readonly<Record<string, string>> = ENV): readonly Problem[] {
  const { problems } = checkConfig(text, 'ringmaster.yaml', env);
  if (problems === undefined) throw new Error('no problem was found');
  for (const problem of problems) {
    expect(problem.file).toBe('ringmaster.yaml');
    expect(problem.message).not.toBe('');
    expect(problem.fix).not.toBe('');
  }
  return problems;
}

/** The minimal configuration with one text in it changed; fails if that text is not there. */
export function changed(from: string, to: string): string {
  expect(MINIMAL).toContain(from);
  return MINIMAL.replace(from, () => to);
}

/** 1-based line and column of a text in another. */
export function placeOf(text: string, part: string): { line: number; column: number } {
  const before = text.slice(0, text.indexOf(part)).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
