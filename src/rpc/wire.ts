import type { Refusal } from '../cti/errors.ts';

/** The id of a JSON-RPC request; null where it could not be read. */
export type RequestID = string | number | null;

/** A JSON-RPC request that has the shape of one. */
export interface Request {
  /** Undefined for a notification, which is not answered. */
  readonly id: RequestID | undefined;
  readonly method: string;
  /** By name; absent params are none. */
  readonly params: unknown;
}

/** The code of seed 004 that goes with one of JSON-RPC's own. */
export type SeedOfRpc = 'SocketToJSon' | 'MessageIDNotMatch';

/** A message that is no request: what is wrong with it, and its id if it has a usable one. */
export interface NoRequest {
  readonly id: RequestID;
  readonly fault: string;
  readonly seed: SeedOfRpc;
}

/** Text of the answer of a request that was carried out. `result` is JSON text. */
export function resultText(id: RequestID, result: string): string {
  return `{"jsonrpc":"2.0","id":${idText(id)},"result":${result}}`;
}

/** Text of the answer of a request that was refused. */
export function errorText(id: RequestID, refusal: Refusal): string {
  const { code, name, data } = refusal;
  const error = data === undefined ? { code, message: name } : { code, message: name, data };
  return `{"jsonrpc":"2.0","id":${idText(id)},"error":${JSON.stringify(error)}}`;
}

/**
 * Reads one member of a batch, or a single request.
 *
 * @returns the request, or where it is none what is wrong with it and the id if it has a usable one
 */
export function readRequest(message: unknown): Request | NoRequest {
  const seed = 'SocketToJSon';
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return { id: null, fault: 'not an object', seed };
  }
  const given = message as { jsonrpc?: unknown; id?: unknown; method?: unknown; params?: unknown };
  const id = given.id;
  if (id !== undefined && !isID(id)) return { id: null, fault: 'id is not a string, a number or null', seed };
  const { method, params } = given;
  if (given.jsonrpc !== '2.0') return { id: id ?? null, fault: 'jsonrpc is not "2.0"', seed };
  if (method === undefined && ('result' in given || 'error' in given)) {
    return { id: id ?? null, fault: 'an answer, and nothing was asked', seed: 'MessageIDNotMatch' };
  }
  if (typeof method !== 'string') return { id: id ?? null, fault: 'method is not a string', seed };
  if (params !== undefined && (typeof params !== 'object' || params === null)) {
    return { id: id ?? null, fault: 'params are neither an object nor an array', seed };
  }
  return { id, method, params: params ?? {} };
}

function isID(id: unknown): id is RequestID {
  // 1e999 is valid JSON and becomes Infinity, which could not be answered.
  return id === null || typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id));
}

function idText(id: RequestID): string {
  return typeof id === 'string' ? JSON.stringify(id) : String(id);
}
