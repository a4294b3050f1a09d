import { Gauge, type Registry } from 'prom-client';
import type { DialerStore } from '../ports.ts';
import type { Book } from './book.ts';
import { readLedger } from './flow-ledger.ts';
import type { Counts } from './tally.ts';

const GAUGES: readonly { readonly name: string; readonly help: string; readonly of: (c: Counts) => number }[] = [
  { name: 'placed_calls', help: 'Customers called first', of: (c) => c.placed },
  { name: 'answered_calls', help: 'Customers called first who have answered', of: (c) => c.answered },
  { name: 'abandoned_calls', help: 'Of the answered: no agent within the flow’s limit', of: (c) => c.abandoned },
  { name: 'calls_given_up_early', help: 'Not answered, and given up after less than 15 s', of: (c) => c.givenUpEarly },
  {
    name: 'answer_to_agent_seconds',
    help: 'From the customer’s answer to the agent, on average',
    of: (c) => (c.connected === 0 ? 0 : c.waitMs / c.connected / 1000),
  },
];

/**
 * Makes the ledgers of the flows that call customers first visible to Prometheus, read when asked; `window` is `24h` or
 * `30d`. While Redis is away they are not told.
 */
export function watchLedgers(registry: Registry, book: Book, store: DialerStore, now: () => number): void {
  const flows = book.companies.flatMap((c) => c.flows).filter((f) => f.config.firstLeg === 'customer');
  if (flows.length === 0) return;
  const read = async (): Promise<void> => {
    const ledgers = await Promise.all(
      flows.map(async (flow) => ({
        of: { company: flow.account.companyId, flow: flow.config.id },
        ledger: await readLedger(store, flow, now()),
      })),
    ).catch(() => []);
    for (const { gauge, of } of gauges) {
      gauge.reset();
      for (const { of: labels, ledger } of ledgers) {
        gauge.set({ ...labels, window: '24h' }, of(ledger.day));
        gauge.set({ ...labels, window: '30d' }, of(ledger.month));
      }
    }
  };
  // One reading for all of them: the first gauge of a scrape reads, and the others wait for it.
  let reading: Promise<void> | undefined;
  const collect = (): Promise<void> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const gauges = GAUGES.map(({ name, help, of }) => {
    const labelNames = ['company', 'flow', 'window'];
    const options = { name: `ringmaster_dialer_${name}`, help, labelNames, registers: [registry], collect };
    return { of, gauge: new Gauge(options) };
  });
}
