import type { Application } from '../types.generated.ts';
import { type CallOptions, encode, type Requester } from './requester.ts';

/** The /applications resource. Every method rejects with an AriError. */
export class Applications {
  readonly #ari: Requester;

  constructor(ari: Requester) {
    this.#ari = ari;
  }

  list(options?: CallOptions): Promise<Application[]> {
    return this.#ari.request('GET', '/applications', options);
  }

  get(app: string, options?: CallOptions): Promise<Application> {
    return this.#ari.request('GET', path(app), options);
  }

  /** @param eventSource `channel:ID`, `bridge:ID`, `endpoint:TECH/RESOURCE` or `deviceState:NAME` */
  subscribe(app: string, eventSource: string | readonly string[], options?: CallOptions): Promise<Application> {
    return this.#ari.request('POST', `${path(app)}/subscription`, { ...options, query: { eventSource } });
  }

  /** Takes back one `subscribe`; Asterisk counts them. */
  unsubscribe(app: string, eventSource: string | readonly string[], options?: CallOptions): Promise<Application> {
    return this.#ari.request('DELETE', `${path(app)}/subscription`, { ...options, query: { eventSource } });
  }

  /** Event types not to send, in place of an earlier filter. Answers to requests travel the same way: leave RESTResponse. */
  setEventFilter(app: string, disallowed: readonly string[], options?: CallOptions): Promise<Application> {
    return this.#ari.request('PUT', `${path(app)}/eventFilter`, {
      ...options,
      body: { disallowed: disallowed.map((type) => ({ type })) },
    });
  }
}

function path(app: string): string {
  return `/applications/${encode(app)}`;
}
