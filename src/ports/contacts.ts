import type { AgentID, CallID, CompanyId } from '../cti/ids.ts';
import type { ParamsOf } from '../cti/requests.ts';
import type { PlacingOutcome } from './dialer.ts';
import type { Caller } from './rpc.ts';

/** Lets so many through in a second. */
export interface Rate {
  /** @returns false where it is over the rate */
  take(): boolean;
}

/**
 * Something that is no call and waits in a queue for an agent as calls do, or has one. Its callID is a ticket: the call
 * that comes of it, if one does, goes by the same id and takes the agent over.
 */
export interface Ticket {
  readonly callID: CallID;
  /** Present while it waits. */
  readonly waiting?: {
    readonly queue: string;
    /** Unix ms: its place. */
    readonly since: number;
    /** Number of the last assignment that it has taken. */
    readonly assignment: number;
    /** An agent has it before him, and has not taken it yet. */
    readonly offered: boolean;
    /** It has been sent on once: not again. */
    readonly overflowed: boolean;
  };
  /** Whom it has, or had. */
  readonly agent?: {
    readonly dn: string;
    readonly assignment: number;
    /** He is busy with it, or it is offered to him. */
    readonly present: boolean;
    /** He has taken it. */
    readonly taken: boolean;
    /** He let it go by. */
    readonly missed: boolean;
  };
}

/** Those who put tickets in queues. What is told here is told once, synchronously; the answer is a new ticket's state. */
export interface TicketHolder {
  /** The tickets of a company that are out, as at a start. */
  tickets(companyId: CompanyId): readonly Ticket[];
  /** An agent has been chosen. @returns false where it is no ticket of this holder's; one that it is is declined later */
  assigned(
    companyId: CompanyId,
    callID: CallID,
    agent: { readonly dn: string; readonly agentID: AgentID; readonly assignment: number },
  ): boolean;
  /**
   * It has waited too long for its queue.
   *
   * @param queue where it goes now; undefined: it stays
   * @returns false where it is no ticket of this holder's
   */
  sentOn(companyId: CompanyId, callID: CallID, queue: string | undefined): boolean;
}

/** What became of the call of a ticket. */
export interface TicketCall {
  readonly state: 'live' | 'ended' | 'unknown';
  /** Agent and customer talk, or talked. */
  readonly bridged: boolean;
  /** It was over before that because the agent's phone was not answered. */
  readonly agentMissed: boolean;
}

/** Queues for those who hold tickets. */
export interface TicketDesk {
  /** Names the one who holds tickets; before the floors are opened. */
  serve(holder: TicketHolder): void;
  /** Agents and queues of a company are served here. */
  open(companyId: CompanyId): boolean;
  /** How a ticket stands now. */
  tell(companyId: CompanyId, ticket: Ticket): void;
  /** A ticket did not take an assignment. */
  decline(companyId: CompanyId, callID: CallID, assignment: number): void;
  /** A ticket's agent is called, and when he has answered its customer, under the ticket's id. */
  call(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    of: { readonly queue: string; readonly assignment: number },
  ): Promise<PlacingOutcome>;
  becameOf(companyId: CompanyId, callID: CallID): Promise<TicketCall>;
  /**
   * How a place in a queue stands.
   *
   * @param since Unix ms
   * @returns how many wait before it and have nobody yet, and how many agents of the queue are logged in
   */
  standing(companyId: CompanyId, queue: string, since: number): { readonly ahead: number; readonly agents: number };
}

/**
 * What a client or an agent asks of contacts. Whether he may is checked where he is connected; it is answered where the
 * agents and queues are.
 */
export type ContactQuestion =
  | {
      readonly what: 'create';
      readonly companyId: CompanyId;
      readonly kind: 'callback' | 'task';
      readonly feedId: string;
      /** The new contact's, so that asking twice makes one. */
      readonly id: string;
      /** As they came. */
      readonly fields: unknown;
    }
  | {
      readonly what: 'find' | 'cancel';
      /** Of one of these. */
      readonly companyIds: readonly CompanyId[];
      readonly kind: 'callback' | 'task';
      readonly id: string;
    }
  | { readonly what: 'tasks'; readonly companyId: CompanyId; readonly agentID: string }
  | {
      readonly what: 'accept' | 'decline' | 'complete';
      readonly companyId: CompanyId;
      readonly id: string;
      readonly agentID: string;
    };

/** The answer, as the client is given it: an HTTP status, and the contact or the tasks as they are shown. */
export interface ContactAnswer {
  readonly status: 200 | 201 | 400 | 404 | 409 | 429;
  readonly contact?: unknown;
  readonly tasks?: readonly unknown[];
}

/** Nobody has the agents and queues; or whoever was asked did not answer, and it may have been done. */
export type Unanswered = 'not-ready' | 'unknown';

/** Who answers what is asked of contacts. */
export interface ContactAnswers {
  /** @returns undefined where the agents and queues are not here: nothing was done */
  answer(question: ContactQuestion): Promise<ContactAnswer | undefined>;
}

/** A contact as the store keeps it; it does not look into the document. */
export interface ContactDocument {
  readonly id: string;
  readonly json: string;
  readonly version: number;
}

export interface ContactCommit {
  readonly companyId: CompanyId;
  readonly id: string;
  readonly json: string;
  /** Version that it has in the store before this commit; 0: none. */
  readonly version: number;
  /** It is handled or discarded: kept so long and so many. */
  readonly ended?: { readonly keepSeconds: number; readonly keepAtMost: number };
}

/** Where contacts are kept. Methods reject (StoreUnavailable) while Redis cannot be reached. */
export interface ContactStore {
  /** The same commit again, after its reply was lost, is answered as the first time. */
  commit(commit: ContactCommit): Promise<'stored' | 'conflict'>;
  /**
   * Names the contacts that a desk has in memory: a store that has lost their latest state has it again before it can be asked
   * for anything.
   *
   * @param held asked after a loss, and answered at once
   * @returns to be called when they are held no more
   */
  holding(companyId: CompanyId, held: () => readonly ContactDocument[]): () => void;
  find(companyId: CompanyId, id: string): Promise<ContactDocument | undefined>;
  /** Those that are neither handled nor discarded. */
  live(companyId: CompanyId): Promise<ContactDocument[]>;
}
