import { describe, expect, it } from 'vitest';
import { trunksOf } from '../../../src/config.ts';
import { bad, changed, good } from '../../support/config.ts';

const SECURITY_ID = 'a'.repeat(64);
const flow = (id = 'flow0001', more = '') => `{ id: ${id}, agents: ["1001"]${more} }`;
const account = (flows = flow(), id = 'main', more = '') =>
  `{ id: ${id}, securityId: ${SECURITY_ID}, ips: [127.0.0.1]${more}, flows: [${flows}] }`;
const text = (...accounts: string[]) =>
  changed('    trunk: carrier-a\n', `    trunk: carrier-a\n    dialer: { accounts: [${accounts.join(', ')}] }\n`);

describe('the dialler’s part of the configuration', () => {
  it('has a default for all but who may ask and who is called', () => {
    const { config, warnings } = good(text(account()));
    expect(warnings).toEqual([]);
    expect(config.companies[0]?.dialer).toMatchObject({
      keepSeconds: 604_800,
      accounts: [
        {
          country: 'IN',
          internationalCalls: false,
          blackList: [],
          flows: [
            {
              state: 'production',
              firstLeg: 'agent',
              ringTimeout: 30,
              shortCall: 3,
              agentAttempts: { attempts: 1, intervals: [300] },
              limits: { calls: 100, callsPerSecond: 10, waiting: 100_000 },
            },
          ],
        },
      ],
    });
  });

  it.each([
    ['a flow id of 7 letters', text(account(flow('flow001'))), 'accounts[0].flows[0].id'],
    ['a flow twice', text(account(`${flow()}, ${flow()}`)), 'accounts[0].flows[1].id'],
    ['a security id twice', text(account(), account(flow('flow0002'), 'other')), 'accounts[1].securityId'],
    [
      'no agents',
      text(account(flow('flow0001', ', agents: []').replace('agents: ["1001"], ', ''))),
      'accounts[0].flows[0].agents',
    ],
    ['an agent who is none', text(account(flow().replace('1001', '911140001'))), 'accounts[0].flows[0].agents[0]'],
    ['no address', text(account().replace('127.0.0.1', '127.0.0.1/40')), 'accounts[0].ips[0]'],
    ['a country in small letters', text(account(flow(), 'main', ', country: in')), 'accounts[0].country'],
    [
      'a short secret',
      text(account(flow('flow0001', ', webhook: { url: "https://x.example/", secret: whsec_x }'))),
      'accounts[0].flows[0].webhook.secret',
    ],
    [
      'an expression without end',
      text(account(flow('flow0001', ', validations: [{ key: x, type: regex, pattern: "(a+)+$" }]'))),
      'accounts[0].flows[0].validations[0].pattern',
    ],
  ])('%s is refused', (_what, source, key) => {
    expect(bad(source).map((p) => p.key)).toEqual([`companies[0].dialer.${key}`]);
  });

  it('has trunks that are there, for its flows and for those of the admin API', () => {
    expect(bad(text(account(flow('flow0001', ', trunk: carrier-z')))).map((p) => p.key)).toEqual([
      'companies[0].dialer.accounts[0].flows[0].trunk',
    ]);
    expect(bad(text(account()).replace('accounts:', 'trunks: [carrier-z], accounts:')).map((p) => p.key)).toEqual([
      'companies[0].dialer.trunks[0]',
    ]);
    const others = text(account(flow('flow0001', ', trunk: carrier-b')))
      .replace(
        'trunks:\n',
        'trunks:\n  - { id: carrier-b, endpoint: "PJSIP/{number}@b" }\n  - { id: carrier-c, endpoint: "PJSIP/{number}@c" }\n',
      )
      .replace('accounts:', 'trunks: [carrier-c], accounts:');
    const [company] = good(others).config.companies;
    expect(company && trunksOf(company)).toEqual(['carrier-a', 'carrier-c', 'carrier-b']);
  });

  it('warns of a validation that no call can pass', () => {
    const validations = ', validations: [{ key: x, type: moon }, { key: x, type: list }, { key: x, type: email }]';
    expect(good(text(account(flow('flow0001', validations)))).warnings.map((w) => w.key)).toEqual([
      'companies[0].dialer.accounts[0].flows[0].validations[0]',
      'companies[0].dialer.accounts[0].flows[0].validations[1]',
    ]);
  });

  it('never tells a security id', () => {
    const problems = bad(text(account(), account(flow('flow0002'), 'other')));
    expect(JSON.stringify(problems)).not.toContain(SECURITY_ID);
  });
});
