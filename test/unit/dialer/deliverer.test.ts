import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CompanyId } from '../../../src/cti/ids.ts';
import { Deliverer } from '../../../src/dialer/deliverer.ts';
import type { DialerMessage, DialerStore } from '../../../src/ports.ts';
import { WebhookReceiver } from '../../support/webhook-receiver.ts';

const ACME = CompanyId.parse('acme');
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const UUID = 'u1';

let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.open(SECRET);
});

afterEach(() => receiver.close());

const messageOf = (id: string): DialerMessage => {
  const body = JSON.stringify({
    'phonon-uuid': UUID,
    'client-identifier': id,
    'flow-status': 'COMPLETED',
    final: true,
  });
  return { uuid: UUID, json: JSON.stringify({ id, flowId: 'flow0001', body }), failures: 0 };
};

/** The messages of one call, as the store keeps them; each answer to "what is due?" can be held up on its way. */
function storeOf(waiting: DialerMessage[], heldUp: () => Promise<void>) {
  const settled: string[] = [];
  const settle = async (_company: CompanyId, _token: number, message: DialerMessage): Promise<void> => {
    settled.push(JSON.parse(message.json).id as string);
    if (waiting[0]?.json === message.json) waiting.shift();
  };
  const store = {
    dueMessages: async () => {
      const due = waiting.slice(0, 1);
      await heldUp();
      return due;
    },
    nextMessageAt: async () => undefined,
    delivered: settle,
    notDelivered: settle,
    deadLetter: settle,
  };
  return { store: store as unknown as DialerStore, settled };
}

it('sends once what arrives while it is being asked what else is due, and loses none behind it', async () => {
  const waiting = [messageOf('first'), messageOf('second')];
  let looks = 0;
  const { store, settled } = storeOf(waiting, async () => {
    looks += 1;
    // The second look is answered when the first message, which was first then, has been taken and settled.
    if (looks === 2) await vi.waitFor(() => expect(settled).toContain('first'), { timeout: 10_000 });
  });
  const deliverer = new Deliverer(
    {
      companyId: ACME,
      store,
      webhookOf: () => ({ url: receiver.url, secret: SECRET, attempts: 3, firstRetry: 1, timeout: 10 }),
      now: () => 1_000,
      warn: (what) => expect.fail(what),
    },
    1,
  );
  deliverer.wake();
  await vi.waitFor(() => expect(looks).toBe(1));
  deliverer.wake();
  await receiver.until((r) => r.received.some((m) => m.id === 'second'));
  await vi.waitFor(() => expect(waiting).toEqual([]));
  await deliverer.close();
  expect(receiver.received.map((m) => m.id)).toEqual(['first', 'second']);
  expect(settled).toEqual(['first', 'second']);
});
