import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AriEvent, type Bridge, type Channel, EventRouter } from '../../../src/ari/index.ts';
import { stories } from '../../support/properties.ts';

/** An event as it comes from Asterisk, with what the router looks at. */
function event(type: string, fields: Record<string, unknown>): AriEvent {
  return { type, application: 'app', timestamp: '2026-01-01T12:00:00.000+0000', ...fields } as unknown as AriEvent;
}

function routerWithLog(): { router: EventRouter; log: string[]; errors: unknown[] } {
  const errors: unknown[] = [];
  return { router: new EventRouter((error) => errors.push(error)), log: [], errors };
}

describe('EventRouter', () => {
  it('hands an event to the handlers of the channel, the bridge and the playback that it concerns', () => {
    const { router, log } = routerWithLog();
    router.registerChannel('c1', (e) => log.push(`c1 ${e.type}`));
    router.registerChannel('c2', (e) => log.push(`c2 ${e.type}`));
    router.registerBridge('b1', (e) => log.push(`b1 ${e.type}`));
    router.registerPlayback('p1', (e) => log.push(`p1 ${e.type}`));
    expect(router.dispatch(event('ChannelEnteredBridge', { channel: { id: 'c1' }, bridge: { id: 'b1' } }), 1)).toBe(
      true,
    );
    router.dispatch(event('PlaybackStarted', { playback: { id: 'p1', target_uri: 'channel:c2' } }), 1);
    router.dispatch(event('RecordingFinished', { recording: { target_uri: 'bridge:b1' } }), 1);
    router.dispatch(event('Dial', { peer: { id: 'c1' }, caller: { id: 'c2' } }), 1);
    router.dispatch(event('StasisStart', { channel: { id: 'c9' }, replace_channel: { id: 'c2' } }), 1);
    expect(router.dispatch(event('ChannelHold', { channel: { id: 'c3' } }), 1)).toBe(false);
    expect(router.dispatch(event('ChannelUserevent', { userevent: {} }), 1)).toBe(false);
    expect(router.dispatch({ type: 'UnknownEvent', unknownType: 'X', raw: {} }, 1)).toBe(false);
    expect(log).toEqual([
      'c1 ChannelEnteredBridge',
      'b1 ChannelEnteredBridge',
      'p1 PlaybackStarted',
      'c2 PlaybackStarted',
      'b1 RecordingFinished',
      'c1 Dial',
      'c2 Dial',
      'c2 StasisStart',
    ]);
  });

  it('hands an event once to a handler that is registered for several of its ids', () => {
    const { router } = routerWithLog();
    let count = 0;
    const handler = () => {
      count += 1;
    };
    router.registerChannel('c1', handler);
    router.registerBridge('b1', handler);
    router.dispatch(event('ChannelLeftBridge', { channel: { id: 'c1' }, bridge: { id: 'b1' } }), 1);
    expect(count).toBe(1);
  });

  it('isolates a handler that throws, and still forgets what has ended', () => {
    const { router, log, errors } = routerWithLog();
    router.registerChannel('c1', () => {
      throw new Error('broken');
    });
    router.registerBridge('b1', (e) => log.push(e.type));
    router.dispatch(event('ChannelEnteredBridge', { channel: { id: 'c1' }, bridge: { id: 'b1' } }), 1);
    router.dispatch(event('ChannelDestroyed', { channel: { id: 'c1' } }), 1);
    expect(errors.map(String)).toEqual(['Error: broken', 'Error: broken']);
    expect(log).toEqual(['ChannelEnteredBridge']);
    expect(router.sizes).toEqual({ channels: 0, bridges: 1, playbacks: 0 });
  });

  it('lets a handler register and unregister while it runs', () => {
    const { router, log } = routerWithLog();
    router.registerChannel('c1', () => {
      router.unregisterChannel('c1');
      router.registerChannel('c2', () => log.push('c2'));
    });
    router.dispatch(event('ChannelHold', { channel: { id: 'c1' } }), 1);
    router.dispatch(event('ChannelHold', { channel: { id: 'c1' } }), 1);
    router.dispatch(event('ChannelHold', { channel: { id: 'c2' } }), 1);
    expect(log).toEqual(['c2']);
  });

  it('drops what the lists no longer show, but not what is being created', () => {
    const { router } = routerWithLog();
    const ignore = () => undefined;
    for (const id of ['c1', 'c2']) router.registerChannel(id, ignore);
    for (const id of ['b1', 'b2']) router.registerBridge(id, ignore);
    const listed = { channels: [{ id: 'c1' } as Channel], bridges: [{ id: 'b2' } as Bridge] };
    expect(router.prune({ ...listed, at: Date.now() })).toEqual({ channels: [], bridges: [] });
    expect(router.prune({ ...listed, at: Date.now() + 60_000 })).toEqual({ channels: ['c2'], bridges: ['b1'] });
    expect(router.sizes).toEqual({ channels: 1, bridges: 1, playbacks: 0 });
    router.clear();
    expect(router.sizes).toEqual({ channels: 0, bridges: 0, playbacks: 0 });
  });

  it('keeps nothing of a thousand channels that came and went, in whatever order their events came', () => {
    const kinds = ['ChannelStateChange', 'ChannelEnteredBridge', 'ChannelHold', 'Dial', 'PlaybackStarted'] as const;
    fc.assert(
      fc.property(
        fc.array(fc.record({ who: fc.nat(999), kind: fc.constantFrom(...kinds) }), { maxLength: 300 }),
        fc.shuffledSubarray(
          Array.from({ length: 1000 }, (_, n) => n),
          { minLength: 1000 },
        ),
        (steps, ends) => {
          const { router, errors } = routerWithLog();
          let delivered = 0;
          const count = () => {
            delivered += 1;
          };
          for (let n = 0; n < 1000; n++) {
            router.registerChannel(`c${n}`, count);
            router.registerBridge(`b${n}`, count);
            router.registerPlayback(`p${n}`, count);
          }
          for (const { who, kind } of steps) {
            router.dispatch(
              event(kind, {
                channel: { id: `c${who}` },
                peer: { id: `c${who}` },
                playback: { id: `p${who}`, target_uri: `channel:c${who}` },
              }),
              1,
            );
          }
          expect(delivered).toBe(steps.length);
          for (const n of ends) {
            router.dispatch(event('PlaybackFinished', { playback: { id: `p${n}`, target_uri: `channel:c${n}` } }), 1);
            router.dispatch(event('ChannelDestroyed', { channel: { id: `c${n}` } }), 1);
            router.dispatch(event('BridgeDestroyed', { bridge: { id: `b${n}` } }), 1);
          }
          expect(delivered).toBe(steps.length + 3000);
          expect(router.sizes).toEqual({ channels: 0, bridges: 0, playbacks: 0 });
          expect(errors).toEqual([]);
        },
      ),
      stories(20),
    );
  });
});
