import type {
  CallPlacing,
  ContactAnswer,
  ContactQuestion,
  ContactStore,
  EventLog,
  Rate,
  TicketDesk,
  Unanswered,
} from '../ports.ts';

/** What the contacts work with. */
export interface ContactDeps {
  readonly store: ContactStore;
  readonly events: EventLog;
  readonly desk: TicketDesk;
  readonly placing: Pick<CallPlacing, 'chooseCallID'>;
  /** Has it answered where the agents and queues are, here or at another instance. */
  readonly ask: (question: ContactQuestion) => Promise<ContactAnswer | Unanswered>;
  /** Unix ms. */
  readonly now: () => number;
  /** A random UUID. */
  readonly uuid: () => string;
  /** 32 lower-case hex digits of randomness. */
  readonly randomHex: () => string;
  readonly rate: (perSecond: number) => Rate;
  /** A callback that was claimed for its call longer ago than this, and of whose call nothing is known, is given up, ms. */
  readonly carryOnMs: number;
  /** True for an error of the store that waiting may mend. */
  readonly isPassing: (error: unknown) => boolean;
  readonly log: ContactLog;
}

/** No number, no name and no variable of a contact ever gets here. */
export interface ContactLog {
  info(what: string, details: Readonly<Record<string, unknown>>): void;
  warn(what: string, details: Readonly<Record<string, unknown>>): void;
}
