import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { checkConfig } from '../../../src/config.ts';
import { bad, changed, ENV, example, MINIMAL, placeOf } from '../../support/config.ts';
import { stories } from '../../support/properties.ts';

describe('problems', () => {
  it.each<[what: string, from: string, to: string, key: string, at: string, message: RegExp, fix: RegExp]>([
    [
      'unknown key',
      'ami: { username',
      'ami: { usrname: x, username',
      'nodes[0].ami.usrname',
      'usrname',
      /not a key/,
      /Did you mean username\?/,
    ],
    [
      'unknown key at the top',
      'trunks:',
      'listn: 127.0.0.1:1\ntrunks:',
      'listn',
      'listn',
      /not a key/,
      /Did you mean listen\?/,
    ],
    [
      'unknown key unlike any',
      'ami: { username',
      'ami: { zzzzzz: x, username',
      'nodes[0].ami.zzzzzz',
      'zzzzzz',
      /not a key/,
      /Known here: host, port/,
    ],
    [
      'missing key',
      'username: u, password: p',
      'password: p',
      'nodes[0].ari.username',
      '{ url',
      /is missing; it must be text/,
      /Add username:/,
    ],
    [
      'missing choice',
      ', scopes: [call]',
      '',
      'companies[0].keys[0].scopes',
      '{ name: all',
      /is missing; it must be a list/,
      /Add scopes:/,
    ],
    [
      'number for text',
      'did: "911140001000"',
      'did: 911140001000',
      'companies[0].routes[0].did',
      '911140001000',
      /must be text/,
      /quotes/,
    ],
    [
      'text for number',
      'secret: s }',
      'secret: s, port: http }',
      'nodes[0].ami.port',
      'http }',
      /must be a whole number/,
      /Write a whole number/,
    ],
    [
      'too large a number',
      'secret: s }',
      'secret: s, port: 70000 }',
      'nodes[0].ami.port',
      '70000',
      /at most 65535/,
      /smaller/,
    ],
    [
      'node number out of range',
      'id: pbx-1',
      'id: pbx-1\n    number: 1000',
      'nodes[0].number',
      '1000',
      /at most 999/,
      /smaller/,
    ],
    [
      'unknown scope',
      '[call]',
      '[call, raed]',
      'companies[0].keys[0].scopes[1]',
      'raed',
      /must be one of call/,
      /Did you mean read\?/,
    ],
    [
      'short API key',
      '0123456789abcdef',
      '0123456789abcde',
      'companies[0].keys[0].key',
      '"0123456789abcde"',
      /at least 16 characters/,
      /larger/,
    ],
    [
      'bad pattern',
      "'^1\\d{3}$'",
      "'^1(\\d{3}$'",
      'companies[0].extensions.pattern',
      "'^1(",
      /not a regular expression/,
      /plain expression/,
    ],
    [
      'pattern that can run for ever',
      "'^1\\d{3}$'",
      "'^(1\\d+)+$'",
      'companies[0].extensions.pattern',
      "'^(1",
      /for ever/,
      /plain expression/,
    ],
    [
      'bad dial string',
      '"PJSIP/{dn}"',
      '"1001"',
      'companies[0].extensions.endpoint',
      '"1001"',
      /not an Asterisk dial string/,
      /PJSIP\/\{dn\}/,
    ],
    [
      'two destinations in a dial string',
      '"PJSIP/{dn}"',
      '"PJSIP/{dn}&PJSIP/1"',
      'companies[0].extensions.endpoint',
      '"PJSIP/{dn}&',
      /not an Asterisk dial string/,
      /one destination/,
    ],
    [
      'unknown placeholder',
      '{number}@',
      '{numer}@',
      'trunks[0].endpoint',
      '"PJSIP/{numer}',
      /unknown placeholder/,
      /Only \{number\}/,
    ],
    [
      'password in the ARI URL',
      'http://127',
      'http://u:hush@127',
      'nodes[0].ari.url',
      'http://u',
      /not a URL of the kind/,
      /8088\/ari/,
    ],
    [
      'no destination',
      'to: { queue: "8001" }',
      'to: {}',
      'companies[0].routes[0].to',
      '{} }',
      /one destination/,
      /agent or queue/,
    ],
    [
      'two destinations',
      'to: { queue',
      'to: { agent: "1001", queue',
      'companies[0].routes[0].to',
      '{ agent',
      /one destination/,
      /agent or queue/,
    ],
    [
      'unknown trunk',
      'trunk: carrier-a',
      'trunk: carrier-b',
      'companies[0].trunk',
      'carrier-b',
      /no trunk "carrier-b"/,
      /carrier-a/,
    ],
    [
      'unknown queue',
      'to: { queue: "8001" }',
      'to: { queue: "8002" }',
      'companies[0].routes[0].to.queue',
      '"8002"',
      /no queue "8002"/,
      /8001/,
    ],
    [
      'queue twice',
      '[{ id: "8001" }]',
      '[{ id: "8001" }, { id: "8001" } ]',
      'companies[0].queues[1].id',
      '"8001" } ]',
      /the queue "8001" is already at companies\[0\]\.queues\[0\]\.id/,
      /Give each its own/,
    ],
    [
      'DID twice, once with a plus',
      'routes: [',
      'routes: [{ did: "+911140001000", to: { agent: "1" } }, ',
      'companies[0].routes[1].did',
      '"911140001000"',
      /already at companies\[0\]\.routes\[0\]\.did/,
      /Give each/,
    ],
  ])('%s', (_, from, to, key, at, message, fix) => {
    const text = changed(from, to);
    const [problem, ...others] = bad(text);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ key, ...placeOf(text, at) });
    expect(problem?.message).toMatch(message);
    expect(problem?.fix).toMatch(fix);
  });

  const second = (company: string): string => `${MINIMAL}${company}`;

  it('finds an API key that two companies share, and does not show it', () => {
    const text = second(`  - companyId: other
    keys: [{ name: mine, key: "0123456789abcdef", scopes: [read] }]
    extensions: { pattern: '^2$', endpoint: "PJSIP/{dn}" }
`);
    const [problem] = bad(text);
    expect(problem).toMatchObject({ key: 'companies[1].keys[0].key', line: 16 });
    expect(problem?.message).toBe('the API key is already at companies[0].keys[0].key');
  });

  it('finds an operator’s key that is a company’s, and an operator’s name that stands twice', () => {
    const text = `${MINIMAL}operators:
  - { name: night, key: "0123456789abcdef" }
  - { name: night, key: "another-key-of-night" }
`;
    expect(bad(text).map((p) => p.key)).toEqual(['companies[0].keys[0].key', 'operators[1].name']);
    expect(bad(text).map((p) => p.message)).toEqual([
      'the API key is already at operators[0].key',
      'the operator "night" is already at operators[0].name',
    ]);
  });

  it('finds a company and a number that stand twice', () => {
    const text = second(`  - companyId: acme
    keys: [{ name: mine, key: "another-key-of-acme", scopes: [read] }]
    extensions: { pattern: '^2$', endpoint: "PJSIP/{dn}" }
    routes: [{ did: "911140001000", to: { agent: "2" } }]
`);
    expect(bad(text).map((p) => p.key)).toEqual(['companies[1].companyId', 'companies[1].routes[0].did']);
  });

  it('finds a node number that another has by its position', () => {
    const text = changed(
      'trunks:',
      `  - id: pbx-2
    number: 0
    ari: { url: http://127.0.0.2:8088/ari, username: u, password: p }
    ami: { username: u, secret: s }
trunks:`,
    );
    expect(bad(text).map((p) => [p.key, p.message])).toEqual([
      ['nodes[1].number', 'the node number "0" is already at nodes[0].number'],
    ]);
  });

  it('tells them all at once, in the order of the file', () => {
    const text = MINIMAL.replace('username: u, password', 'usr: u, password')
      .replace('[call]', '[]')
      .replace('"8001" }]', '8001 }]');
    const problems = bad(text);
    expect(problems.map((p) => p.key)).toEqual([
      'nodes[0].ari.username',
      'nodes[0].ari.usr',
      'companies[0].keys[0].scopes',
      'companies[0].queues[0].id',
    ]);
  });

  it.each([
    ['an unclosed quote', 'password: p', 'password: "p', 1],
    ['a duplicate key', 'secret: s', 'secret: s, secret: hushhush', 1],
    ['a tab', '    ami', '\tami', 1],
  ])('tells %s as YAML’s own problem', (_, from, to) => {
    const problems = bad(changed(from, to));
    expect(problems[0]?.key).toBe('');
    expect(JSON.stringify(problems)).not.toContain('hushhush');
  });

  it.each([
    ['nothing', ''],
    ['a list', '- a'],
    ['a word', 'hello'],
    ['an alias without its anchor', 'nodes: *x'],
  ])('tells %s', (_, text) => {
    expect(bad(text).length).toBeGreaterThan(0);
  });

  it('never shows a secret, wherever it has gone wrong', () => {
    const canary = 'hush-hush-hush-hush';
    const paths = [
      ['nodes', 0, 'ari', 'password'],
      ['nodes', 0, 'ami', 'secret'],
      ['companies', 0, 'keys', 0, 'key'],
      ['redis', 'url'],
      ['nodes', 0, 'ari', 'url'],
      ['listen'],
      ['ringTimeout'],
      ['companies', 0, 'keys', 0, 'scopes', 0],
      ['drain'],
    ] as const;
    const shapes = [
      canary,
      [canary],
      { [`x`]: canary },
      `${canary}\u0000`,
      `redis://u:${canary}@`,
      `http://u:${canary}@h/ari`,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.constantFrom(...shapes), (path, value) => {
        const document = parseDocument(example);
        document.setIn(path, document.createNode(value));
        const result = checkConfig(document.toString(), 'f.yaml', ENV);
        expect(JSON.stringify(result.problems ?? result.warnings)).not.toContain(canary);
      }),
      stories(),
    );
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(MINIMAL.length), (noise, at) => {
        const result = checkConfig(MINIMAL.slice(0, at) + noise + MINIMAL.slice(at), 'f.yaml', {});
        expect(result.config === undefined).toBe(result.problems !== undefined);
        for (const problem of result.problems ?? []) expect(problem.line).toBeGreaterThan(0);
      }),
      stories(),
    );
  });
});
