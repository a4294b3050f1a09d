import type { AriMethod } from '../carrier.ts';
import type { Download } from '../download.ts';

/** Value of a query parameter; a list becomes comma-separated, undefined is left out. */
export type QueryValue = string | number | boolean | readonly string[] | undefined;

/** Options of a request. */
export interface RequestOptions {
  query?: Readonly<Record<string, QueryValue>>;
  /** sent as JSON; Asterisk takes the parameters of any request from a JSON body too, under the same names */
  body?: Readonly<Record<string, unknown>>;
  /** milliseconds until the request is given up */
  timeoutMs?: number;
  /** gives the request up; whether Asterisk carried it out is then not known */
  signal?: AbortSignal;
  /** the answer is bytes */
  binary?: boolean;
  /** changes nothing that anybody owns, whatever its method: it does not wait at the client's gate, as no GET does */
  harmless?: boolean;
}

/** Options that every helper takes. */
export type CallOptions = Pick<RequestOptions, 'timeoutMs' | 'signal'>;

/** What the resource helpers need of a client. */
export interface Requester {
  request<T = unknown>(method: AriMethod, path: string, options?: RequestOptions): Promise<T>;
  /** A file as a stream. @param path percent-encoded */
  download(path: string, signal?: AbortSignal): Promise<Download>;
}

const PLAIN = /^[\w.~-]+$/;

/** A value as one path segment or query value. */
export function encode(value: string): string {
  return PLAIN.test(value) ? value : encodeURIComponent(value);
}

/** A query with its question mark; empty when there is nothing to say. */
export function encodeQuery(query: Readonly<Record<string, QueryValue>>): string {
  let text = '';
  for (const key in query) {
    const value = query[key];
    if (value === undefined) continue;
    const plain = typeof value === 'string' ? value : typeof value === 'object' ? value.join(',') : String(value);
    text += `${text === '' ? '?' : '&'}${key}=${encode(plain)}`;
  }
  return text;
}
