import type { AriEvent, Bridge, Channel, Playback } from './types.generated.ts';

/** Receives the events of what it was registered for. `receivedAt`: milliseconds since 1970. */
export type RoutedHandler = (event: AriEvent, receivedAt: number) => void;

interface Registration {
  readonly handler: RoutedHandler;
  /** milliseconds since 1970 */
  readonly since: number;
}

/** Ids whose registrations were dropped. */
export interface PrunedIds {
  channels: string[];
  bridges: string[];
}

/**
 * Routes events to one handler per channel, bridge or playback id, in constant time. A registration ends with what it is
 * for (ChannelDestroyed, BridgeDestroyed, PlaybackFinished), after that event was handed on; register before the request
 * that creates it goes out, since its first event can come before the response.
 *
 * An event that concerns several registered ids goes to each handler once.
 */
export class EventRouter {
  readonly #channels = new Map<string, Registration>();
  readonly #bridges = new Map<string, Registration>();
  readonly #playbacks = new Map<string, Registration>();
  readonly #onError: (error: unknown, event: AriEvent) => void;

  /** @param onError told what a handler threw; the other handlers get the event all the same */
  constructor(onError: (error: unknown, event: AriEvent) => void) {
    this.#onError = onError;
  }

  /** How many ids are registered. */
  get sizes(): { channels: number; bridges: number; playbacks: number } {
    return { channels: this.#channels.size, bridges: this.#bridges.size, playbacks: this.#playbacks.size };
  }

  /** Registers the handler of a channel's events, in place of an earlier one. */
  registerChannel(id: string, handler: RoutedHandler): void {
    this.#channels.set(id, { handler, since: Date.now() });
  }

  /** Registers the handler of a bridge's events, in place of an earlier one. */
  registerBridge(id: string, handler: RoutedHandler): void {
    this.#bridges.set(id, { handler, since: Date.now() });
  }

  /** Registers the handler of a playback's events, in place of an earlier one. */
  registerPlayback(id: string, handler: RoutedHandler): void {
    this.#playbacks.set(id, { handler, since: Date.now() });
  }

  unregisterChannel(id: string): boolean {
    return this.#channels.delete(id);
  }

  unregisterBridge(id: string): boolean {
    return this.#bridges.delete(id);
  }

  unregisterPlayback(id: string): boolean {
    return this.#playbacks.delete(id);
  }

  /** Drops all registrations. */
  clear(): void {
    this.#channels.clear();
    this.#bridges.clear();
    this.#playbacks.clear();
  }

  /**
   * Drops the registrations of what is not on the lists fetched after a reconnect: its end was missed.
   * @param listed the lists, and when they were asked for (milliseconds since 1970)
   * @param graceMs registrations younger than this when the lists were asked for stay: their creation may be under way
   */
  prune(listed: { channels: readonly Channel[]; bridges: readonly Bridge[]; at: number }, graceMs = 30_000): PrunedIds {
    const before = listed.at - graceMs;
    return {
      channels: dropMissing(this.#channels, listed.channels, before),
      bridges: dropMissing(this.#bridges, listed.bridges, before),
    };
  }

  /**
   * Hands an event to the handlers that it concerns.
   * @returns true if there was one
   */
  dispatch(event: AriEvent, receivedAt: number): boolean {
    switch (event.type) {
      case 'Dial':
        return this.#deliver(
          event,
          receivedAt,
          this.#channels.get(event.peer?.id),
          event.caller ? this.#channels.get(event.caller.id) : undefined,
          event.forwarded ? this.#channels.get(event.forwarded.id) : undefined,
        );
      case 'ChannelDestroyed': {
        const found = this.#deliver(event, receivedAt, this.#channels.get(event.channel?.id));
        this.#channels.delete(event.channel?.id);
        return found;
      }
      case 'BridgeDestroyed': {
        const found = this.#deliver(event, receivedAt, this.#bridges.get(event.bridge?.id));
        this.#bridges.delete(event.bridge?.id);
        return found;
      }
      case 'PlaybackStarted':
      case 'PlaybackContinuing':
        return this.#dispatchPlayback(event, event.playback, receivedAt);
      case 'PlaybackFinished': {
        const found = this.#dispatchPlayback(event, event.playback, receivedAt);
        this.#playbacks.delete(event.playback?.id);
        return found;
      }
      case 'RecordingStarted':
      case 'RecordingFinished':
      case 'RecordingFailed':
        return this.#deliver(event, receivedAt, this.#target(event.recording?.target_uri));
      case 'BridgeMerged':
        return this.#deliver(
          event,
          receivedAt,
          this.#bridges.get(event.bridge?.id),
          this.#bridges.get(event.bridge_from?.id),
        );
      case 'BridgeBlindTransfer':
        return this.#deliver(
          event,
          receivedAt,
          this.#channels.get(event.channel?.id),
          event.transferee ? this.#channels.get(event.transferee.id) : undefined,
          event.bridge ? this.#bridges.get(event.bridge.id) : undefined,
        );
      case 'BridgeAttendedTransfer':
        return this.#deliver(
          event,
          receivedAt,
          this.#channels.get(event.transferer_first_leg?.id),
          this.#channels.get(event.transferer_second_leg?.id),
          event.transferee ? this.#channels.get(event.transferee.id) : undefined,
          event.transfer_target ? this.#channels.get(event.transfer_target.id) : undefined,
        );
      case 'StasisStart':
        return this.#deliver(
          event,
          receivedAt,
          this.#channels.get(event.channel?.id),
          event.replace_channel ? this.#channels.get(event.replace_channel.id) : undefined,
        );
      default:
        return this.#deliver(
          event,
          receivedAt,
          'channel' in event && typeof event.channel === 'object' ? this.#channels.get(event.channel.id) : undefined,
          'bridge' in event && typeof event.bridge === 'object' ? this.#bridges.get(event.bridge.id) : undefined,
        );
    }
  }

  #dispatchPlayback(event: AriEvent, playback: Playback | undefined, receivedAt: number): boolean {
    if (playback === undefined) return false;
    return this.#deliver(event, receivedAt, this.#playbacks.get(playback.id), this.#target(playback.target_uri));
  }

  /** The registration of a `channel:ID` or `bridge:ID`. */
  #target(uri: string | undefined): Registration | undefined {
    if (uri === undefined) return undefined;
    if (uri.startsWith('channel:')) return this.#channels.get(uri.slice(8));
    if (uri.startsWith('bridge:')) return this.#bridges.get(uri.slice(7));
    return undefined;
  }

  #deliver(
    event: AriEvent,
    at: number,
    a?: Registration,
    b?: Registration,
    c?: Registration,
    d?: Registration,
  ): boolean {
    const first = a?.handler;
    const second = b?.handler;
    const third = c?.handler;
    const fourth = d?.handler;
    if (first) this.#run(first, event, at);
    if (second && second !== first) this.#run(second, event, at);
    if (third && third !== first && third !== second) this.#run(third, event, at);
    if (fourth && fourth !== first && fourth !== second && fourth !== third) this.#run(fourth, event, at);
    return (first ?? second ?? third ?? fourth) !== undefined;
  }

  #run(handler: RoutedHandler, event: AriEvent, receivedAt: number): void {
    try {
      handler(event, receivedAt);
    } catch (error) {
      this.#onError(error, event);
    }
  }
}

function dropMissing(
  registered: Map<string, Registration>,
  listed: readonly { id: string }[],
  before: number,
): string[] {
  const alive = new Set<string>();
  for (const item of listed) alive.add(item.id);
  const dropped: string[] = [];
  for (const [id, registration] of registered) {
    if (alive.has(id) || registration.since > before) continue;
    registered.delete(id);
    dropped.push(id);
  }
  return dropped;
}
