import { z } from 'zod';
import { attachedDataFault } from '../cti/json.ts';

/**
 * The shapes of the Make Call API's requests (seed 002). They are read field by field, because each fault has an answer
 * of its own: accept.ts and request.ts say which.
 */

/** Calls that one request may have (seed 002). */
export const MAX_CALLS = 500;
const MAX_NUMBERS = 20;
const PREFIX = '$flow.key.';

/** Text, or a number or truth value that is written as text; absent and null are the empty text. */
const text = (longest: number) =>
  z
    .union([z.string().max(longest), z.number(), z.boolean()])
    .nullish()
    .transform((given) => (given === undefined || given === null ? '' : String(given)));

/** A number to call, without the spaces, dots, dashes and brackets that people write into it. */
const number = text(64).transform((given) => given.replace(/[\s().-]/g, ''));

const variable = z.looseObject({
  name: z
    .string()
    .startsWith(PREFIX)
    .min(PREFIX.length + 1),
  value: z.union([z.string(), z.number(), z.boolean()]),
});

/** The fields of one entry of `calls`. */
export const ENTRY = {
  clientIdentifier: text(256).describe('Comes back in answers and webhooks.'),
  startTime: z.string().optional().describe('ISO 8601 with an offset; at once where absent.'),
  numbers: z
    .union([z.array(number).max(MAX_NUMBERS), number.transform((one) => (one === '' ? [] : [one]))])
    .nullish()
    .transform((given) => given ?? [])
    .describe('Tried in order until one connects.'),
  keys: z
    .array(variable)
    .nullish()
    .transform((given) => Object.fromEntries((given ?? []).map((v) => [v.name.slice(PREFIX.length), v.value])))
    .refine((variables) => attachedDataFault(variables) === undefined)
    .describe('Variables of the call: `$flow.key.<name>` becomes attached data, 64 KiB in all.'),
};

/** One entry of `calls`. */
export const Entry = z.looseObject({
  'client-identifier': ENTRY.clientIdentifier,
  'start-time': ENTRY.startTime,
  'contact-numbers': ENTRY.numbers,
  keys: ENTRY.keys,
});

const given = z.string().min(1);

/** The head of a request: what has to be there, and what it is. */
export const HEAD = {
  'api-version': given.describe('`1.0` for a flow in production, `TEST` for one in testing.'),
  'security-id': given.describe('The account’s, 64 letters and digits.'),
  'flow-id': given.describe('8 letters and digits.'),
};

/** A request of `create`. */
export const MakeCallBody = z.looseObject({
  ...HEAD,
  'gateway-id': given.optional().describe('The flow’s trunk.'),
  calls: z.array(Entry).min(1).max(MAX_CALLS),
});
