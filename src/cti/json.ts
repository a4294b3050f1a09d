import { z } from 'zod';

/** Any value that JSON can carry. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Bytes of JSON that a call's attached data may have, in UTF-8. */
export const ATTACHED_DATA_MAX_BYTES = 64 * 1024;
/** Levels of nesting that attached data may have: enough for any form, too few to exhaust a stack. */
export const ATTACHED_DATA_MAX_DEPTH = 16;

// Checked as a whole by attachedDataFault and not value by value: a recursive schema would follow a hostile body's nesting.
const anyJson = z.unknown() as unknown as z.ZodType<JsonValue, JsonValue>;

/**
 * Attached data as events carry it: the business's own keys, whose values are any JSON.
 * The core adds keys of the seed to it on some events: `consultStage`, `consulting`, `intercept_cause`, `bargein_cause`.
 */
export const AttachedData = z.record(z.string(), anyJson);
export type AttachedData = z.infer<typeof AttachedData>;

/** Attached data as a client gives it: at most 64 KiB of JSON and 16 levels deep. */
export const GivenAttachedData = AttachedData.superRefine((data, context) => {
  const fault = attachedDataFault(data);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

/**
 * What is wrong with attached data, if anything is.
 *
 * @returns the reason in words, or undefined where the data may be stored
 */
export function attachedDataFault(data: unknown): string | undefined {
  // Level by level and not by recursion, so that depth costs memory only, and only up to the limit.
  let level: readonly unknown[] = [data];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > ATTACHED_DATA_MAX_DEPTH) return `nested more than ${ATTACHED_DATA_MAX_DEPTH} levels deep`;
    const next: unknown[] = [];
    for (const value of level) {
      if (value === null || typeof value === 'string' || typeof value === 'boolean') continue;
      if (typeof value === 'number') {
        if (!Number.isFinite(value)) return 'a number that JSON cannot carry';
      } else if (Array.isArray(value)) {
        for (const item of value) next.push(item);
      } else if (typeof value === 'object') {
        for (const item of Object.values(value)) next.push(item);
      } else {
        return `a value of type ${typeof value}, which JSON cannot carry`;
      }
    }
    level = next;
  }
  const bytes = new TextEncoder().encode(JSON.stringify(data)).length;
  return bytes > ATTACHED_DATA_MAX_BYTES ? `${bytes} bytes of JSON, at most ${ATTACHED_DATA_MAX_BYTES} fit` : undefined;
}
