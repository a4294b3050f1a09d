import { type CallOptions, encode, type Requester } from './requester.ts';

/** The /events resource. Every method rejects with an AriError. */
export class Events {
  readonly #ari: Requester;

  constructor(ari: Requester) {
    this.#ari = ari;
  }

  /** Has Asterisk send a ChannelUserevent of this name to an application; an inactive one gets nothing, and nobody is told. */
  user(name: string, application: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `/events/user/${encode(name)}`, {
      ...options,
      query: { application },
      harmless: true,
    });
  }
}
