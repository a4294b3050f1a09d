import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AriEvent } from '../../../src/ari/index.ts';
import { stories } from '../../support/properties.ts';
import type { ScriptedReply } from '../../support/scripted-ari.ts';
import { type Scene, scene } from './harness.ts';

/** What befalls a scene between two requests. */
const MISHAPS = ['none', 'cut', 'close', 'freeze', 'cutAll', 'garbage', 'unknown'] as const;
const REPLIES: readonly (ScriptedReply | undefined)[] = [
  undefined,
  'hang',
  'drop',
  { status: 503 },
  { status: 200, raw: '<' },
];

function befall(at: Scene, mishap: (typeof MISHAPS)[number]): void {
  if (mishap === 'cut') at.server.cut();
  else if (mishap === 'close') at.server.closeEventSocket();
  else if (mishap === 'freeze') at.server.freeze();
  else if (mishap === 'cutAll') at.server.cutAll();
  else if (mishap === 'garbage') at.server.raw('{"type":');
  else if (mishap === 'unknown') at.server.event('EventOfTomorrow');
}

describe('whatever goes wrong', () => {
  it('every request settles, nothing stays in flight, and the client is ready again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ mishap: fc.constantFrom(...MISHAPS), reply: fc.nat(REPLIES.length - 1) }), {
          minLength: 1,
          maxLength: 25,
        }),
        fc.constantFrom('auto' as const, 'http' as const),
        async (steps, carrier) => {
          const at = await scene({ carrier, requestTimeoutMs: 150, resyncTimeoutMs: 2_000 });
          try {
            at.server.script = (request) => {
              const step = /^\/channels\/step-(\d+)\/ring$/.exec(request.path)?.[1];
              return step === undefined ? undefined : REPLIES[steps[Number(step)]?.reply ?? 0];
            };
            await at.client.connect();
            const requests = steps.map((step, n) => {
              const request = at.client.channels.ring(`step-${n}`);
              befall(at, step.mishap);
              return request;
            });
            // A request that never settled would run this test into its time limit.
            const outcomes = await Promise.allSettled(requests);
            for (const outcome of outcomes) {
              if (outcome.status === 'rejected')
                expect(outcome.reason).toMatchObject({ name: 'AriError', node: 'node-1' });
            }
            // A fault may still be on its way to the client: a round trip on whatever socket there is now shows it through.
            const known = at.events.length;
            let probe: AriEvent | undefined;
            while (probe === undefined) {
              await at.client.whenReady();
              const states = at.states.length;
              at.server.event('ChannelUserevent');
              await at.until(() => at.events.length > known || at.states.length > states);
              probe = at.events.slice(known).find((event) => event.type === 'ChannelUserevent');
            }
            expect(probe.type).toBe('ChannelUserevent');
            // Not before: while the client makes itself ready, its own requests are under way.
            await at.until(() => at.client.stats.inFlightHttp + at.client.stats.inFlightWebSocket === 0);
            expect(at.client.stats).toMatchObject({ inFlightHttp: 0, inFlightWebSocket: 0 });
          } finally {
            await at.end();
          }
        },
      ),
      stories(25),
    );
  });

  it('every promise settles when the client is closed at whatever moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(6), fc.nat(20), async (moment, count) => {
        const at = await scene();
        try {
          at.server.script = (request) => (request.path.endsWith('/ring') ? 'hang' : undefined);
          const ready = at.client.connect();
          await at.server.until(() => at.server.requests.length >= moment || at.client.state === 'ready' || moment > 4);
          const requests = Array.from({ length: count }, (_, n) => at.client.channels.ring(`c${n}`));
          const settled = Promise.allSettled([ready, ...requests]);
          await at.client.close();
          const [connected, ...outcomes] = await settled;
          if (connected?.status === 'rejected') expect(connected.reason).toMatchObject({ kind: 'closed' });
          for (const outcome of outcomes)
            expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'closed' } });
          expect(at.client.state).toBe('closed');
        } finally {
          await at.end();
        }
      }),
      stories(30),
    );
  });
});
