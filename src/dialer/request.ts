import { z } from 'zod';
import { type Account, type Book, type Flow, trunkOf } from './book.ts';
import type { ApiCode } from './codes.ts';
import { HEAD, MAX_CALLS } from './shapes.ts';

/** A request whose head is in order; its calls are still to be looked at one by one. */
export interface MakeCallRequest {
  readonly flow: Flow;
  readonly calls: readonly unknown[];
}

const Head = z.looseObject(HEAD);

type Refused = { readonly refused: ApiCode };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Checks everything of a request but its calls, in the order: address, format, mandatory parameters, security id,
 * address of that account, flow, version, gateway, list of calls.
 *
 * @param payload the body as it was parsed
 * @param ip where it came from
 * @param serving a node serves now; asked only where the request names its gateway
 */
export function readRequest(
  payload: unknown,
  ip: string,
  book: Book,
  serving: () => boolean,
): MakeCallRequest | Refused {
  if (book.accountsFor(ip).length === 0) return { refused: 'IP_NOT_WHITELISTED' };
  if (!isObject(payload)) return { refused: 'INVALID_FORMAT' };
  const head = Object.keys(HEAD).map((name) => payload[name]);
  if (head.some((v) => v === undefined || v === null || v === '')) return { refused: 'INVALID_MANDATORY_PARAMETERS' };
  if (payload['calls'] === undefined) return { refused: 'INVALID_MANDATORY_PARAMETERS' };
  const { calls } = payload;
  const read = Head.safeParse(payload);
  if (!read.success) return { refused: 'INVALID_FORMAT' };
  const { 'api-version': version, 'security-id': securityId, 'flow-id': flowId } = read.data;
  if (calls !== null && !Array.isArray(calls)) return { refused: 'INVALID_FORMAT' };
  const account = authorised(securityId, ip, book);
  if ('refused' in account) return account;
  const flow = account.flows.get(flowId);
  if (!flow) return { refused: 'INVALID_FLOW_ID' };
  if (version !== '1.0' && version !== 'TEST') return { refused: 'INVALID_API_VERSION' };
  if ((version === 'TEST') !== (flow.config.state === 'testing')) return { refused: 'INVALID_FLOW_VERSION' };
  const gateway = payload['gateway-id'];
  if (gateway !== undefined) {
    if (gateway !== trunkOf(flow)) return { refused: 'INVALID_GATEWAY_ID' };
    if (!serving()) return { refused: 'FAILURE_FROM_GATEWAY' };
  }
  if (calls === null || calls.length === 0) return { refused: 'EMPTY_CALL_LIST' };
  if (calls.length > MAX_CALLS) return { refused: 'MAX_DATA_LIST_SIZE_EXCEEDED' };
  return { flow, calls };
}

/** The account of a security id, for an address that may use it. */
export function authorised(securityId: string, ip: string, book: Book): Account | Refused {
  const account = book.account(securityId);
  if (!account) return { refused: 'INVALID_SECURITY_ID' };
  return account.allows(ip) ? account : { refused: 'IP_NOT_WHITELISTED' };
}
