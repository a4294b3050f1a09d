import { AmiError } from './errors.ts';

/** Value of a field; as text it holds no line break. */
export type AmiValue = string | number | boolean;

/** An action: its name under `Action`, and its fields; a list repeats the header (`Variable`). */
export type AmiFields = { readonly Action: string } & Readonly<Record<string, AmiValue | readonly AmiValue[]>>;

/** Asterisk reads a line into 1,024 bytes, line end included, and throws a longer one away (main/manager.c). */
export const MAX_LINE_BYTES = 1024;
/** Asterisk refuses a message of more lines (AST_MAX_MANHEADERS): "Too many lines in message". */
export const MAX_LINES = 128;

const KEY = /^[A-Za-z][A-Za-z0-9_()-]{0,79}$/;

/**
 * The bytes of an action. A carriage return, line feed or NUL in a key or value would let a caller's name add headers
 * or whole actions of its own, so it is refused before anything is sent; so is what Asterisk would silently cut off.
 *
 * @param node the node's name, for the error
 * @param fields the action; `ActionID` is not the caller's to give
 * @param actionId ours, unique across processes
 * @throws AmiError `invalid-field`, naming the key and never the value
 */
export function encodeAction(node: string, fields: AmiFields, actionId: string): string {
  const name = typeof fields.Action === 'string' && KEY.test(fields.Action) ? fields.Action : 'action';
  const fail = (what: string): AmiError => new AmiError(node, name, 'invalid-field', what);
  if (typeof fields.Action !== 'string' || !KEY.test(fields.Action)) throw fail('the action has no valid name');
  const lines = [`Action: ${fields.Action}`, `ActionID: ${actionId}`];
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'Action') continue;
    if (!KEY.test(key)) throw fail(`a field name of ${key.length} characters is not a header name`);
    if (key.toLowerCase() === 'actionid' || key.toLowerCase() === 'action') throw fail(`${key} is set by the client`);
    for (const item of Array.isArray(value) ? value : [value]) {
      const text = String(item);
      for (let i = 0; i < text.length; i += 1) {
        const code = text.charCodeAt(i);
        if (code === 0x0d || code === 0x0a || code === 0) throw fail(`${key} holds a line break or NUL`);
      }
      const line = `${key}: ${text}`;
      if (Buffer.byteLength(line) + 2 > MAX_LINE_BYTES) throw fail(`${key} is longer than Asterisk reads`);
      lines.push(line);
    }
  }
  if (lines.length > MAX_LINES) throw fail(`more than ${MAX_LINES} lines, which Asterisk refuses`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
