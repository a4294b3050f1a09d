/**
 * Why a request failed:
 * - `status`: Asterisk answered with an error status (see `status`)
 * - `timeout`: the request's deadline passed; whether Asterisk carried it out is not known
 * - `aborted`: the request's own signal was aborted
 * - `connection`: the connection could not be made or was lost; whether Asterisk carried it out is not known
 * - `overload`: too many requests are under way already; it was not sent
 * - `too-large`: the request or the response exceeds a limit
 * - `malformed`: the response is not what ARI speaks
 * - `closed`: the client is closed
 * - `replaced`: another client has taken over the application
 */
export type AriErrorKind =
  | 'status'
  | 'timeout'
  | 'aborted'
  | 'connection'
  | 'overload'
  | 'too-large'
  | 'malformed'
  | 'closed'
  | 'replaced';

/** What an {@link AriError} is made of. */
export interface AriErrorDetails {
  /** name of the node, as given to the client */
  node: string;
  method: string;
  /** path without query, so that no value of a parameter can appear in it but ids */
  path: string;
  kind: AriErrorKind;
  /** one sentence: Asterisk's own message where there is one */
  reason: string;
  /** HTTP status, when Asterisk answered */
  status?: number;
  cause?: unknown;
}

/** The one error of this client. Never holds credentials, query strings or bodies. */
export class AriError extends Error {
  readonly node: string;
  readonly method: string;
  readonly path: string;
  readonly kind: AriErrorKind;
  readonly reason: string;
  readonly status: number | undefined;
  /**
   * True when the same request may succeed later. Repeating it is harmless where the ids were chosen by the client: a
   * creation that had succeeded after all then answers 409.
   */
  readonly retryable: boolean;

  constructor(details: AriErrorDetails) {
    super(
      `${details.node}: ${details.method} ${details.path}: ${details.status === undefined ? '' : `${details.status} `}${details.reason}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = 'AriError';
    this.node = details.node;
    this.method = details.method;
    this.path = details.path;
    this.kind = details.kind;
    this.reason = details.reason;
    this.status = details.status;
    this.retryable = isRetryable(details.kind, details.status);
  }
}

function isRetryable(kind: AriErrorKind, status: number | undefined): boolean {
  switch (kind) {
    case 'timeout':
    case 'connection':
    case 'overload':
      return true;
    case 'status':
      // 503: Asterisk is booting or shutting down. 500 is a refusal (an unreachable endpoint reads "Allocation failed").
      return status === 503 || status === 502 || status === 504 || status === 429;
    default:
      return false;
  }
}

/** True for an {@link AriError} with that HTTP status. */
export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof AriError && error.status === status;
}
