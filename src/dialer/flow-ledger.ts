import type { CompanyId } from '../cti/ids.ts';
import type { DialerStore } from '../ports.ts';
import type { Flow } from './book.ts';
import { type Counts, hourOf, LEAST_RING_MS, NO_COUNTS, sumOf, WINDOWS } from './tally.ts';

/** The ledger of a flow that calls customers first, as regulators ask for it: over 24 hours and over 30 days. */

const HOUR_MS = 3_600_000;

/**
 * The counts of a flow by hour since 1970.
 *
 * @param now Unix ms
 * @param hours before the present one, which is not over yet
 */
export async function readHours(
  store: DialerStore,
  companyId: CompanyId,
  flowId: string,
  now: number,
  hours: number,
): Promise<ReadonlyMap<number, Counts>> {
  const last = hourOf(now);
  const stored = await store.tallies(companyId, flowId, last - hours, last);
  return new Map([...stored].map(([hour, counts]) => [hour, { ...NO_COUNTS, ...counts }]));
}

/** Both windows of a flow. */
export interface FlowLedger {
  readonly day: Counts;
  readonly month: Counts;
}

/** @param now Unix ms */
export async function readLedger(store: DialerStore, { account, config }: Flow, now: number): Promise<FlowLedger> {
  const hours = await readHours(store, account.companyId, config.id, now, WINDOWS.month);
  const first = hourOf(now) - WINDOWS.day;
  return {
    day: sumOf([...hours].flatMap(([hour, counts]) => (hour >= first ? [counts] : []))),
    month: sumOf(hours.values()),
  };
}

/** Share of the answered that were abandoned; 0 where nobody has answered. */
export const abandonedShare = ({ answered, abandoned }: Counts): number => (answered === 0 ? 0 : abandoned / answered);

/** A ledger as it is answered. Times in ms; `null` where there is nothing to take the average of. */
export function ledgerBody({ config }: Flow, ledger: FlowLedger, now: number) {
  const { connectWithin, maxAbandoned, mode } = config.pacing;
  return {
    'flow-id': config.id,
    mode,
    'max-abandoned': maxAbandoned,
    'connect-within': connectWithin * 1000,
    'least-ring': LEAST_RING_MS,
    'ring-timeout': config.ringTimeout * 1000,
    'last-24-hours': windowBody(ledger.day, WINDOWS.day, now),
    'last-30-days': windowBody(ledger.month, WINDOWS.month, now),
  };
}

function windowBody(counts: Counts, hours: number, now: number) {
  const average = (sum: number, of: number): number | null => (of === 0 ? null : Math.round(sum / of));
  return {
    from: new Date((hourOf(now) - hours) * HOUR_MS).toISOString(),
    placed: counts.placed,
    answered: counts.answered,
    connected: counts.connected,
    abandoned: counts.abandoned,
    'abandoned-share': Number(abandonedShare(counts).toFixed(5)),
    'given-up-early': counts.givenUpEarly,
    'average-ring': average(counts.ringMs, counts.answered),
    'average-answer-to-agent': average(counts.waitMs, counts.connected),
    'average-talk': average(counts.talkMs, counts.connected),
  };
}
