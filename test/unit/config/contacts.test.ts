import { describe, expect, it } from 'vitest';
import { bad, changed, good } from '../../support/config.ts';

const text = (feeds: string, more = 'ips: [127.0.0.1], ') =>
  changed('    trunk: carrier-a\n', `    trunk: carrier-a\n    contacts: { ${more}feeds: [${feeds}] }\n`);

describe('the contacts’ part of the configuration', () => {
  it('has a default for all but who may ask and what the feeds are', () => {
    const { config, warnings } = good(text('{ id: f1, kind: callback, queue: "8001" }'));
    expect(warnings).toEqual([]);
    expect(config.companies[0]?.contacts).toEqual({
      ips: ['127.0.0.1'],
      keepSeconds: 86_400,
      keepAtMost: 10_000,
      bodyLimit: 65_536,
      feeds: [
        {
          id: 'f1',
          kind: 'callback',
          queue: '8001',
          scripts: [],
          open: true,
          ringTimeout: 30,
          attempts: 1,
          retryAfter: 300,
          acceptTimeout: 30,
          handlingTime: 180,
          limits: { contacts: 1_000, perSecond: 10 },
        },
      ],
    });
  });

  it.each([
    ['no feed', text(''), 'contacts.feeds'],
    ['nobody who may ask', text('{ id: f1, kind: task }', 'ips: [], '), 'contacts.ips'],
    ['another kind', text('{ id: f1, kind: email }'), 'contacts.feeds[0].kind'],
    ['a feed twice', text('{ id: f1, kind: task }, { id: f1, kind: callback }'), 'contacts.feeds[1].id'],
  ])('refuses %s', (_what, given, key) => {
    expect(bad(given).map((p) => p.key)).toContain(`companies[0].${key}`);
  });

  it('warns of queues that are not there', () => {
    const { warnings } = good(
      text(
        '{ id: f1, kind: task, queue: nowhere, scripts: [{ selector: a, queue: "8001" }, { selector: b, queue: x }] }',
      ),
    );
    expect(warnings.map((w) => w.key)).toEqual([
      'companies[0].contacts.feeds[0].queue',
      'companies[0].contacts.feeds[0].scripts[1].queue',
    ]);
  });
});
