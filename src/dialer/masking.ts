import { z } from 'zod';
import type { FlowStatus } from '../cti/flow-status.ts';
import type { MaskStore, NumberListStore } from '../ports.ts';
import { isExpired } from './accept.ts';
import { type Book, type Flow, trunkOf } from './book.ts';
import { type ApiCode, answerHead, codeOfCalls } from './codes.ts';
import { numberFaults } from './number-check.ts';
import { authorised } from './request.ts';

/** Longest that a pair may keep its number, ms: 30 days. */
const LONGEST_MS = 30 * 86_400_000;

const given = z.union([z.string().max(64), z.number()]).transform(String);
const moment = z.iso.datetime({ offset: true });

/** The fields of an allocation, read one by one: each fault has an answer of its own. */
export const MaskBody = z.looseObject({
  'security-id': z.string().describe('The account’s.'),
  'flow-id': z.string().describe('Whose pool is used.'),
  number: given.describe('The number to be masked.'),
  counterpart: given.describe('The one with whom it is to be reached.'),
  validity: z
    .union([moment, z.int().min(1)])
    .describe('Until when, ISO 8601 with an offset; or for so many seconds. At most 30 days.'),
});

/** The fields of a release. */
export const UnmaskBody = z.looseObject({
  'security-id': z.string(),
  'flow-id': z.string(),
  'masked-number': given.describe('The number that the pair was given.'),
  number: given,
  counterpart: given,
});

export type MaskAnswer = Readonly<Record<string, unknown>>;

const refused = (code: ApiCode, status?: FlowStatus): MaskAnswer => ({
  ...answerHead(code),
  ...(status && { status }),
});

interface Pair {
  readonly flow: Flow;
  readonly numbers: readonly [string, string];
  readonly given: Readonly<Record<string, unknown>>;
}

/**
 * Number masking (facades 1): two numbers are given one of the flow's, and whichever of them calls it reaches the other.
 * Under one number each caller has one counterpart, so that many pairs can share it.
 */
export class Masking {
  readonly #store: MaskStore;
  readonly #lists: NumberListStore;
  readonly #book: Book;
  readonly #now: () => number;

  constructor(store: MaskStore, lists: NumberListStore, book: Book, now: () => number) {
    this.#store = store;
    this.#lists = lists;
    this.#book = book;
    this.#now = now;
  }

  /**
   * A request of `allocate`.
   *
   * @param payload the parsed body @param ip where it came from
   */
  async allocate(payload: unknown, ip: string): Promise<MaskAnswer> {
    const pair = await this.#pair(payload, ip);
    if ('answer' in pair) return pair.answer;
    const { flow, numbers } = pair;
    const now = this.#now();
    const until = validUntil(pair.given['validity'], now);
    if (until === undefined) return refused('INVALID_FORMAT', 'INVALID_VALIDITY');
    if (until <= now) return refused('VALIDITY_EXPIRED', 'INVALID_VALIDITY');
    if (isExpired(flow.account, now)) return refused('VALIDITY_EXPIRED', 'ACCOUNT_VALIDITY_EXPIRED');
    const pool = poolOf(flow);
    if (pool.length === 0 || trunkOf(flow) === undefined) return refused('DID_NOT_MAPPED', 'MASK_NOT_AVAILABLE');
    const did = await this.#store.allocate(flow.account.companyId, pool, numbers, until, now);
    if (did === undefined) return refused('NO_MASK_AVAILABLE', 'MASK_NOT_AVAILABLE');
    return {
      ...answerHead('SUCCESS'),
      status: 'MASK_ALLOCATED' satisfies FlowStatus,
      'masked-number': did,
      'valid-until': new Date(until).toISOString(),
    };
  }

  /** A request of `release`: the pair's number is free again before its validity ends. */
  async release(payload: unknown, ip: string): Promise<MaskAnswer> {
    const pair = await this.#pair(payload, ip);
    if ('answer' in pair) return pair.answer;
    const { flow, numbers } = pair;
    const masked = UnmaskBody.shape['masked-number'].safeParse(pair.given['masked-number']);
    if (!masked.success) return refused('INVALID_MANDATORY_PARAMETERS');
    const did = masked.data.replace(/^\+/, '');
    if (!poolOf(flow).includes(did)) return refused('DID_NOT_MAPPED', 'MASK_NOT_AVAILABLE');
    const had = await this.#store.release(flow.account.companyId, did, numbers);
    return refused(had ? 'SUCCESS' : 'NO_DATA_AVAILABLE');
  }

  /** The flow and the two numbers that both requests name; or why not. */
  async #pair(payload: unknown, ip: string): Promise<Pair | { readonly answer: MaskAnswer }> {
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
      return { answer: refused('INVALID_FORMAT') };
    const fields = payload as Readonly<Record<string, unknown>>;
    const missing = (name: string): boolean =>
      fields[name] === undefined || fields[name] === null || fields[name] === '';
    if (missing('security-id') || missing('flow-id')) return { answer: refused('INVALID_MANDATORY_PARAMETERS') };
    const { 'security-id': securityId, 'flow-id': flowId } = fields;
    if (typeof securityId !== 'string' || typeof flowId !== 'string') return { answer: refused('INVALID_FORMAT') };
    const account = authorised(securityId, ip, this.#book);
    if ('refused' in account) return { answer: refused(account.refused) };
    const flow = account.flows.get(flowId);
    if (!flow) return { answer: refused('INVALID_FLOW_ID') };
    if (missing('number')) return { answer: refused('INVALID_MANDATORY_PARAMETERS', 'REQUIRE_MASKED_NUMBER') };
    if (missing('counterpart')) return { answer: refused('INVALID_MANDATORY_PARAMETERS') };
    const given: string[] = [];
    for (const name of ['number', 'counterpart'] as const) {
      const read = MaskBody.shape[name].safeParse(fields[name]);
      if (!read.success) return { answer: refused('INVALID_FORMAT') };
      given.push(read.data.replace(/[\s().-]/g, ''));
    }
    const faults = await numberFaults(this.#lists, flow, given);
    const fault = given.map((n) => faults.get(n)).find((f) => f !== undefined);
    if (fault !== undefined) return { answer: refused(codeOfNumber(fault), fault) };
    const [a = '', b = ''] = given.map((n) => account.rules.canonical(n));
    if (a === b) return { answer: refused('INVALID_CONTACT_NUMBER', 'INVALID_CONTACT_NUMBER') };
    return { flow, numbers: [a, b], given: fields };
  }
}

const poolOf = (flow: Flow): string[] => flow.config.maskingNumbers.map((n) => n.replace(/^\+/, ''));

/** The answer of a request that is refused for one of its numbers. */
function codeOfNumber(fault: FlowStatus): ApiCode {
  const code = codeOfCalls(0, [fault]);
  return code === 'FAILURE' ? 'INVALID_CONTACT_NUMBER' : code;
}

/** Unix ms; undefined where it is no validity. */
function validUntil(validity: unknown, now: number): number | undefined {
  const read = MaskBody.shape.validity.safeParse(validity);
  if (!read.success) return undefined;
  const until = typeof read.data === 'number' ? now + read.data * 1000 : Date.parse(read.data);
  return until - now > LONGEST_MS ? undefined : until;
}
