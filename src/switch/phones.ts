import { type AmiClient, type AmiMessage, listContacts } from '../ami/index.ts';

/** What the watch tells: endpoints by their PJSIP names. */
export interface PhoneListener {
  /** After each (re)connection: all endpoints that can be reached. The set is kept up to date. */
  onPhones(reachable: ReadonlySet<string>): void;
  /** The last contact of an endpoint is gone, or does not answer Asterisk's qualify any more. */
  onPhoneLost(endpoint: string): void;
  onError(error: unknown): void;
}

/** Contact states in which nothing can be sent there; every other is as good as any (a phone need not be qualified). */
const LOST: ReadonlySet<string> = new Set(['Removed', 'Unreachable']);

/**
 * Knows which phones of a node can be reached, by AMI's ContactStatus. A phone that registers anew from another address
 * is not lost meanwhile: Asterisk tells the new contact before it removes the old one (seen on 22.10.1).
 */
export class PhoneWatch {
  readonly #ami: AmiClient;
  readonly #listener: PhoneListener;
  /** Contacts by endpoint. */
  readonly #contacts = new Map<string, Set<string>>();
  readonly #reachable = new Set<string>();
  /** Events that came while the contacts were being listed: they count after the list. */
  #meanwhile: AmiMessage[] | undefined;

  constructor(ami: AmiClient, listener: PhoneListener) {
    this.#ami = ami;
    this.#listener = listener;
    ami.onEvent('ContactStatus', (event) => {
      if (this.#meanwhile) this.#meanwhile.push(event);
      else this.#take(event);
    });
    ami.onState((state) => {
      if (state === 'ready') void this.#list();
    });
  }

  async #list(): Promise<void> {
    const meanwhile: AmiMessage[] = [];
    this.#meanwhile = meanwhile;
    try {
      const contacts = await listContacts(this.#ami);
      this.#contacts.clear();
      this.#reachable.clear();
      for (const { endpoint, uri, status } of contacts) this.#set(endpoint, uri, status);
      this.#listener.onPhones(this.#reachable);
    } catch (error) {
      // The connection was lost again: the next one lists anew.
      if (this.#ami.state === 'ready') this.#listener.onError(error);
    }
    if (this.#meanwhile !== meanwhile) return;
    this.#meanwhile = undefined;
    for (const event of meanwhile) this.#take(event);
  }

  #take(event: AmiMessage): void {
    const endpoint = event.get('EndpointName') ?? event.get('AOR') ?? '';
    const before = this.#reachable.has(endpoint);
    this.#set(endpoint, event.get('URI') ?? '', event.get('ContactStatus') ?? '');
    if (before && !this.#reachable.has(endpoint)) this.#listener.onPhoneLost(endpoint);
  }

  #set(endpoint: string, uri: string, status: string): void {
    const contacts = this.#contacts.get(endpoint) ?? new Set();
    if (LOST.has(status)) contacts.delete(uri);
    else contacts.add(uri);
    if (contacts.size === 0) {
      this.#contacts.delete(endpoint);
      this.#reachable.delete(endpoint);
    } else {
      this.#contacts.set(endpoint, contacts);
      this.#reachable.add(endpoint);
    }
  }
}
