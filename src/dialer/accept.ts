import type { z } from 'zod';
import type { FlowStatus } from '../cti/flow-status.ts';
import type { Account, Flow } from './book.ts';
import { validationFault } from './flow-variables.ts';
import { numberFault } from './number-check.ts';
import { ENTRY } from './shapes.ts';
import { startTime } from './start-time.ts';

/** What one entry of `calls` asks for, or why it is refused. */
export type Entry = {
  readonly clientIdentifier: string;
  readonly numbers: readonly string[];
  readonly variables: Readonly<Record<string, string | number | boolean>>;
} & (
  | { readonly accepted: true; readonly at: number; readonly future: boolean }
  | { readonly accepted: false; readonly status: FlowStatus }
);

/** What is left of the account and the flow for further calls of the request. */
export interface Room {
  /** Calls that the balance still pays; undefined: no limit. */
  balance: number | undefined;
  /** Calls that the flow may still have waiting. */
  waiting: number;
}

/** A shape that is not the API's: there is no better word for it in the seed than REJECTED. */
class Malformed extends Error {}

function field<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const read = schema.safeParse(given);
  if (!read.success) throw new Malformed();
  return read.data;
}

/** All numbers that entries of `calls` name; an entry of another shape has none. */
export function numbersIn(calls: readonly unknown[]): string[] {
  return calls.flatMap((entry) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const read = ENTRY.numbers.safeParse((entry as Readonly<Record<string, unknown>>)['contact-numbers']);
    return read.success ? read.data : [];
  });
}

/** False where the call names an agent whom the flow does not have: it would wait for ever. */
function knowsAgent({ config }: Flow, variables: Entry['variables']): boolean {
  const named = config.agentKey === undefined ? undefined : variables[config.agentKey];
  return named === undefined || config.agents.includes(String(named));
}

/** The account’s validity has ended. */
export function isExpired(account: Account, now: number): boolean {
  const { validUntil } = account.config;
  return validUntil !== undefined && Date.parse(validUntil) <= now;
}

/**
 * Looks at one entry of `calls`. Numbers that must not be called are left out; a call is refused for its numbers only
 * where none remains, with the fault of the first.
 *
 * @param room is made smaller by an accepted call
 * @param now Unix ms
 * @param faultOf why a number must not be called; by the configuration's lists alone where absent
 */
export function acceptEntry(
  entry: unknown,
  flow: Flow,
  room: Room,
  now: number,
  faultOf: (number: string) => FlowStatus | undefined = (number) => numberFault(number, flow),
): Entry {
  let read: { clientIdentifier: string; numbers: readonly string[]; variables: Entry['variables'] } = {
    clientIdentifier: '',
    numbers: [],
    variables: {},
  };
  const refused = (status: FlowStatus): Entry => ({ ...read, accepted: false, status });
  try {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return refused('REJECTED');
    const given = entry as Readonly<Record<string, unknown>>;
    read = { ...read, clientIdentifier: field(ENTRY.clientIdentifier, given['client-identifier']) };
    const numbers = field(ENTRY.numbers, given['contact-numbers']);
    read = { ...read, variables: field(ENTRY.keys, given['keys']) };
    const faults = numbers.map(faultOf);
    const good = numbers.filter((_n, i) => faults[i] === undefined);
    read = { ...read, numbers: good };
    if (good.length === 0) return refused(faults[0] ?? 'INVALID_CONTACT_NUMBER');
    const start = startTime(given['start-time'], now);
    if ('fault' in start) return refused(start.fault);
    const invalid = validationFault(read.variables, flow.config.validations);
    if (invalid !== undefined) return refused(invalid);
    if (!knowsAgent(flow, read.variables)) return refused('FLOW_VARIABLE_VALIDATION_FAILED');
    if (isExpired(flow.account, now)) return refused('ACCOUNT_VALIDITY_EXPIRED');
    if (room.balance !== undefined && room.balance <= 0) return refused('INSUFFICIENT_BALANCE');
    if (room.waiting <= 0) return refused('MAX_CAPACITY_REACHED');
    if (room.balance !== undefined) room.balance--;
    room.waiting--;
    return { ...read, accepted: true, at: start.at, future: start.future };
  } catch (error) {
    if (error instanceof Malformed) return refused('REJECTED');
    throw error;
  }
}
