import { randomBytes } from 'node:crypto';
import { AmiError, type AmiErrorCode } from './errors.ts';
import type { AmiMessage } from './message.ts';

/** Tells this process's actions from those of any other that is logged in at the same Asterisk. */
const PROCESS_PREFIX = randomBytes(8).toString('hex');
let counter = 0;

/** An ActionID that no other process, and no earlier connection of this one, has used. */
export function nextActionId(): string {
  counter += 1;
  return `${PROCESS_PREFIX}-${counter.toString(36)}`;
}

/** What a finished list action gathered. */
export interface AmiList {
  readonly response: AmiMessage;
  readonly items: readonly AmiMessage[];
  /** The event that ended the list; its `ListItems` is Asterisk's own count. */
  readonly complete: AmiMessage;
}

/** What an action whose outcome is an event came to. */
export interface AmiOutcome {
  readonly response: AmiMessage;
  readonly event: AmiMessage;
}

/** How an awaited answer is put together. */
type Awaited =
  | { kind: 'response'; resolve: (response: AmiMessage) => void }
  | { kind: 'list'; resolve: (list: AmiList) => void; items: AmiMessage[]; max: number; response?: AmiMessage }
  | {
      kind: 'event';
      eventName: string;
      resolve: (outcome: AmiOutcome) => void;
      response?: AmiMessage;
      event?: AmiMessage;
    };

interface Entry {
  action: string;
  awaited: Awaited;
  reject: (error: AmiError) => void;
  timer: NodeJS.Timeout;
}

/** Lists given up on whose events still arrive; more than this at once are not remembered. */
const MAX_ABANDONED = 256;

/**
 * The actions of one connection that await their answer. Every entry ends exactly once: by its answer, its deadline, or
 * the connection's end.
 */
export class ActionTable {
  readonly #node: string;
  readonly #entries = new Map<string, Entry>();
  readonly #abandoned = new Set<string>();
  readonly stats = { unmatchedResponses: 0, lateListEvents: 0, timeouts: 0, refused: 0 };

  constructor(node: string) {
    this.#node = node;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Starts to wait; the deadline (ms) covers the whole answer, a list's last event included. */
  add(id: string, action: string, awaited: Awaited, reject: (error: AmiError) => void, timeoutMs: number): void {
    const timer = setTimeout(() => {
      this.stats.timeouts += 1;
      this.#fail(id, 'timeout', `no complete answer within ${timeoutMs} ms`);
    }, timeoutMs);
    this.#entries.set(id, { action, awaited, reject, timer });
  }

  /** An answer came. */
  response(message: AmiMessage): void {
    const id = message.get('ActionID') ?? '';
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.stats.unmatchedResponses += 1;
      return;
    }
    if (message.truncated) {
      this.#fail(id, 'too-large', 'the answer is larger than this client accepts', message);
      return;
    }
    if (!message.ok) {
      this.stats.refused += 1;
      this.#fail(id, 'refused', message.get('Message') ?? 'refused without a reason', message);
      return;
    }
    const { awaited } = entry;
    if (awaited.kind === 'response') {
      this.#take(id);
      awaited.resolve(message);
      return;
    }
    awaited.response = message;
    if (awaited.kind === 'event') this.#settleOutcome(id, awaited);
  }

  /** An event came: true if it belonged to an action here and is not for the client's listeners. */
  event(message: AmiMessage): boolean {
    const id = message.get('ActionID');
    if (id === undefined) return false;
    const awaited = this.#entries.get(id)?.awaited;
    if (awaited === undefined) return this.#lateEvent(id, message);
    if (awaited.kind === 'event' && message.name === awaited.eventName) {
      awaited.event = message;
      this.#settleOutcome(id, awaited);
      return true;
    }
    if (awaited.kind !== 'list') return false;
    this.#listEvent(id, awaited, message);
    return true;
  }

  #settleOutcome(id: string, awaited: Extract<Awaited, { kind: 'event' }>): void {
    const { response, event } = awaited;
    if (response === undefined || event === undefined) return;
    this.#take(id);
    awaited.resolve({ response, event });
  }

  #listEvent(id: string, awaited: Extract<Awaited, { kind: 'list' }>, message: AmiMessage): void {
    const end = listEnd(message);
    if (end === 'cancelled') {
      this.#fail(id, 'refused', 'Asterisk cancelled the list', message);
    } else if (end === 'complete') {
      this.#take(id);
      // Asterisk answers before the first item; a list that ended without an answer stands on its last event.
      awaited.resolve({ response: awaited.response ?? message, items: awaited.items, complete: message });
    } else if (awaited.items.length >= awaited.max || message.truncated) {
      this.#fail(id, 'too-large', `the list is longer than ${awaited.max} items or one of them too large`);
    } else {
      awaited.items.push(message);
    }
  }

  #lateEvent(id: string, message: AmiMessage): boolean {
    if (!this.#abandoned.has(id)) return false;
    this.stats.lateListEvents += 1;
    if (listEnd(message) !== undefined) this.#abandoned.delete(id);
    return true;
  }

  #take(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    clearTimeout(entry.timer);
    this.#entries.delete(id);
    return entry;
  }

  #fail(id: string, code: AmiErrorCode, message: string, response?: AmiMessage): void {
    const entry = this.#take(id);
    if (entry === undefined) return;
    if (entry.awaited.kind === 'list' && code !== 'refused') {
      if (this.#abandoned.size >= MAX_ABANDONED) {
        const oldest = this.#abandoned.values().next().value;
        if (oldest !== undefined) this.#abandoned.delete(oldest);
      }
      this.#abandoned.add(id);
    }
    entry.reject(new AmiError(this.#node, entry.action, code, message, response));
  }

  /** The connection is gone: every awaited answer fails. */
  failAll(code: AmiErrorCode, message: string): void {
    for (const id of [...this.#entries.keys()]) this.#fail(id, code, message);
    this.#abandoned.clear();
  }
}

function listEnd(message: AmiMessage): 'complete' | 'cancelled' | undefined {
  const mark = message.get('EventList')?.toLowerCase();
  if (mark === 'complete') return 'complete';
  if (mark === 'cancelled') return 'cancelled';
  // Lists of older modules have no EventList header; their last event is still named for its end.
  return mark === undefined && message.name.endsWith('Complete') ? 'complete' : undefined;
}
