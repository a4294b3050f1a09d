import type { CompanyConfig, FeedConfig } from '../config.ts';
import type { ContactReason } from '../cti/contact-status.ts';
import type { ContactMessage } from './message.ts';

/** The queue that a contact goes to, or why it is discarded. */
export type Way = { readonly queue: string } | { readonly reason: ContactReason };

/**
 * Where a request goes, by its feed. Looked at in this order: the feed is of the right kind and open, its queue is named,
 * and there; a callback's number can be called.
 *
 * @param feed undefined: the company has no such feed
 */
export function wayOf(
  company: CompanyConfig,
  feed: FeedConfig | undefined,
  kind: 'callback' | 'task',
  message: ContactMessage,
): Way {
  if (!feed || feed.kind !== kind) return { reason: 'NOTIFICATION_INVALID_SCRIPT_SELECTOR' };
  if (!feed.open) return { reason: 'NOTIFICATION_MEDIA_ROUTING_DISABLED' };
  const { scriptSelector } = message;
  const script = feed.scripts.find((s) => s.selector === scriptSelector);
  if (scriptSelector !== undefined && feed.scripts.length > 0 && !script) {
    return { reason: 'NOTIFICATION_INVALID_SCRIPT_SELECTOR' };
  }
  const queue = script?.queue ?? feed.queue;
  if (queue === undefined) return { reason: 'NOTIFICATION_NO_SCRIPT' };
  if (!company.queues.some((q) => q.id === queue)) {
    // The Media Routing Domain is told of for callbacks only (seed 001).
    return { reason: kind === 'callback' ? 'NOTIFICATION_INVALID_MRD_ID' : 'NOTIFICATION_INVALID_SCRIPT_SELECTOR' };
  }
  if (kind === 'task') return { queue };
  const number = callable(message.mediaAddress ?? '');
  if (company.extensions.pattern.test(number) || !company.numbers.pattern.test(number)) {
    return { reason: 'NOTIFICATION_INVALID_VALUES' };
  }
  return company.trunk === undefined ? { reason: 'NOTIFICATION_ROUTER_RELEASED' } : { queue };
}

/** A number without what people write between its digits. */
export const callable = (mediaAddress: string): string => mediaAddress.replace(/[\s().-]/g, '');
