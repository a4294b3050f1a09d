import { expect, it } from 'vitest';
import { customerProgressOf } from '../../../src/engine/queue-watch.ts';
import { destination, makeCall, NO_ANSWER, Story, T0 } from '../calls/flow.ts';

const CUSTOMER = '+919800000001';
const QUEUE = { id: '8001', ringTimeout: 15, wrapUp: 0 };

/** A call that a queue has placed. */
const called = (): Story => new Story().born({ ...makeCall({ agent: '8001', firstLeg: 'customer' }), queue: QUEUE });
const assign = (s: Story, dn: string, assignment: number): Story =>
  s.happens({ kind: 'assign', queue: QUEUE.id, to: destination(dn), assignment });

it('tells how far a customer is whom a queue has called', () => {
  const s = called();
  const progress = () => customerProgressOf(s.call);
  expect(progress()).toEqual({ state: 'ringing' });
  s.rings(CUSTOMER);
  expect(progress()).toEqual({ state: 'ringing' });
  s.after(6_000).answers(CUSTOMER);
  expect(progress()).toEqual({ state: 'waiting', answeredAt: T0 + 6_000 });
  assign(s, '1001', 1).rings('1001');
  expect(progress()?.state).toBe('offered');
  s.ends('1001', NO_ANSWER);
  expect(progress()?.state).toBe('waiting');
  assign(s, '1002', 2).rings('1002').after(1_000).answers('1002');
  expect(progress()).toEqual({ state: 'served', answeredAt: T0 + 6_000, bridgedAt: T0 + 7_000 });
  s.ends(CUSTOMER).ends('1002');
  expect(progress()?.state).toBe('served');
});

it('does not count on one who has gone while he waited', () => {
  const s = called().answers(CUSTOMER).ends(CUSTOMER);
  expect(customerProgressOf(s.call)?.state).toBe('served');
  expect(customerProgressOf(undefined)).toBeUndefined();
});
