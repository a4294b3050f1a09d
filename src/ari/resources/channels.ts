import { hasStatus } from '../errors.ts';
import type { Channel, LiveRecording, Playback, RTPstat, Variable } from '../types.generated.ts';
import { type CallOptions, encode, type QueryValue, type Requester } from './requester.ts';
import {
  type Created,
  created,
  type PlayOptions,
  type RecordOptions,
  startPlayback,
  startRecording,
} from './shared.ts';

/** Which way audio goes, seen from the channel: `in` is what comes from it, `out` what is sent to it. */
export type Direction = 'both' | 'in' | 'out';

/** A variable's value, or one with `report_events`, which puts it into every event of the channel (22.10 and later). */
export type VariableValue = string | { value: string; report_events: boolean };

/** Parameters of {@link Channels.create}. */
export interface CreateChannel {
  /** chosen by the client, at most 149 characters; unique on the node */
  channelId: string;
  /** for example `PJSIP/1000` or `PJSIP/trunk/sip:100@192.0.2.1` */
  endpoint: string;
  app: string;
  appArgs?: string;
  /** id of the second half of a Local channel */
  otherChannelId?: string;
  /** channel whose formats the new one takes over; excludes `formats` */
  originator?: string;
  formats?: string;
  variables?: Readonly<Record<string, VariableValue>>;
}

/** Parameters of {@link Channels.originate}: into an application, or into the dialplan. */
export interface OriginateChannel {
  channelId: string;
  endpoint: string;
  app?: string;
  appArgs?: string;
  context?: string;
  extension?: string;
  priority?: number;
  label?: string;
  callerId?: string;
  /** seconds until an unanswered channel is hung up; Asterisk's default is 30, -1 is never */
  timeout?: number;
  otherChannelId?: string;
  originator?: string;
  formats?: string;
  variables?: Readonly<Record<string, VariableValue>>;
}

/** Parameters of {@link Channels.externalMedia}. */
export interface ExternalMedia {
  channelId: string;
  app: string;
  format: string;
  external_host?: string;
  encapsulation?: string;
  transport?: string;
  connection_type?: string;
  direction?: string;
  data?: string;
  transport_data?: string;
  variables?: Readonly<Record<string, VariableValue>>;
}

/** Reason of a hangup: a word of ARI, or a Q.850 cause as a number. */
export type HangupReason =
  | 'normal'
  | 'busy'
  | 'congestion'
  | 'no_answer'
  | 'timeout'
  | 'rejected'
  | 'unallocated'
  | 'normal_unspecified'
  | 'number_incomplete'
  | 'codec_mismatch'
  | 'interworking'
  | 'failure'
  | 'answered_elsewhere'
  | number;

/**
 * The /channels resource. Every method rejects with an AriError: 404 for no such channel, 409 when it is not in a Stasis
 * application, 412 when its state forbids the operation.
 */
export class Channels {
  readonly #ari: Requester;

  constructor(ari: Requester) {
    this.#ari = ari;
  }

  list(options?: CallOptions): Promise<Channel[]> {
    return this.#ari.request('GET', '/channels', options);
  }

  get(id: string, options?: CallOptions): Promise<Channel> {
    return this.#ari.request('GET', path(id), options);
  }

