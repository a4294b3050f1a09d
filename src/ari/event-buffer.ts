import type { AriEvent, Bridge, Channel } from './types.generated.ts';

/** Events that only mirror what the lists show already; what cannot be read from a list (DTMF, holds, ends) is not here. */
const MIRRORED = new Set<string>([
  'ChannelCreated',
  'ChannelStateChange',
  'ChannelCallerId',
  'ChannelConnectedLine',
  'ChannelDialplan',
  'ChannelEnteredBridge',
  'ChannelLeftBridge',
  'BridgeCreated',
  'BridgeVideoSourceChanged',
]);

/** Holds events back while the lists are fetched. */
export class EventBuffer {
  readonly #limit: number;
  #events: AriEvent[] = [];
  #receivedAt: number[] = [];

  /** @param limit events held at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#events.length;
  }

  /** Returns false when the buffer is full. */
  push(event: AriEvent, receivedAt: number): boolean {
    if (this.#events.length >= this.#limit) return false;
    this.#events.push(event);
    this.#receivedAt.push(receivedAt);
    return true;
  }

  /** Channels of whose end an event is held. */
  endedChannels(): ReadonlySet<string> {
    return new Set(this.#events.flatMap((e) => (e.type === 'ChannelDestroyed' ? e.channel.id : [])));
  }

  clear(): void {
    this.#events = [];
    this.#receivedAt = [];
  }

  /**
   * Hands on what is held, in order, without what the lists tell already.
   * @param listed the lists, and Asterisk's clock (its timestamp text) right before they were asked for
   * @returns how many events were left out
   */
  drain(
    listed: { channels: readonly Channel[]; bridges: readonly Bridge[]; clock: string | undefined },
    deliver: (event: AriEvent, receivedAt: number) => void,
  ): number {
    const alive = new Set<string>();
    for (const channel of listed.channels) alive.add(channel.id);
    for (const bridge of listed.bridges) alive.add(bridge.id);
    const events = this.#events;
    const receivedAt = this.#receivedAt;
    this.clear();
    let left = 0;
    for (const [index, event] of events.entries()) {
      if (isTold(event, alive, listed.clock)) left += 1;
      else deliver(event, receivedAt[index] ?? 0);
    }
    return left;
  }
}

/**
 * True if the event only repeats what the lists show: it mirrors state, Asterisk raised it before the lists were asked for,
 * and what it is about is on them. The times compared are both Asterisk's own.
 */
function isTold(event: AriEvent, alive: ReadonlySet<string>, clock: string | undefined): boolean {
  if (clock === undefined || !MIRRORED.has(event.type) || !('timestamp' in event)) return false;
  if (!isEarlier(event.timestamp, clock)) return false;
  if ('channel' in event && typeof event.channel === 'object' && !alive.has(event.channel.id)) return false;
  if ('bridge' in event && typeof event.bridge === 'object' && !alive.has(event.bridge.id)) return false;
  return true;
}

/** `2026-01-31T12:00:00.123+0100`: of one length and one zone, such times sort as text; otherwise nothing can be said. */
function isEarlier(a: string, b: string): boolean {
  return a.length === b.length && a.slice(23) === b.slice(23) && a < b;
}
