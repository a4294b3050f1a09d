import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Config, ConfigError, formatProblem, loadConfig, type Problem } from '../../../src/config.ts';
import { bad, changed, ENV, EXAMPLE, example, good, MINIMAL, placeOf } from '../../support/config.ts';

describe('the example', () => {
  it('is valid, without a warning', () => {
    const { config, warnings } = good(example);
    expect(warnings).toEqual([]);
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8090 });
    expect(config.nodes[0]?.ari.password).toBe('ari-secret-000');
    expect(config.companies[0]?.keys[1]).toMatchObject({ name: 'wallboard', requestsPerSecond: 200, burst: 400 });
    expect(config.companies[0]?.routes[1]).toEqual({ did: '911140001001', to: { agent: '1001' }, ringTimeout: 20 });
  });

  it('shows every default as it is', () => {
    const { config } = good(MINIMAL);
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 8090 },
      log: { level: 'info' },
      http: { bodyLimit: 262_144 },
      redis: {
        url: 'redis://127.0.0.1:6379/0',
        keyPrefix: 'rm',
        endedCallTtl: 300,
        eventLog: { maxEvents: 1_000_000, maxAgeSeconds: 3_600 },
      },
      ringTimeout: 30,
      drain: { deadlineSeconds: 30 },
    });
    expect(config.nodes[0]).toMatchObject({
      number: 0,
      ari: { app: 'ringmaster' },
      ami: { host: '127.0.0.1', port: 5038 },
      limits: { calls: 500, callsPerSecond: 50 },
    });
    expect(config.companies[0]).toMatchObject({
      numbers: { pattern: /^\+?\d{7,15}$/u },
      queues: [{ id: '8001', ringTimeout: 15, wrapUp: 0, maxWaiting: 500 }],
      recording: { mode: 'onRequest', format: 'wav' },
      routes: [{ to: { queue: '8001' } }],
    });
    expect(config.companies[0]?.extensions.pattern.test('1234')).toBe(true);
    expect(config.companies[0]?.extensions.pattern.test('12345')).toBe(false);
  });

  it('names each variable that is not set, with its line and key', () => {
    const problems = bad(example, {});
    expect(problems.map((p) => p.key)).toEqual([
      'nodes[0].ari.password',
      'nodes[0].ami.secret',
      'companies[0].keys[0].key',
      'companies[0].keys[1].key',
      'companies[0].dialer.accounts[0].securityId',
      'companies[0].dialer.accounts[0].flows[0].webhook.secret',
    ]);
    expect(problems[0]).toMatchObject(placeOf(example, '"${'.concat('ARI_PASSWORD}"')));
    expect(problems[0]?.message).toBe('the environment has no ARI_PASSWORD');
  });
});

describe('the environment', () => {
  it('is put in anywhere in a text, and a doubled dollar is left alone', () => {
    const text = changed('password: p', `password: "a-\${ONE}-$\${TWO}-\${ONE}"`);
    expect(good(text, { ONE: '1' }).config.nodes[0]?.ari.password).toBe(`a-1-\${TWO}-1`);
  });

  it('may give a number where a number is wanted, and text stays text', () => {
    const text = changed('{ username: u, secret: s }', `{ username: u, secret: "\${N}", port: "\${N}" }`);
    expect(good(text, { N: '5099' }).config.nodes[0]?.ami).toMatchObject({ port: 5_099, secret: '5099' });
  });

  it('is not read twice: what comes out of it is plain text', () => {
    const text = changed('password: p', `password: "\${ONE}"`);
    expect(good(text, { ONE: `\${TWO}\n"x: [` }).config.nodes[0]?.ari.password).toBe(`\${TWO}\n"x: [`);
  });

  it('must be named properly', () => {
    const text = changed('password: p', `password: "\${1X} \${"`);
    expect(bad(text).map((p) => p.message)).toEqual(Array(2).fill(`has a \${ that is not followed by NAME}`));
  });
});

it('a problem ends with one mark', () => {
  const problem = { file: 'f.yaml', line: 1, column: 2, key: 'listn', message: 'is not a key that is known here' };
  expect(formatProblem({ ...problem, fix: 'Did you mean listen?' })).toMatch(/known here\. Did you mean listen\?$/);
  expect(formatProblem({ ...problem, fix: 'Remove it' })).toMatch(/ Remove it\.$/);
});

describe('warnings', () => {
  it.each([
    ['an address that others can reach', 'trunks:', 'listen: 0.0.0.0:8090\ntrunks:', 'listen'],
    ['a pattern that matches a part', "'^1\\d{3}$'", "'1\\d{3}'", 'companies[0].extensions.pattern'],
    ['a pattern with a loose alternative', "'^1\\d{3}$'", "'^1\\d{3}|2$'", 'companies[0].extensions.pattern'],
    ['a trunk that dials one number', 'PJSIP/{number}@carrier-a', 'PJSIP/carrier-a', 'trunks[0].endpoint'],
    ['phones that are all one', 'PJSIP/{dn}', 'PJSIP/desk', 'companies[0].extensions.endpoint'],
    ['a queue that looks like a phone', "'^1\\d{3}$'", "'^\\d{4}$'", 'companies[0].queues[0].id'],
  ])('%s', (_, from, to, key) => {
    const text = changed(from, to);
    expect(good(text).warnings.map((warning) => warning.key)).toEqual([key]);
  });

  it.each(['127.0.0.1:0', '[::1]:8090', 'localhost:8090'])('none for %s', (listen) => {
    expect(good(`listen: "${listen}"\n${MINIMAL}`).warnings).toEqual([]);
  });
});

describe('loadConfig', () => {
  it('reads a file', () => {
    expect(loadConfig(EXAMPLE.pathname, ENV).nodes[0]?.id).toBe('pbx-1');
  });

  it('throws one error that shows every problem, a line each', () => {
    const load = (): Config => loadConfig(EXAMPLE.pathname, { ...ENV, AMI_SECRET: '', DIALER_KEY: 'short' });
    expect(load).toThrow(ConfigError);
    try {
      load();
    } catch (error) {
      const { message } = error as ConfigError;
      expect(message.split('\n')).toHaveLength(2);
      expect(message).toMatch(
        /ringmaster\.example\.yaml:\d+:\d+: nodes\[0\]\.ami\.secret: must be at least 1 characters long\. /,
      );
    }
  });

  it('tells what looks doubtful, and reads it all the same', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringmaster-config-'));
    try {
      const file = join(folder, 'ringmaster.yaml');
      writeFileSync(file, `listen: "0.0.0.0:8090"\n${MINIMAL}`);
      const warnings: Problem[] = [];
      expect(loadConfig(file, {}, (warning) => warnings.push(warning)).listen.host).toBe('0.0.0.0');
      expect(warnings.map(formatProblem)).toEqual([
        expect.stringMatching(/ringmaster\.yaml:1:\d+: listen: other machines/),
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says so where there is no file', () => {
    expect(() => loadConfig('/nonexistent/ringmaster.yaml', {})).toThrow(/cannot be read \(ENOENT\)/);
  });
});
