import type {
  CallPlacing,
  CampaigncallStore,
  DialerStore,
  EventLog,
  FlowStore,
  MaskStore,
  NumberListStore,
  QueueWatch,
  Requests,
} from '../ports.ts';

/** What the dialler works with. */
export interface DialerDeps {
  readonly store: DialerStore;
  readonly flows: FlowStore;
  readonly campaigncalls: CampaigncallStore;
  readonly masks: MaskStore;
  readonly lists: NumberListStore;
  readonly events: EventLog;
  readonly placing: CallPlacing;
  readonly requests: Requests;
  /** The number that calls over a trunk show where their flow names none. */
  readonly callerIdOf: (trunk: string | undefined) => string | undefined;
  readonly queues: QueueWatch;
  /** Names this process; no other has the same. */
  readonly owner: string;
  /** False where another instance has the agents and queues, whose pace the dialler follows: that one leads. */
  readonly mayLead?: () => boolean;
  /** How long the store has been back since it was last away, ms; absent or Infinity: it never was. */
  readonly storeBackForMs?: () => number;
  /** Unix ms. */
  readonly now: () => number;
  /** A random UUID. */
  readonly uuid: () => string;
  /** True for an error of the store that waiting may mend. */
  readonly isPassing: (error: unknown) => boolean;
  readonly log: DialerLog;
}

/** No number and no variable of a call ever gets here. */
export interface DialerLog {
  info(what: string, details: Readonly<Record<string, unknown>>): void;
  warn(what: string, details: Readonly<Record<string, unknown>>): void;
}
