import { hasStatus } from '../errors.ts';
import type { Bridge, LiveRecording, Playback } from '../types.generated.ts';
import type { VariableValue } from './channels.ts';
import { type CallOptions, encode, type Requester } from './requester.ts';
import {
  type Created,
  created,
  type PlayOptions,
  type RecordOptions,
  startPlayback,
  startRecording,
} from './shared.ts';

/** Parameters of {@link Bridges.create}. */
export interface CreateBridge {
  /** chosen by the client */
  bridgeId: string;
  /** comma-separated: mixing, holding, dtmf_events, proxy_media, video_sfu, video_single, sdp_label */
  type?: string;
  name?: string;
  /** 22.10 and later */
  variables?: Readonly<Record<string, VariableValue>>;
}

/** The /bridges resource. Every method rejects with an AriError. */
export class Bridges {
  readonly #ari: Requester;

  constructor(ari: Requester) {
    this.#ari = ari;
  }

  list(options?: CallOptions): Promise<Bridge[]> {
    return this.#ari.request('GET', '/bridges', options);
  }

  get(id: string, options?: CallOptions): Promise<Bridge> {
    return this.#ari.request('GET', path(id), options);
  }

  /** The id goes into the path: given in the body, 22.10 answers 500 instead of 409 to an id that is in use. */
  create(parameters: CreateBridge, options?: CallOptions): Promise<Created<Bridge>> {
    const { bridgeId, ...body } = parameters;
    return created(this.#ari.request<Bridge>('POST', path(bridgeId), { ...options, body }));
  }

  /**
   * Destroys a bridge; its channels stay in the application. One that is gone already counts as success.
   * @returns `gone`: true if there was no such bridge any more
   */
  async destroy(id: string, options?: CallOptions): Promise<{ gone: boolean }> {
    try {
      await this.#ari.request('DELETE', path(id), options);
      return { gone: false };
    } catch (error) {
      if (hasStatus(error, 404)) return { gone: true };
      throw error;
    }
  }

  /**
   * Adds channels; one that is in another bridge leaves it. With several, Asterisk stops at the first error and leaves the
   * earlier ones in. Rejects with 400 when a channel does not exist, 409 when one is not in a Stasis application, 422 when
   * one is recording.
   */
  addChannel(
    id: string,
    channel: string | readonly string[],
    parameters: { role?: string; absorbDTMF?: boolean; mute?: boolean; inhibitConnectedLineUpdates?: boolean } = {},
    options?: CallOptions,
  ): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/addChannel`, { ...options, query: { channel, ...parameters } });
  }

  removeChannel(id: string, channel: string | readonly string[], options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/removeChannel`, { ...options, query: { channel } });
  }

  startMoh(id: string, mohClass?: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/moh`, { ...options, query: { mohClass } });
  }

  stopMoh(id: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('DELETE', `${path(id)}/moh`, options);
  }

  play(id: string, parameters: PlayOptions, options?: CallOptions): Promise<Playback> {
    return startPlayback(this.#ari, path(id), parameters, options);
  }

  record(id: string, parameters: RecordOptions, options?: CallOptions): Promise<LiveRecording> {
    return startRecording(this.#ari, path(id), parameters, options);
  }
}

function path(id: string): string {
  return `/bridges/${encode(id)}`;
}
