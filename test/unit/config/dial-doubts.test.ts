import { expect, it } from 'vitest';
import { bad, changed, good, MINIMAL } from '../../support/config.ts';

const doubts = (text: string): (readonly [string, string])[] =>
  good(text).warnings.map((w) => [w.key, w.message] as const);

it('a dial string in which nothing is replaced draws a warning', () => {
  expect(doubts(changed('PJSIP/{number}@carrier-a', 'PJSIP/100@carrier-a'))).toEqual([
    ['trunks[0].endpoint', expect.stringContaining('rings the same')],
  ]);
  expect(doubts(changed('PJSIP/{dn}', 'PJSIP/1001'))).toEqual([
    ['companies[0].extensions.endpoint', expect.stringContaining('rings the same')],
  ]);
});

it('phones that two companies have draw a warning', () => {
  const other = (endpoint: string) => `${MINIMAL}  - companyId: other
    keys: [{ name: mine, key: "another-key-of-other", scopes: [read] }]
    extensions: { pattern: '^1\\d{3}$', endpoint: "${endpoint}" }
`;
  expect(doubts(other('PJSIP/{dn}'))).toEqual([
    ['companies[1].extensions.endpoint', expect.stringContaining('companies[0]')],
  ]);
  expect(doubts(other('PJSIP/other-{dn}'))).toEqual([]);
});

it.each([
  ['a route', 'to: { queue: "8001" }', 'to: { agent: "101" }', 'companies[0].routes[0].to.agent'],
  [
    'an overflow',
    'queues: [{ id: "8001" }]',
    'queues: [{ id: "8001", overflow: { afterSeconds: 5, to: { number: "101" } } }]',
    'companies[0].queues[0].overflow.to.number',
  ],
])('%s that leads to nobody draws a warning', (_what, from, to, key) => {
  expect(doubts(changed(from, to))).toEqual([[key, expect.stringContaining('nobody will answer')]]);
  for (const dn of ['1001', '8001', '911140001000'])
    expect(doubts(changed(from, to.replace('"101"', `"${dn}"`)))).toEqual([]);
});

it('one Stasis app of one Asterisk cannot be two nodes', () => {
  const second = (url: string, app: string) =>
    changed(
      'trunks:',
      `  - id: pbx-2
    ari: { url: ${url}, username: u, password: p, app: ${app} }
    ami: { username: u, secret: s }
trunks:`,
    );
  expect(bad(second('http://127.0.0.1:8088/ari/', 'ringmaster')).map((p) => [p.key, p.message])).toEqual([
    ['nodes[1].ari', 'the Stasis app of this Asterisk is already at nodes[0].ari'],
  ]);
  expect(doubts(second('http://127.0.0.1:8088/ari', 'another'))).toEqual([]);
  expect(doubts(second('http://127.0.0.2:8088/ari', 'ringmaster'))).toEqual([]);
});
