import fc from 'fast-check';
import type { RecordingPlan } from '../../../src/calls/call.ts';
import type { CallBirth, QueueTarget } from '../../../src/calls/input.ts';
import { callArrived, makeCall } from './flow.ts';

/** A queue that these stories know. */
export const QUEUE = { id: '8001', ringTimeout: 15, wrapUp: 30 };
/** That queue as what an agent asks, or hands his call to. */
export const queueTarget = (full: boolean): QueueTarget => ({
  dn: QUEUE.id,
  kind: 'queue',
  queue: QUEUE,
  ...(full && { full }),
});

/** Where the recordings of these stories go. */
export const RECORDING = { uuid: '0123456789abcdef0123456789abcdef', url: 'https://calls.example.org/recordings/0123' };

/** Why a leg has not even begun. */
export const notStarted = fc.constantFrom('invalid-number', 'channel-limit', 'no-node', 'unavailable' as const);
const rarely = fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: notStarted });

/** Recorded from its early media, from its conversation, or only if somebody asks. */
const recording = fc.constantFrom<RecordingPlan | undefined>(
  undefined,
  { ...RECORDING, begins: 'early' },
  { ...RECORDING, begins: 'talk' },
);

const made: fc.Arbitrary<CallBirth> = fc
  .record({
    agent: fc.constantFrom('1001', '1001', '+919900000009'),
    customer: fc.constantFrom('+919800000001', '1002'),
    firstLeg: fc.constantFrom('agent', 'customer' as const),
    agentUnreachable: rarely,
    customerUnreachable: rarely,
    recording,
  })
  .map(({ agentUnreachable, customerUnreachable, recording: plan, ...m }) =>
    makeCall({
      ...m,
      ref: 7,
      ANI: '+911140000000',
      ...(agentUnreachable && { agentUnreachable }),
      ...(customerUnreachable && { customerUnreachable }),
      ...(plan && { recording: plan }),
    }),
  );

const arrived: fc.Arbitrary<CallBirth> = fc
  .record({
    from: fc.constantFrom('+919800000001', '1002'),
    reaches: fc.constantFrom('1001', '1001', '1001', '+919800000002', '+919800000002', null),
    unreachable: rarely,
    recording,
  })
  .map(({ unreachable, recording: plan, ...a }) =>
    callArrived({ ...a, to: '4000', ...(unreachable && { unreachable }), ...(plan && { recording: plan }) }),
  );

/** One who waits in a queue from the start: a caller, a customer whom it calls, an agent who calls it. */
const queued: fc.Arbitrary<CallBirth> = fc
  .record({
    how: fc.constantFrom('calls in', 'is called', 'asks'),
    recording,
    full: fc.constantFrom(false, false, true),
  })
  .map(({ how, recording: plan, full }): CallBirth => {
    const more = { queue: QUEUE, ...(plan && { recording: plan }) };
    if (how === 'asks') return { ...makeCall({ customer: QUEUE.id }), ...more };
    if (how === 'is called') return { ...makeCall({ agent: QUEUE.id, firstLeg: 'customer' }), ...more };
    const birth = callArrived({ from: '+919800000001', to: '4000', reaches: null });
    return { ...birth, ...more, ...(full && { turnedAway: 17 }) } as CallBirth;
  });

/** How a call begins. */
export const birth = fc.oneof(
  { weight: 4, arbitrary: made },
  { weight: 4, arbitrary: arrived },
  { weight: 2, arbitrary: queued },
);
