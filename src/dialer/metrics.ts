import { Gauge, type Registry } from 'prom-client';
import type { DialerStore } from '../ports.ts';
import type { Book } from './book.ts';

/**
 * Makes the dialler's queues visible to Prometheus, read when asked. While Redis is away what waits there is not told.
 *
 * @param active calls that are being placed or live, at the companies that this instance leads
 */
export function watchDialer(registry: Registry, book: Book, store: DialerStore, active: () => number): void {
  const perFlow = (
    name: string,
    help: string,
    read: (companyId: Flowed['companyId'], flow: string) => Promise<number>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: ['company', 'flow'],
      registers: [registry],
      async collect() {
        this.reset();
        for (const { companyId, flow } of flowsOf(book)) {
          const value = await read(companyId, flow).catch(() => undefined);
          if (value !== undefined) this.set({ company: companyId, flow }, value);
        }
      },
    });
  perFlow('ringmaster_dialer_waiting_calls', 'Calls in a flow’s queue, due or scheduled', (c, f) =>
    store.waiting(c, f),
  );
  perFlow('ringmaster_dialer_dead_letters', 'Webhook messages that were set aside', (c, f) => store.deadLetters(c, f));
  new Gauge({
    name: 'ringmaster_dialer_active_calls',
    help: 'Calls of the dialler that are being placed or live, where this instance leads',
    registers: [registry],
    collect() {
      this.set(active());
    },
  });
}

type Flowed = ReturnType<typeof flowsOf>[number];

const flowsOf = (book: Book) =>
  book.companies.flatMap(({ companyId, flows }) => flows.map((f) => ({ companyId, flow: f.config.id })));
