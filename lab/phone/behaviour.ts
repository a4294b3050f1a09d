import { setTimeout as delay } from 'node:timers/promises';
import type { PhoneCall } from './call.ts';

/** One thing that a telephone does by itself, `after` milliseconds from the one before it. */
export type Step = { readonly after?: number } & (
  | { readonly do: 'ring' | 'early' | 'answer' | 'hangUp' | 'hold' | 'retrieve' }
  /** Refuses with a SIP status, and a Reason header if there is one to give. */
  | { readonly do: 'refuse'; readonly code: number; readonly reasonHeader?: string }
  | { readonly do: 'dtmf'; readonly digits: string }
);

/** What a telephone does with a call that comes in. */
export interface Behaviour {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Obeys NOTIFY with `Event: talk` (answer, or take back from hold) and `Event: hold`. */
  readonly answersOnTalk?: boolean;
}

/** Walks the steps, until the call ends. */
export async function behave(call: PhoneCall, behaviour: Behaviour): Promise<void> {
  for (const step of behaviour.steps) {
    if (step.after !== undefined) await delay(step.after);
    if (call.end) return;
    await take(call, step);
  }
}

function take(call: PhoneCall, step: Step): void | Promise<void> {
  switch (step.do) {
    case 'ring':
      return call.ring();
    case 'early':
      return call.early();
    case 'answer':
      return call.answer();
    case 'refuse':
      return call.refuse(step.code, step.reasonHeader === undefined ? {} : { reasonHeader: step.reasonHeader });
    case 'hangUp':
      return call.hangUp();
    case 'hold':
      return call.hold();
    case 'retrieve':
      return call.retrieve();
    case 'dtmf':
      return call.sendDtmf(step.digits);
  }
}
