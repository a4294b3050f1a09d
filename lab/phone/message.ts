/** A SIP message (RFC 3261): the start line, the headers in their order, the body. */
export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly Header[];
  readonly body: string;
}
export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly body: string;
}
export type SipMessage = SipRequest | SipResponse;
export type Header = readonly [name: string, value: string];

const COMPACT: Readonly<Record<string, string>> = {
  i: 'call-id',
  m: 'contact',
  f: 'from',
  t: 'to',
  v: 'via',
  c: 'content-type',
  l: 'content-length',
  s: 'subject',
  k: 'supported',
  o: 'event',
  r: 'refer-to',
  b: 'referred-by',
};

function canonical(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT[lower] ?? lower;
}

/** Reads one datagram. @throws Error saying what is wrong with it */
export function parseMessage(text: string): SipMessage {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('no empty line after the headers');
  // A line that starts with white space goes on from the line before it.
  const [start = '', ...lines] = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = lines.map((line): Header => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`not a header: ${line}`);
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  const length = Number(headers.find(([name]) => canonical(name) === 'content-length')?.[1] ?? Number.NaN);
  const rest = text.slice(end + 4);
  const body = Number.isNaN(length) ? rest : rest.slice(0, length);
  const response = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(start);
  if (response) {
    return { kind: 'response', status: Number(response[1]), reason: response[2] ?? '', headers, body };
  }
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(start);
  if (!request) throw new Error(`not a SIP start line: ${start}`);
  return { kind: 'request', method: request[1] ?? '', uri: request[2] ?? '', headers, body };
}

/** Writes a message; Content-Length is ours to say. */
export function serialiseMessage(message: SipMessage): string {
  const start =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  const lines = message.headers
    .filter(([name]) => canonical(name) !== 'content-length')
    .map(([name, value]) => `${name}: ${value}`);
  return [start, ...lines, `Content-Length: ${Buffer.byteLength(message.body)}`, '', message.body].join('\r\n');
}

/** Every value of a header, in order, whatever the case or form of its name. */
export function headerValues(message: SipMessage, name: string): string[] {
  const wanted = canonical(name);
  return message.headers.filter(([key]) => canonical(key) === wanted).map(([, value]) => value);
}

/** The first value of a header, or the empty string. */
export function header(message: SipMessage, name: string): string {
  return headerValues(message, name)[0] ?? '';
}

/** The method of the CSeq header: what a response answers. */
export function cseq(message: SipMessage): { number: number; method: string } {
  const [number = '', method = ''] = header(message, 'cseq').split(/\s+/);
  return { number: Number(number), method };
}

/** An address of a From, To, Contact or Refer-To header. */
export interface Address {
  /** Display name, or the empty string. */
  readonly name: string;
  readonly uri: string;
  /** Of the header, outside the angle brackets. */
  readonly params: ReadonlyMap<string, string>;
}

export function parseAddress(value: string): Address {
  const bracketed = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*))\s*<([^>]*)>(.*)$/.exec(value);
  if (bracketed) {
    const name = (bracketed[1]?.replace(/\\(.)/g, '$1') ?? bracketed[2] ?? '').trim();
    return { name, uri: bracketed[3] ?? '', params: parseParams(bracketed[4] ?? '') };
  }
  // Without brackets, parameters belong to the header and not to the URI (RFC 3261, 20).
  const semicolon = value.indexOf(';');
  if (semicolon < 0) return { name: '', uri: value.trim(), params: new Map() };
  return { name: '', uri: value.slice(0, semicolon).trim(), params: parseParams(value.slice(semicolon)) };
}

/** `;a=1;b` as a map; names in lower case. */
export function parseParams(text: string): Map<string, string> {
  const params = new Map<string, string>();
  for (const part of text.split(';')) {
    const [name = '', ...value] = part.split('=');
    if (name.trim() !== '')
      params.set(
        name.trim().toLowerCase(),
        value
          .join('=')
          .trim()
          .replace(/^"(.*)"$/, '$1'),
      );
  }
  return params;
}

/** The parts of a `sip:` URI. */
export interface SipUri {
  readonly user: string;
  readonly host: string;
  readonly port: number;
}

/** @throws Error if it is not a SIP URI */
export function parseUri(uri: string): SipUri {
  const match = /^sips?:(?:([^@;?]*)@)?([^:;?>]+)(?::(\d+))?/.exec(uri);
  if (!match) throw new Error(`not a SIP URI: ${uri}`);
  const user = (match[1] ?? '').split(':')[0] ?? '';
  return { user: decodeURIComponent(user.split(';')[0] ?? ''), host: match[2] ?? '', port: Number(match[3] ?? 5060) };
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  410: 'Gone',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  484: 'Address Incomplete',
  486: 'Busy Here',
  487: 'Request Terminated',
  500: 'Server Internal Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  600: 'Busy Everywhere',
  603: 'Decline',
  607: 'Unwanted',
};

/** The usual words for a status. */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? 'Refused';
}
