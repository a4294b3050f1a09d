import { z } from 'zod';
import { count } from './parts.ts';
import { say } from './problems.ts';

/** How fast a flow that calls for a queue places its calls, and what it may abandon. */
export const pacing = z
  .strictObject({
    mode: z
      .enum(['progressive', 'predictive'])
      .describe('progressive: one call for each free agent; predictive: more, as far as maxAbandoned allows.')
      .default('progressive'),
    maxAbandoned: z
      .number()
      .min(0.001)
      .max(0.2)
      .describe('Share of the answered calls that may be abandoned, over 24 hours.')
      .default(0.03),
    connectWithin: count(
      'Seconds from the customer’s answer to the agent’s; a call that takes longer counts as abandoned.',
      1,
      30,
    ).default(2),
  })
  .prefault({})
  .describe('Pace of a flow with a queue.');

/** Seconds that an unanswered customer must have been rung before he is given up (16 CFR 310.4(b)(4)(ii)). */
export const LEAST_RING = 15;

interface CalledFirst {
  readonly agents: readonly string[];
  readonly agentKey?: string | undefined;
  readonly queue?: string | undefined;
  readonly firstLeg: 'agent' | 'customer';
  readonly ringTimeout: number;
  readonly pacing: { readonly mode: 'progressive' | 'predictive' };
}

/** A flow has agents or a queue; one with a queue calls the customer first and rings him long enough. */
export function checkWhoIsCalled(flow: CalledFirst, context: z.core.$RefinementCtx): void {
  const bad = (key: keyof CalledFirst, what: string, fix: string): void => {
    context.addIssue({ code: 'custom', path: [key], message: say(what, fix) });
  };
  if (flow.queue === undefined) {
    if (flow.agents.length === 0)
      bad('agents', 'is empty and there is no queue', 'Name at least one agent, or a queue');
    if (flow.pacing.mode === 'predictive') {
      bad('pacing', 'cannot be predictive without a queue', 'Give the flow a queue, or make it progressive');
    }
    return;
  }
  if (flow.agents.length > 0) bad('agents', 'must not stand beside queue', 'Remove agents or queue');
  if (flow.agentKey !== undefined) bad('agentKey', 'must not stand beside queue', 'Remove agentKey or queue');
  if (flow.firstLeg !== 'customer') {
    bad('firstLeg', 'must be customer where there is a queue', 'Write firstLeg: customer');
  }
  if (flow.ringTimeout < LEAST_RING) {
    bad('ringTimeout', `must be at least ${LEAST_RING} where there is a queue`, `Write ${LEAST_RING} or more`);
  }
}
