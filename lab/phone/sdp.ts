/** Which way media flows, from the speaker's side of the SDP. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What a telephone needs of an SDP: one audio stream. */
export interface SessionDescription {
  readonly host: string;
  readonly port: number;
  readonly direction: Direction;
  /** RTP payload types, in order of preference. */
  readonly payloads: readonly number[];
  /** Payload type of RFC 4733 telephone events, if there are any. */
  readonly eventPayload?: number;
  /** Payload type of 16-bit samples (L16), if there are any. */
  readonly linearPayload?: number;
}

export const PCMU = 0;
export const PCMA = 8;
export const TELEPHONE_EVENT = 101;
/** L16 at 8000 Hz has no number of its own: this one where it is ours to choose. */
export const LINEAR = 118;

/** @throws Error if there is no audio in it */
export function parseSdp(text: string): SessionDescription {
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith('m=audio '));
  const audio = /^m=audio (\d+) \S+ (.*)$/.exec(lines[start] ?? '');
  if (!audio) throw new Error('no audio in the SDP');
  const next = lines.findIndex((line, i) => i > start && line.startsWith('m='));
  const media = lines.slice(start, next < 0 ? undefined : next);
  const session = lines.slice(0, start);
  const connection = [...media, ...session].find((line) => line.startsWith('c='));
  const direction = [...media, ...session]
    .map((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.exec(line)?.[1])
    .find((one) => one !== undefined);
  const payloadOf = (name: RegExp): string | undefined => {
    const map = media.map((line) => /^a=rtpmap:(\d+) (.*)$/.exec(line)).find((one) => name.test(one?.[2] ?? ''));
    return map?.[1];
  };
  const event = payloadOf(/^telephone-event\/8000/);
  const linear = payloadOf(/^L16\/8000/);
  return {
    host: connection?.split(/\s+/)[2] ?? '127.0.0.1',
    port: Number(audio[1]),
    direction: (direction as Direction | undefined) ?? 'sendrecv',
    payloads: (audio[2] ?? '').trim().split(/\s+/).map(Number),
    ...(event === undefined ? {} : { eventPayload: Number(event) }),
    ...(linear === undefined ? {} : { linearPayload: Number(linear) }),
  };
}

/**
 * @param version grows with every change of the same session (RFC 3264, 8)
 * @param linear payload type of L16, where that is what is spoken; else it is u-law
 */
export function buildSdp(host: string, port: number, direction: Direction, version: number, linear?: number): string {
  const audio = linear === undefined ? { payload: PCMU, name: 'PCMU' } : { payload: linear, name: 'L16' };
  return [
    'v=0',
    `o=phone 1 ${version} IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${audio.payload} ${TELEPHONE_EVENT}`,
    `a=rtpmap:${audio.payload} ${audio.name}/8000`,
    `a=rtpmap:${TELEPHONE_EVENT} telephone-event/8000`,
    `a=fmtp:${TELEPHONE_EVENT} 0-16`,
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n');
}

/** The answer's direction to an offer's (RFC 3264, 6.1). @param own what we want by ourselves */
export function answerDirection(offer: Direction, own: Direction = 'sendrecv'): Direction {
  const send = (offer === 'sendrecv' || offer === 'recvonly') && (own === 'sendrecv' || own === 'sendonly');
  const receive = (offer === 'sendrecv' || offer === 'sendonly') && (own === 'sendrecv' || own === 'recvonly');
  if (send) return receive ? 'sendrecv' : 'sendonly';
  return receive ? 'recvonly' : 'inactive';
}