  /**
   * Creates a channel that enters the application at once and is not yet dialled. `dial` answers 409 until its StasisStart
   * has come. A 500 "Allocation failed" means that the endpoint cannot be reached.
   */
  create(parameters: CreateChannel, options?: CallOptions): Promise<Created<Channel>> {
    return created(this.#ari.request<Channel>('POST', '/channels/create', { ...options, body: { ...parameters } }));
  }

  /** Creates a channel and dials it; it enters the application when it is answered. */
  originate(parameters: OriginateChannel, options?: CallOptions): Promise<Created<Channel>> {
    return created(this.#ari.request<Channel>('POST', '/channels', { ...options, body: { ...parameters } }));
  }

  externalMedia(parameters: ExternalMedia, options?: CallOptions): Promise<Created<Channel>> {
    return created(
      this.#ari.request<Channel>('POST', '/channels/externalMedia', { ...options, body: { ...parameters } }),
    );
  }

  /**
   * Dials a created channel.
   * @param parameters.caller channel whose identity the callee is shown
   * @param parameters.timeout seconds until an unanswered channel is hung up with cause 19; 0 or none: never
   */
  dial(id: string, parameters: { caller?: string; timeout?: number } = {}, options?: CallOptions): Promise<void> {
    return this.#post(id, '/dial', { caller: parameters.caller, timeout: parameters.timeout }, options);
  }

  /**
   * Hangs up. A channel that is gone already counts as success.
   * @returns `gone`: true if there was no such channel any more
   */
  async hangup(id: string, reason?: HangupReason, options?: CallOptions): Promise<{ gone: boolean }> {
    const query = reason === undefined ? {} : typeof reason === 'number' ? { reason_code: reason } : { reason };
    try {
      await this.#ari.request('DELETE', path(id), { ...options, query });
      return { gone: false };
    } catch (error) {
      if (hasStatus(error, 404)) return { gone: true };
      throw error;
    }
  }

  answer(id: string, options?: CallOptions): Promise<void> {
    return this.#post(id, '/answer', undefined, options);
  }

  ring(id: string, options?: CallOptions): Promise<void> {
    return this.#post(id, '/ring', undefined, options);
  }

  ringStop(id: string, options?: CallOptions): Promise<void> {
    return this.#delete(id, '/ring', undefined, options);
  }

  /** Sends a progress indication (183) without answering (20.16, 22.6 and later). */
  progress(id: string, options?: CallOptions): Promise<void> {
    return this.#post(id, '/progress', undefined, options);
  }

  mute(id: string, direction: Direction = 'both', options?: CallOptions): Promise<void> {
    return this.#post(id, '/mute', { direction }, options);
  }

  unmute(id: string, direction: Direction = 'both', options?: CallOptions): Promise<void> {
    return this.#delete(id, '/mute', { direction }, options);
  }

  startMoh(id: string, mohClass?: string, options?: CallOptions): Promise<void> {
    return this.#post(id, '/moh', { mohClass }, options);
  }

  stopMoh(id: string, options?: CallOptions): Promise<void> {
    return this.#delete(id, '/moh', undefined, options);
  }

  startSilence(id: string, options?: CallOptions): Promise<void> {
    return this.#post(id, '/silence', undefined, options);
  }

  stopSilence(id: string, options?: CallOptions): Promise<void> {
    return this.#delete(id, '/silence', undefined, options);
  }

  /** Indicates hold to the channel itself: its music starts, or its endpoint is re-invited (moh_passthrough). */
  hold(id: string, options?: CallOptions): Promise<void> {
    return this.#post(id, '/hold', undefined, options);
  }

  unhold(id: string, options?: CallOptions): Promise<void> {
    return this.#delete(id, '/hold', undefined, options);
  }

  /** Sends DTMF to the channel; digits travel in the body, so that no access log shows them. Times in milliseconds. */
  dtmf(
    id: string,
    digits: string,
    times: { before?: number; between?: number; duration?: number; after?: number } = {},
    options?: CallOptions,
  ): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/dtmf`, { ...options, body: { dtmf: digits, ...times } });
  }

  /** Makes a channel that listens to (`spy`) and speaks to (`whisper`) another one. */
  snoop(
    id: string,
    parameters: {
      snoopId: string;
      app: string;
      appArgs?: string;
      spy?: Direction | 'none';
      whisper?: Direction | 'none';
    },
    options?: CallOptions,
  ): Promise<Created<Channel>> {
    const { snoopId, ...body } = parameters;
    return created(this.#ari.request<Channel>('POST', `${path(id)}/snoop/${encode(snoopId)}`, { ...options, body }));
  }

  play(id: string, parameters: PlayOptions, options?: CallOptions): Promise<Playback> {
    return startPlayback(this.#ari, path(id), parameters, options);
  }

  /**
   * Records what comes from the channel. Fails (RecordingFailed) while it is in a bridge, and a dialled channel stays in a
   * hidden one also after its answer: record a bridge, or a snoop channel, instead. Commands queued behind wait for its end.
   */
  record(id: string, parameters: RecordOptions, options?: CallOptions): Promise<LiveRecording> {
    return startRecording(this.#ari, path(id), parameters, options);
  }

  /** The value of a variable or function; a variable that was never set answers 404. */
  async getVariable(id: string, variable: string, options?: CallOptions): Promise<string> {
    const found = await this.#ari.request<Variable>('GET', `${path(id)}/variable`, { ...options, query: { variable } });
    return found.value;
  }

  setVariable(id: string, variable: string, value: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/variable`, { ...options, body: { variable, value } });
  }

  /** Sets several variables at once (22.10 and later). */
  setVariables(id: string, variables: Readonly<Record<string, VariableValue>>, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/variables`, { ...options, body: { variables } });
  }

  /** Leaves the application for the dialplan. */
  continue(
    id: string,
    place: { context?: string; extension?: string; priority?: number; label?: string } = {},
    options?: CallOptions,
  ): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/continue`, { ...options, body: place });
  }

  /** Moves to another application; a target that is not registered raises ApplicationMoveFailed. */
  move(id: string, app: string, appArgs?: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/move`, {
      ...options,
      body: appArgs === undefined ? { app } : { app, appArgs },
    });
  }

  /** Answers a SIP REFER that is handled by the application (22.3 and later). */
  transferProgress(
    id: string,
    states: 'channel_progress' | 'channel_answered' | 'channel_unavailable' | 'channel_declined',
    options?: CallOptions,
  ): Promise<void> {
    return this.#post(id, '/transfer_progress', { states }, options);
  }

  redirect(id: string, endpoint: string, options?: CallOptions): Promise<void> {
    return this.#ari.request('POST', `${path(id)}/redirect`, { ...options, body: { endpoint } });
  }

  rtpStatistics(id: string, options?: CallOptions): Promise<RTPstat> {
    return this.#ari.request('GET', `${path(id)}/rtp_statistics`, options);
  }

  #post(
    id: string,
    operation: string,
    query: Record<string, QueryValue> | undefined,
    options?: CallOptions,
  ): Promise<void> {
    return this.#ari.request('POST', path(id) + operation, query ? { ...options, query } : options);
  }

  #delete(
    id: string,
    operation: string,
    query: Record<string, QueryValue> | undefined,
    options?: CallOptions,
  ): Promise<void> {
    return this.#ari.request('DELETE', path(id) + operation, query ? { ...options, query } : options);
  }
}

function path(id: string): string {
  return `/channels/${encode(id)}`;
}
