import { flowConflicts, trunksOf } from './conflicts.ts';
import { flow } from './dialer-schema.ts';
import { keyOf, said } from './problems.ts';
import type { CompanyConfig, DialerFlowConfig } from './schema.ts';

/** Something wrong in a flow; repeats no value of a secret. */
export interface FlowProblem {
  /** `limits.calls` */
  readonly key: string;
  readonly message: string;
}

/**
 * Checks a flow that was not in the configuration file by the file's own schema and rules.
 *
 * @param given parsed JSON
 * @param company whose flow it is to be
 */
export function checkFlow(
  given: unknown,
  company: CompanyConfig,
): { readonly flow: DialerFlowConfig } | { readonly problems: readonly FlowProblem[] } {
  const read = flow.safeParse(given);
  if (!read.success) {
    const problems = read.error.issues.map((issue) => ({
      key: keyOf(issue.path.filter((part) => typeof part !== 'symbol')),
      message: issue.code === 'custom' || issue.code === 'invalid_format' ? said(issue.message).message : issue.message,
    }));
    return { problems };
  }
  // The way in through them is laid when the service starts.
  if (read.data.maskingNumbers.length > 0) {
    return { problems: [{ key: 'maskingNumbers', message: 'can be given in the configuration file only' }] };
  }
  // Another tenant's carrier is not a company's to choose: what it may use is for the file to say.
  const conflicts = flowConflicts(read.data, company, trunksOf(company));
  if (conflicts.length > 0) return { problems: conflicts.map((c) => ({ key: keyOf(c.path), message: c.message })) };
  return { flow: read.data };
}
