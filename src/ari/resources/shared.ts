import { hasStatus } from '../errors.ts';
import type { LiveRecording, Playback } from '../types.generated.ts';
import { type CallOptions, encode, type Requester } from './requester.ts';

/** Outcome of a creation under an id that the client chose: repeating one that succeeded finds it there. */
export type Created<T> = { existed: false; value: T } | { existed: true };

/** Turns the 409 of an id that is in use into `{existed: true}`. */
export async function created<T>(request: Promise<T>): Promise<Created<T>> {
  try {
    return { existed: false, value: await request };
  } catch (error) {
    if (hasStatus(error, 409)) return { existed: true };
    throw error;
  }
}

/** Parameters of a playback on a channel or bridge. */
export interface PlayOptions {
  playbackId: string;
  /** for example `sound:hello-world`; several are played one after the other */
  media: string | readonly string[];
  lang?: string;
  /** milliseconds to skip at the start */
  offsetms?: number;
  skipms?: number;
  /** bridges alone (22.7 and later) */
  announcer_format?: string;
}

/** Parameters of a recording of a channel or bridge. */
export interface RecordOptions {
  name: string;
  format: string;
  maxDurationSeconds?: number;
  maxSilenceSeconds?: number;
  ifExists?: 'fail' | 'overwrite' | 'append';
  beep?: boolean;
  terminateOn?: 'none' | 'any' | '*' | '#';
  /** bridges alone (22.7 and later) */
  recorder_format?: string;
}

/** Queues a playback; PlaybackStarted tells that it began. */
export function startPlayback(
  ari: Requester,
  path: string,
  parameters: PlayOptions,
  options?: CallOptions,
): Promise<Playback> {
  const { playbackId, ...body } = parameters;
  return ari.request('POST', `${path}/play/${encode(playbackId)}`, { ...options, body });
}

/** Queues a recording; RecordingStarted or RecordingFailed tells what came of it. */
export function startRecording(
  ari: Requester,
  path: string,
  parameters: RecordOptions,
  options?: CallOptions,
): Promise<LiveRecording> {
  return ari.request('POST', `${path}/record`, { ...options, body: { ...parameters } });
}
