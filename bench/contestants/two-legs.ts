import { Deferred } from '../deferred.ts';
import type { CallTimes } from '../round.ts';

/** The few requests of ARI that a call of two legs takes. Each rejects where Asterisk refuses. */
export interface BareAri {
  create(channel: string, endpoint: string): Promise<unknown>;
  dial(channel: string): Promise<unknown>;
  createBridge(bridge: string): Promise<unknown>;
  addChannel(bridge: string, channel: string): Promise<unknown>;
  hangUp(channel: string): Promise<unknown>;
  destroyBridge(bridge: string): Promise<unknown>;
}

/** One leg: what has been heard of its channel. */
class Leg {
  readonly entered = new Deferred<void>();
  readonly up = new Deferred<void>();
  readonly ended = new Deferred<void>();
  upAt = 0;
}

/**
 * The same call for every bare script, with nothing in it but the flow: no state kept, no error handled, no limit on
 * anything. One Map takes an event to its leg, which is faster than the listeners per channel of ari-client's examples.
 */
export class TwoLegs {
  readonly #ari: BareAri;
  readonly #first: string;
  readonly #second: string;
  readonly #legs = new Map<string, Leg>();

  /** @param first and second: dial strings of the two telephones */
  constructor(ari: BareAri, first: string, second: string) {
    this.#ari = ari;
    this.#first = first;
    this.#second = second;
  }

  stasisStart(channel: string): void {
    this.#legs.get(channel)?.entered.resolve();
  }

  stateChange(channel: string, state: string): void {
    if (state !== 'Up') return;
    const leg = this.#legs.get(channel);
    if (!leg) return;
    leg.upAt = performance.now();
    leg.up.resolve();
  }

  destroyed(channel: string): void {
    const leg = this.#legs.get(channel);
    if (!leg) return;
    this.#legs.delete(channel);
    leg.ended.resolve();
    leg.up.reject(new Error('a leg ended before it was answered'));
  }

  /** Rings the first phone; it answers; rings the second into the bridge where the first waits; it answers; hangs up. */
  async call(id: string): Promise<CallTimes> {
    const ari = this.#ari;
    const [first, second, bridge] = [`${id}-1`, `${id}-2`, `${id}-b`];
    const start = performance.now();
    const a = this.#open(first);
    await ari.create(first, this.#first);
    await a.entered.promise;
    await ari.dial(first);
    await a.up.promise;
    await ari.createBridge(bridge);
    await ari.addChannel(bridge, first);
    const b = this.#open(second);
    await ari.create(second, this.#second);
    await b.entered.promise;
    await ari.addChannel(bridge, second);
    await ari.dial(second);
    await b.up.promise;
    const bridged = b.upAt;
    await Promise.all([ari.hangUp(first), ari.hangUp(second), a.ended.promise, b.ended.promise]);
    await ari.destroyBridge(bridge);
    return { setUp: bridged - start, answerToBridge: bridged - a.upAt };
  }

  #open(channel: string): Leg {
    const leg = new Leg();
    leg.up.promise.catch(() => undefined); // whoever waits for the answer is told; nobody may be waiting any more
    this.#legs.set(channel, leg);
    return leg;
  }
}
