/**
 * What the core asks of the switch: domain commands, to be carried out in order within one call. All are idempotent:
 * ids are ours, and what is already so, or already gone, counts as done.
 */
export type Command =
  | Dial
  /** Dial a channel that was made with `hold`. */
  | { readonly do: 'send-dial'; readonly channel: string; readonly ringTimeout: number }
  /** Let an inbound caller hear ringing (180). */
  | { readonly do: 'ring'; readonly channel: string }
  /** Answer an inbound leg (200). */
  | { readonly do: 'answer'; readonly channel: string }
  /** Make a ringing phone of ours answer by itself (NOTIFY `Event: talk`). */
  | { readonly do: 'answer-phone'; readonly channel: string }
  | { readonly do: 'hang-up'; readonly channel: string; readonly q850: number }
  /** `mixesAlways`: it never passes on what two send each other without mixing it. */
  | { readonly do: 'create-bridge'; readonly bridge: string; readonly mixesAlways?: true }
  | { readonly do: 'destroy-bridge'; readonly bridge: string }
  /** Move channels into a bridge. One that cannot be moved is hung up: its end is then a fact like any other. */
  | { readonly do: 'place'; readonly channels: readonly string[]; readonly bridge: string }
  /** Take channels out of a bridge: they hear nothing until something else is done with them. */
  | { readonly do: 'unplace'; readonly channels: readonly string[]; readonly bridge: string }
  | { readonly do: 'start-music'; readonly channel: string }
  | { readonly do: 'stop-music'; readonly channel: string }
  /** Nobody hears the leg any more; it still hears. */
  | { readonly do: 'mute'; readonly channel: string }
  | { readonly do: 'unmute'; readonly channel: string }
  /** Tell a phone that asked for a transfer (REFER) that we have taken it over, or that we do not. */
  | { readonly do: 'answer-transfer'; readonly channel: string; readonly taken: boolean }
  /** Send digits to the leg's phone. */
  | { readonly do: 'send-dtmf'; readonly channel: string; readonly digits: string }
  /**
   * Let `listener`, who is in `bridge`, hear the leg `of`, both ways, through the channel `snoop`; with `whisper`, what
   * is said in the bridge is heard by that leg alone. Where it cannot be done the listener is hung up: he would wait in
   * silence.
   */
  | {
      readonly do: 'snoop';
      readonly snoop: string;
      readonly of: string;
      readonly listener: string;
      readonly bridge: string;
      readonly whisper: boolean;
    }
  /**
   * Record a leg: what it sends on the left, what it is sent on the right. Goes on at the end of the file if there is one.
   * Told as `recording-started` or `recording-failed`.
   */
  | { readonly do: 'start-recording'; readonly channel: string; readonly name: string }
  /** End the recording of a leg and begin it anew at the end of the same file; what was paused is heard again. */
  | { readonly do: 'renew-recording'; readonly channel: string; readonly name: string }
  | { readonly do: 'stop-recording'; readonly channel: string }
  /** Write silence instead of what is said. Where that fails the recording is stopped: what is paused is never recorded. */
  | { readonly do: 'pause-recording'; readonly channel: string }
  | { readonly do: 'resume-recording'; readonly channel: string }
  /** Let a caller hear a tone without answering him (early media). */
  | { readonly do: 'play-tone'; readonly channel: string; readonly tone: 'busy' | 'congestion' };

/**
 * Create a channel, put it in a bridge if one is named, and dial. One command, because nothing of ours happens
 * between its steps; a failure of any step ends the leg (`leg-ended` with `notStarted`).
 */
export interface Dial {
  readonly do: 'dial';
  readonly channel: string;
  readonly endpoint: string;
  readonly trunk?: string;
  readonly callerId?: string;
  /** Seconds. */
  readonly ringTimeout: number;
  /** The bridge to join before ringing, so that early media and ringback are heard there. */
  readonly bridge?: string;
  /** Stop before the dial: told as `leg-made`, and `send-dial` follows. */
  readonly hold?: true;
}

/** The commands of a recording. */
export type RecordingCommand = Extract<
  Command,
  { do: 'start-recording' | 'renew-recording' | 'stop-recording' | 'pause-recording' | 'resume-recording' }
>;
