import { randomBytes } from 'node:crypto';
import { Waiting } from '../../lab/waiting.ts';
import type { Call } from '../../src/calls/call.ts';
import type { MakeCall } from '../../src/calls/input.ts';
import { begin } from '../../src/calls/step.ts';
import type { NewCtiEvent } from '../../src/cti/events.ts';
import { CompanyId, newCallID } from '../../src/cti/ids.ts';
import type { Commit, LoggedEvent } from '../../src/ports.ts';
import { Store, type StoreOptions } from '../../src/store/store.ts';

/** What a store has told its listener, to be looked at by tests. */
export interface Told {
  readonly down: string[];
  readonly up: string[];
  readonly errors: Error[];
}

/** A store on a key prefix of its own, with what it tells. @param at the URL of its Redis, or its sentinels */
export function newStore(
  at: string | NonNullable<StoreOptions['sentinel']>,
  options: Partial<StoreOptions> = {},
): { store: Store; told: Told } {
  const told: Told = { down: [], up: [], errors: [] };
  const store = new Store({
    ...(typeof at === 'string' ? { url: at } : { sentinel: at }),
    prefix: `t${randomBytes(6).toString('hex')}`,
    listener: {
      onDown: (connection) => void told.down.push(connection),
      onUp: (connection) => void told.up.push(connection),
      onError: (error) => void told.errors.push(error),
    },
    ...options,
  });
  return { store, told };
}

export const company = (name: string): CompanyId => CompanyId.parse(name);

/** A call just begun, and the events that tell so. */
export function newCall(companyId: CompanyId, change: Partial<Call> = {}): { call: Call; events: NewCtiEvent[] } {
  const birth: MakeCall = {
    kind: 'make',
    callID: newCallID(randomBytes(16).toString('hex'), 1),
    companyId,
    node: 'node-1',
    callType: 'Outbound',
    makeCallType: 'Regular',
    firstLeg: 'agent',
    agent: { dn: '1001', kind: 'user', endpoint: 'PJSIP/1001' },
    target: { dn: '02079460000', kind: 'customer', endpoint: 'PJSIP/02079460000@trunk', trunk: 'trunk' },
    ringTimeout: 30,
    attachedData: { note: 'Zoë “quoted” \\ {brace}' },
    referenceID: 7,
  };
  const outcome = begin(birth, 1_700_000_000_000);
  return { call: { ...outcome.call, ...change }, events: [...outcome.events] };
}

/** A commit of that call as a new one of shard `ringmaster-0`. */
export function commitOf(made: { call: Call; events: readonly NewCtiEvent[] }, change: Partial<Commit> = {}): Commit {
  return {
    companyId: made.call.companyId,
    shard: 'ringmaster-0',
    fence: 1,
    version: 0,
    call: made.call,
    events: made.events,
    ...change,
  };
}

/** Gathers what a tail tells, and waits for it by what has been heard, never by time. */
export class Heard {
  readonly events: LoggedEvent[] = [];
  losses = 0;
  readonly #waiting = new Waiting();

  /** Hears a company's events from now on. */
  static async on(store: Store, companyId: CompanyId): Promise<Heard> {
    const heard = new Heard();
    store.events.tail(companyId, heard.hear, heard.lost);
    await store.events.lastEventID(companyId);
    return heard;
  }

  readonly hear = (events: readonly LoggedEvent[]): void => {
    this.events.push(...events);
    this.#waiting.changed();
  };

  readonly lost = (): void => {
    this.losses += 1;
    this.#waiting.changed();
  };

  get ids(): number[] {
    return this.events.map((e) => e.eventID);
  }

  /** Resolves once the condition holds; the test's own timeout is the limit. */
  until(condition: (heard: Heard) => boolean): Promise<void> {
    return this.#waiting.until(() => condition(this));
  }
}

/** The whole numbers from `first` to `last`. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
