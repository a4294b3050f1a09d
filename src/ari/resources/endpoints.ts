import type { Endpoint } from '../types.generated.ts';
import { type CallOptions, encode, type Requester } from './requester.ts';

/** The /endpoints resource. Every method rejects with an AriError. */
export class Endpoints {
  readonly #ari: Requester;

  constructor(ari: Requester) {
    this.#ari = ari;
  }

  list(tech?: string, options?: CallOptions): Promise<Endpoint[]> {
    return this.#ari.request('GET', tech === undefined ? '/endpoints' : `/endpoints/${encode(tech)}`, options);
  }

  get(tech: string, resource: string, options?: CallOptions): Promise<Endpoint> {
    return this.#ari.request('GET', `/endpoints/${encode(tech)}/${encode(resource)}`, options);
  }
}
