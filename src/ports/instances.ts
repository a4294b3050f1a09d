import type { CallID, CompanyId } from '../cti/ids.ts';
import type { ContactQuestion } from './contacts.ts';

/** A caller as it is told to another instance. */
export interface PeerCaller {
  readonly companyId: CompanyId;
  readonly keyName: string;
  readonly scopes: readonly string[];
}

/** What one instance asks another that owns what it is about. */
export type PeerQuestion =
  | { readonly ask: 'request'; readonly caller: PeerCaller; readonly method: string; readonly params: unknown }
  | {
      readonly ask: 'place';
      readonly caller: PeerCaller;
      readonly callID: CallID;
      readonly params: unknown;
      /** For whom and how it is placed, in the engine's words. */
      readonly as: unknown;
    }
  /** What a client asks of callbacks and tasks. */
  | { readonly ask: 'contact'; readonly question: ContactQuestion }
  /** What calls have told, for the agents and queues, in order. */
  | { readonly ask: 'notes'; readonly notes: readonly unknown[] }
  /** What agents and queues ask of a call. */
  | { readonly ask: 'effect'; readonly companyId: CompanyId; readonly callID: CallID; readonly effect: unknown };

/** What came of asking another instance. */
export type PeerAnswer =
  | { readonly outcome: 'answered'; readonly body: unknown }
  /** It does not own what the question is about, or could not be reached: nothing was done. */
  | { readonly outcome: 'not-done' }
  /** It may have been done: the answer did not come. */
  | { readonly outcome: 'unknown' };

/** The way to the other instances. */
export interface Peers {
  /** Asks an instance. Never rejects. @param timeoutMs within which the answer must be there */
  ask(url: string, question: PeerQuestion, timeoutMs: number): Promise<PeerAnswer>;
}

/** What answers other instances. */
export interface PeerDesk {
  /** @returns undefined where this instance does not own what the question is about: nothing was done */
  answer(question: PeerQuestion): Promise<{ readonly body: unknown } | undefined>;
}
