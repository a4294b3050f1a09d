import type { AmiMessage } from './message.ts';

/**
 * Why an action, a login or a connection failed.
 *
 * - `invalid-field`    a key or value that the protocol cannot carry safely; nothing was sent
 * - `not-connected`    no logged-in connection at the moment; nothing was sent
 * - `busy`             too many actions await their answer; nothing was sent
 * - `refused`          Asterisk answered `Response: Error` (the answer is in `response`)
 * - `timeout`          no complete answer within the deadline; the action may have been carried out
 * - `connection-lost`  the connection went while the answer was awaited; the action may have been carried out
 * - `too-large`        the answer or the list passed its bound
 * - `login-refused`    wrong user name, secret or address; the client goes on trying, slowly
 * - `protocol`         the other side does not speak AMI
 * - `closed`           the client was closed by its owner
 */
export type AmiErrorCode =
  | 'invalid-field'
  | 'not-connected'
  | 'busy'
  | 'refused'
  | 'timeout'
  | 'connection-lost'
  | 'too-large'
  | 'login-refused'
  | 'protocol'
  | 'closed';

const RETRYABLE: ReadonlySet<AmiErrorCode> = new Set(['not-connected', 'busy', 'timeout', 'connection-lost']);
const NOT_SENT: ReadonlySet<AmiErrorCode> = new Set(['invalid-field', 'not-connected', 'busy']);

/** The one error of this client. Its message names the node and the action, never a field's value. */
export class AmiError extends Error {
  override readonly name = 'AmiError';
  /** The node that the client serves, as its owner named it. */
  readonly node: string;
  /** The action's name, e.g. `PJSIPNotify`; `connect` for what concerns the connection itself. */
  readonly action: string;
  readonly code: AmiErrorCode;
  /** True if the same action may succeed later without being changed. */
  readonly retryable: boolean;
  /** False if it is certain that Asterisk never saw the action. */
  readonly sent: boolean;
  /** Asterisk's answer, where there was one. */
  readonly response: AmiMessage | undefined;

  constructor(node: string, action: string, code: AmiErrorCode, message: string, response?: AmiMessage) {
    super(`AMI ${node}: ${action}: ${message}`);
    this.node = node;
    this.action = action;
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    this.sent = !NOT_SENT.has(code);
    this.response = response;
  }
}
