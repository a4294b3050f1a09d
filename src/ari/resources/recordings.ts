import type { Download } from '../download.ts';
import type { LiveRecording, StoredRecording } from '../types.generated.ts';
import { type CallOptions, encode, type Requester } from './requester.ts';

/** The /recordings resource. Every method rejects with an AriError. */
export class Recordings {
  readonly #ari: Requester;

  constructor(ari: Requester) {
    this.#ari = ari;
  }

  listStored(options?: CallOptions): Promise<StoredRecording[]> {
    return this.#ari.request('GET', '/recordings/stored', options);
  }

  getStored(name: string, options?: CallOptions): Promise<StoredRecording> {
    return this.#ari.request('GET', stored(name), options);
  }

  /** The bytes of a stored recording, up to the client's limit for a response. */
  file(name: string, options?: CallOptions): Promise<Uint8Array> {
    return this.#ari.request('GET', `${stored(name)}/file`, { ...options, binary: true });
  }

  /** The bytes of a stored recording as a stream, however many. */
  openFile(name: string, signal?: AbortSignal): Promise<Download> {
    return this.#ari.download(`${stored(name)}/file`, signal);
  }

  copyStored(name: string, destination: string, options?: CallOptions): Promise<StoredRecording> {
    return this.#ari.request('POST', `${stored(name)}/copy`, {
      ...options,
      query: { destinationRecordingName: destination },
    });
  }

  deleteStored(name: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('DELETE', stored(name), options);
  }

  getLive(name: string, options?: CallOptions): Promise<LiveRecording> {
    return this.#ari.request('GET', live(name), options);
  }

  /** Stops and stores. */
  stop(name: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${live(name)}/stop`, options);
  }

  /** Stops and discards. */
  cancel(name: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('DELETE', live(name), options);
  }

  pause(name: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${live(name)}/pause`, options);
  }

  unpause(name: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('DELETE', `${live(name)}/pause`, options);
  }

  /** Records silence while muted, so that the length stays true. */
  mute(name: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${live(name)}/mute`, options);
  }

  unmute(name: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('DELETE', `${live(name)}/mute`, options);
  }
}

function stored(name: string): string {
  return `/recordings/stored/${encode(name)}`;
}

function live(name: string): string {
  return `/recordings/live/${encode(name)}`;
}
