import { hasStatus } from '../errors.ts';
import type { Playback } from '../types.generated.ts';
import { type CallOptions, encode, type Requester } from './requester.ts';

/** The /playbacks resource. Every method rejects with an AriError. */
export class Playbacks {
  readonly #ari: Requester;

  constructor(ari: Requester) {
    this.#ari = ari;
  }

  get(id: string, options?: CallOptions): Promise<Playback> {
    return this.#ari.request('GET', `/playbacks/${encode(id)}`, options);
  }

  /** Stops a playback; one that is over already counts as success (`gone`). */
  async stop(id: string, options?: CallOptions): Promise<{ gone: boolean }> {
    try {
      await this.#ari.request('DELETE', `/playbacks/${encode(id)}`, options);
      return { gone: false };
    } catch (error) {
      if (hasStatus(error, 404)) return { gone: true };
      throw error;
    }
  }

  control(
    id: string,
    operation: 'restart' | 'pause' | 'unpause' | 'reverse' | 'forward',
    options?: CallOptions,
  ): Promise<void> {
    return this.#ari.request('POST', `/playbacks/${encode(id)}/control`, { ...options, query: { operation } });
  }
}
