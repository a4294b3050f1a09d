import { z } from 'zod';
import { attachedDataFault } from '../cti/json.ts';

/**
 * The longest that each field may be, in characters, and the most of a list. The seed leaves its table of them out; these
 * are ours, in one place. What is longer is NOTIFICATION_INVALID_VALUES.
 */
export const MAX_LENGTHS = {
  name: 100,
  title: 255,
  mediaAddress: 32,
  description: 4_096,
  scriptSelector: 32,
  customerUID: 100,
  tag: 64,
  variableName: 64,
  variableValue: 1_024,
  tags: 20,
  variables: 32,
} as const;

const Variable = z.object({ name: z.string().min(1), value: z.string() });
const common = {
  name: z.string().min(1).describe('who asks'),
  title: z.string().min(1).describe('what it is about'),
  description: z.string().optional(),
  scriptSelector: z.string().min(1).optional().describe('chooses the queue, where the feed lists it'),
  tags: z.array(z.string()).optional(),
  variables: z.array(Variable).optional().describe('become attached data of a callback’s call'),
};

/** A callback request: required are name, title and mediaAddress (seed 001). What else it has is passed over. */
export const CallbackMessage = z.object({
  ...common,
  mediaAddress: z.string().min(1).describe('the number to call'),
});

/** A task request. */
export const TaskMessage = z.object({
  ...common,
  mediaAddress: z.string().optional(),
  customerUID: z.string().optional(),
});

/** What a contact was asked for with. */
export interface ContactMessage {
  readonly name: string;
  readonly title: string;
  readonly mediaAddress?: string | undefined;
  readonly description?: string | undefined;
  readonly scriptSelector?: string | undefined;
  readonly customerUID?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly variables?: readonly { readonly name: string; readonly value: string }[] | undefined;
}

/**
 * Looks at the fields of a request.
 *
 * @param fields as they came, from XML or JSON
 * @returns the message; `invalid-message` where a field is missing or of a wrong type, `invalid-values` where one is too
 *   long
 */
export function readMessage(
  kind: 'callback' | 'task',
  fields: unknown,
): ContactMessage | 'invalid-message' | 'invalid-values' {
  const parsed = (kind === 'callback' ? CallbackMessage : TaskMessage).safeParse(fields);
  if (!parsed.success) return 'invalid-message';
  const tooLong = isTooLong(parsed.data) || attachedDataFault(attachedDataOf(parsed.data)) !== undefined;
  return tooLong ? 'invalid-values' : parsed.data;
}

function isTooLong(message: ContactMessage): boolean {
  const over = (text: string | undefined, most: number): boolean => (text?.length ?? 0) > most;
  const { tags = [], variables = [] } = message;
  return (
    over(message.name, MAX_LENGTHS.name) ||
    /[\r\n]/.test(message.name) ||
    over(message.title, MAX_LENGTHS.title) ||
    over(message.mediaAddress, MAX_LENGTHS.mediaAddress) ||
    over(message.description, MAX_LENGTHS.description) ||
    over(message.scriptSelector, MAX_LENGTHS.scriptSelector) ||
    over(message.customerUID, MAX_LENGTHS.customerUID) ||
    tags.length > MAX_LENGTHS.tags ||
    tags.some((tag) => over(tag, MAX_LENGTHS.tag)) ||
    variables.length > MAX_LENGTHS.variables ||
    variables.some((v) => over(v.name, MAX_LENGTHS.variableName) || over(v.value, MAX_LENGTHS.variableValue))
  );
}

/** What the call of a callback carries of its request. */
export function attachedDataOf({ variables = [], title }: ContactMessage): Record<string, string> {
  return { ...Object.fromEntries(variables.map((v) => [v.name, v.value])), contactTitle: title };
}
