import { ErrorReply } from 'redis';

/**
 * Redis could not be reached, or is for the moment not able to serve: nothing is known to have been stored. A commit
 * that fails so may nevertheless have been stored (the reply was lost); repeating it with the same token finds out.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  /** Whether the same request may succeed later; false once the store has been closed by us. */
  readonly retryable: boolean;
  /** Whether it was sent, and may have been carried out. */
  readonly sent: boolean;

  constructor(reason: string, retryable: boolean, cause?: unknown, sent = true) {
    super(`store unavailable: ${reason}`, { cause });
    this.retryable = retryable;
    this.sent = sent;
  }
}

/** Redis answered with something that must not happen: a key of a wrong type, a broken value, a failing script. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
}

/** Replies by which Redis says that it cannot serve now; the first word of its error text. */
const NOT_NOW = new Set([
  'LOADING',
  'READONLY',
  'UNBLOCKED',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'BUSY',
  'OOM',
  'MISCONF',
  'NOREPLICAS',
  'UNKILLABLE',
]);

/** Whether Redis does not know a script by its digest: it was restarted, or its scripts were flushed. */
export function isNoScript(error: unknown): boolean {
  return error instanceof ErrorReply && error.message.startsWith('NOSCRIPT');
}

/** Whether a server says that it is a replica: it may have been a master before. */
export function isReplica(error: unknown): boolean {
  return error instanceof ErrorReply && /^(READONLY|UNBLOCKED) /.test(error.message);
}

/**
 * What a failed command means.
 *
 * @param error what the Redis client rejected with
 * @param closed whether we closed the connection ourselves
 */
export function asStoreError(error: unknown, closed: boolean): StoreUnavailable | StoreFault {
  if (error instanceof StoreUnavailable || error instanceof StoreFault) return error;
  const text = error instanceof Error ? error.message || error.name : String(error);
  if (error instanceof ErrorReply) {
    const word = text.split(' ', 1)[0] ?? '';
    if (!NOT_NOW.has(word)) return new StoreFault(text, { cause: error });
    return new StoreUnavailable(word, true, error);
  }
  return new StoreUnavailable(
    closed ? 'closed' : error instanceof Error ? error.constructor.name : text,
    !closed,
    error,
  );
}
