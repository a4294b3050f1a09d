import { request } from 'undici';
import type { DialerFlowConfig } from '../config.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { DialerMessage, DialerStore } from '../ports.ts';
import { signature, type WebhookMessage } from './webhook.ts';

export type WebhookConfig = NonNullable<DialerFlowConfig['webhook']>;

export interface DelivererDeps {
  readonly companyId: CompanyId;
  readonly store: DialerStore;
  readonly webhookOf: (flowId: string) => WebhookConfig | undefined;
  /** Unix ms. */
  readonly now: () => number;
  readonly warn: (what: string, details: Readonly<Record<string, unknown>>) => void;
}

const AT_ONCE = 20;
const LONGEST_RETRY_MS = 3_600_000;
/** Without news the store is asked again so often, ms. */
const LOOK_MS = 2_000;

/**
 * Delivers the messages of a company's flows: those of one call in order, one at a time; those of different calls beside
 * each other. A message is kept until its receiver has answered with 2xx, or until its attempts are used up.
 */
export class Deliverer {
  readonly #deps: DelivererDeps;
  readonly #token: number;
  readonly #busy = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;

  /** @param token of the lead: a leader that only slept settles nothing */
  constructor(deps: DelivererDeps, token: number) {
    this.#deps = deps;
    this.#token = token;
  }

  /** Looks for messages that are due, now. */
  wake(): void {
    if (this.#abort.signal.aborted) return;
    this.#again = true;
    if (!this.#looking) this.#track(this.#look());
  }

  async close(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#running);
  }

  #track(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #look(): Promise<void> {
    const { store, companyId, now, warn } = this.#deps;
    this.#looking = true;
    let next: number | undefined;
    try {
      while (this.#again && !this.#abort.signal.aborted) {
        this.#again = false;
        // What was on its way when they were asked for may have arrived before the answer: it looks once more by itself.
        const underWay = new Set(this.#busy);
        const due = await store.dueMessages(companyId, now(), AT_ONCE + underWay.size);
        for (const message of due) {
          if (underWay.has(message.uuid) || this.#busy.size >= AT_ONCE) continue;
          this.#busy.add(message.uuid);
          this.#track(this.#deliver(message));
        }
        if (this.#busy.size === 0) next = await store.nextMessageAt(companyId);
      }
    } catch (err) {
      warn('webhooks cannot be looked for', { err });
    }
    this.#looking = false;
    clearTimeout(this.#timer);
    if (this.#abort.signal.aborted) return;
    const wait = Math.min(LOOK_MS, Math.max(1, (next ?? Number.POSITIVE_INFINITY) - now()));
    this.#timer = setTimeout(() => this.wake(), wait);
    this.#timer.unref();
  }

  async #deliver(stored: DialerMessage): Promise<void> {
    const { store, companyId, webhookOf, now, warn } = this.#deps;
    const { uuid, failures } = stored;
    // Only the dialler writes messages, and it writes WebhookMessages.
    const message = JSON.parse(stored.json) as WebhookMessage;
    const webhook = webhookOf(message.flowId);
    try {
      const fault = webhook ? await this.#post(webhook, message) : 'the flow has no webhook any more';
      if (fault === undefined) {
        await store.delivered(companyId, this.#token, stored);
      } else if (this.#abort.signal.aborted) {
        // Closing is nobody's failure: the next leader tries again.
      } else if (!webhook || failures + 1 >= webhook.attempts) {
        warn('a webhook message is set aside', { flow: message.flowId, uuid, message: message.id, fault });
        await store.deadLetter(companyId, this.#token, stored, message.flowId);
      } else {
        // A tenth of jitter, so that what failed together does not come back together.
        const wait = Math.min(LONGEST_RETRY_MS, webhook.firstRetry * 1000 * 2 ** Math.min(failures, 20));
        const at = Math.round(now() + wait * (0.9 + Math.random() * 0.2));
        await store.notDelivered(companyId, this.#token, stored, at);
      }
    } catch (err) {
      warn('what became of a webhook message could not be stored', { err, uuid });
    } finally {
      this.#busy.delete(uuid);
      this.wake();
    }
  }

  /** @returns why it was not taken, if so; never anything of the body */
  async #post(webhook: WebhookConfig, message: WebhookMessage): Promise<string | undefined> {
    const timestamp = Math.floor(this.#deps.now() / 1000);
    try {
      const answer = await request(webhook.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'ringmaster',
          'webhook-id': message.id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': signature(webhook.secret, message.id, timestamp, message.body),
        },
        body: message.body,
        headersTimeout: webhook.timeout * 1000,
        bodyTimeout: webhook.timeout * 1000,
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(webhook.timeout * 1000)]),
      });
      await answer.body.dump({ limit: 65_536 });
      return answer.statusCode >= 200 && answer.statusCode < 300 ? undefined : `HTTP ${answer.statusCode}`;
    } catch (error) {
      return error instanceof Error ? error.name : 'failed';
    }
  }
}
