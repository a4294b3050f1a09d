import type { CompanyConfig, ContactsConfig, FeedConfig } from '../config.ts';
import type { ContactReason } from '../cti/contact-status.ts';
import type { Rate } from '../ports.ts';
import type { Contact } from './contact.ts';
import type { ContactDeps } from './deps.ts';
import type { ContactMessage } from './message.ts';
import { type Way, wayOf } from './route.ts';

/** A company whose contacts are served. */
export type ContactCompany = CompanyConfig & { readonly contacts: ContactsConfig };

/** What may be taken of what the feeds of a company bring. */
export class ContactIntake {
  readonly #deps: Pick<ContactDeps, 'rate' | 'placing'>;
  readonly #company: ContactCompany;
  readonly #feeds: ReadonlyMap<string, FeedConfig>;
  readonly #rates = new Map<string, { readonly taken: Rate; readonly discards: Rate }>();

  constructor(deps: Pick<ContactDeps, 'rate' | 'placing'>, company: ContactCompany) {
    this.#deps = deps;
    this.#company = company;
    this.#feeds = new Map(company.contacts.feeds.map((f) => [f.id, f]));
  }

  /**
   * What becomes of a request.
   *
   * @param live contacts of the company that are neither handled nor discarded
   * @returns the queue that it goes to, or why it is discarded; `too-many`: so many are discarded that no more are kept
   */
  verdict(
    kind: Contact['kind'],
    feedId: string,
    message: ContactMessage | 'invalid-message' | 'invalid-values',
    live: readonly Contact[],
  ): Way | 'too-many' {
    const feed = this.#feeds.get(feedId);
    const way = this.#wayOf(kind, feedId, feed, message, live);
    return 'reason' in way && !this.#rate(feedId).discards.take() ? 'too-many' : way;
  }

  #wayOf(
    kind: Contact['kind'],
    feedId: string,
    feed: FeedConfig | undefined,
    message: ContactMessage | 'invalid-message' | 'invalid-values',
    live: readonly Contact[],
  ): Way {
    const discard = (reason: ContactReason): Way => ({ reason });
    if (feed && !this.#rate(feedId).taken.take()) return discard('NOTIFICATION_RATE_LIMITED');
    if (message === 'invalid-message') return discard('NOTIFICATION_INVALID_NEW_TASK_MESSAGE');
    if (message === 'invalid-values') return discard('NOTIFICATION_INVALID_VALUES');
    const way = wayOf(this.#company, feed, kind, message);
    if ('reason' in way) return way;
    const waiting = live.reduce((n, c) => n + (c.feedId === feedId ? 1 : 0), 0);
    if (waiting >= (feed?.limits.contacts ?? 0)) return discard('NOTIFICATION_RATE_LIMITED');
    return this.#deps.placing.chooseCallID() === undefined ? discard('NOTIFICATION_CCE_CONNECTION_LOST') : way;
  }

  /** Of a feed; unknown feeds have one rate together, so that their number does not count. */
  #rate(feedId: string): { readonly taken: Rate; readonly discards: Rate } {
    const feed = this.#feeds.get(feedId);
    const key = feed ? feedId : '';
    const perSecond = feed?.limits.perSecond ?? 10;
    const known = this.#rates.get(key);
    if (known) return known;
    const made = { taken: this.#deps.rate(perSecond), discards: this.#deps.rate(perSecond) };
    this.#rates.set(key, made);
    return made;
  }
}
