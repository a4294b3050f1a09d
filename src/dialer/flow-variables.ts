import type { DialerFlowConfig } from '../config.ts';
import type { FlowStatus } from '../cti/flow-status.ts';

type Validation = DialerFlowConfig['validations'][number];
type Check = (value: string, v: Validation) => boolean | 'undefined';

const EMAIL = /^[^\s@"(),:;<>[\\\]]{1,64}@(?=.{4,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+$/;

function isUrl(text: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(text) && URL.canParse(text);
}

/** Each type of validation, and the status of a value that fails it. */
const TYPES: Readonly<Record<string, { readonly check: Check; readonly failed: FlowStatus }>> = {
  contains: {
    check: (value, v) => (v.value === undefined ? 'undefined' : value.includes(v.value)),
    failed: 'FLOW_VARIABLE_CONTAINS_CRITERIA_FAILED',
  },
  doesNotContain: {
    check: (value, v) => (v.value === undefined ? 'undefined' : !value.includes(v.value)),
    failed: 'FLOW_VARIABLE_DOES_NOT_CONTAINS_CRITERIA_FAILED',
  },
  list: {
    check: (value, v) => v.values?.includes(value) ?? 'undefined',
    failed: 'FLOW_VARIABLE_LIST_CRITERIA_FAILED',
  },
  regex: {
    check: (value, v) => v.pattern?.test(value) ?? 'undefined',
    failed: 'FLOW_VARIABLE_REGEX_CRITERIA_FAILED',
  },
  length: {
    check: (value, v) => {
      if (v.min === undefined && v.max === undefined) return 'undefined';
      // Characters as people count them, not UTF-16 units.
      const length = [...value].length;
      return length >= (v.min ?? 0) && length <= (v.max ?? Number.POSITIVE_INFINITY);
    },
    failed: 'FLOW_VARIABLE_LENGTH_CRITERIA_FAILED',
  },
  email: { check: (value) => EMAIL.test(value), failed: 'FLOW_VARIABLE_EMAIL_VALIDATION_FAILED' },
  url: { check: (value) => isUrl(value), failed: 'FLOW_VARIABLE_URL_CRITERIA_FAILED' },
};

/** A value longer than this satisfies no validation: expressions are run over it. */
const LONGEST = 1_024;

/**
 * Holds a call's variables against the flow's validations.
 *
 * @param variables by name, without `$flow.key.`
 * @returns the status of the first validation that fails; undefined where all hold. A variable that a validation names
 *   and the call does not have, or that is no text or too long to be looked at, fails with FLOW_VARIABLE_VALIDATION_FAILED
 */
export function validationFault(
  variables: Readonly<Record<string, unknown>>,
  validations: readonly Validation[],
): FlowStatus | undefined {
  for (const v of validations) {
    const type = Object.hasOwn(TYPES, v.type) ? TYPES[v.type] : undefined;
    if (!type) return 'INVALID_FLOW_VARIABLE_VALIDATION_TYPE';
    const given = Object.hasOwn(variables, v.key) ? variables[v.key] : undefined;
    const value = typeof given === 'number' || typeof given === 'boolean' ? String(given) : given;
    const verdict = type.check(typeof value === 'string' ? value.slice(0, LONGEST) : '', v);
    if (verdict === 'undefined') return 'FLOW_VARIABLE_CRITERIA_UNDEFINED';
    if (typeof value !== 'string' || value.length > LONGEST) return 'FLOW_VARIABLE_VALIDATION_FAILED';
    if (!verdict) return type.failed;
  }
  return undefined;
}

/** Names of the validation types that there are. */
export const VALIDATION_TYPES: readonly string[] = Object.keys(TYPES);
