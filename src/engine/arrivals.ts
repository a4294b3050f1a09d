import type { CallBirth, Destination } from '../calls/input.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { Arrival, MaskStore, NoRoom, Soon } from '../ports.ts';
import { CONGESTION } from './congestion.ts';
import type { Directory, MaskingNumber, Queue, Route } from './directory.ts';
import type { RunningNode, Wanted } from './nodes.ts';
import type { Recordings } from './recordings.ts';
import type { Shard } from './shard.ts';
import { whenKnown } from './soon.ts';
import { entryOf } from './waiting-calls.ts';

/** Q.850 1: the number leads nowhere. Asterisk answers 404. */
const UNALLOCATED = 1;
/** Q.850 17 and 34: why a caller may not even wait in a queue. He hears busy, or congestion. */
const TURNED_AWAY: Readonly<Record<NoRoom, number>> = { 'queue-full': 17, 'channel-limit': 34 };

/** What arrivals need of the engine. */
export interface ArrivalsDeps {
  readonly directory: Directory;
  readonly masks: Pick<MaskStore, 'counterpart'>;
  readonly recordings: Recordings;
  /** Seconds that a phone rings where nothing else is said. */
  readonly ringTimeout: number;
  /** Unix ms. */
  readonly now: () => number;
  readonly log: {
    info(what: string, details: Readonly<Record<string, unknown>>): void;
    error(what: string, error: unknown, callID?: CallID): void;
  };
  /** Takes a new call's place; why there is none, if so. */
  readonly admit: (callID: CallID, companyId: CompanyId, node: RunningNode, wanted: Wanted) => Soon<NoRoom | undefined>;
  readonly begin: (shard: Shard, birth: CallBirth) => void;
}

/** Where a call that arrives leads: to a DN, a queue or nowhere. */
type Led = Route & {
  /** The number shown to the one who is called. */
  readonly shown?: string;
  /** By which a number is called; the company's trunk where absent. */
  readonly trunk?: string | undefined;
};

/** Calls that the dialplan hands over: whose they are, and whom they are for. */
export class Arrivals {
  readonly #deps: ArrivalsDeps;

  constructor(deps: ArrivalsDeps) {
    this.#deps = deps;
  }

  /** Lets a call begin, or turns it away where it leads nowhere. */
  take(node: RunningNode, callID: CallID, arrival: Arrival): void {
    const { directory } = this.#deps;
    if (arrival.origin === 'phone') {
      const companyId = directory.companyOfPhone(arrival.endpoint);
      this.#take(node, callID, arrival, companyId && { companyId, agent: arrival.dialled });
      return;
    }
    const masking = directory.maskingOf(arrival.dialled);
    if (masking) void this.#unmask(node, callID, arrival, masking);
    else this.#take(node, callID, arrival, directory.routeOf(arrival.dialled, arrival.endpoint));
  }

  #take(node: RunningNode, callID: CallID, arrival: Arrival, led: Led | undefined): void {
    const begun = this.#begin(node, callID, arrival, led);
    if (!(begun instanceof Promise)) return;
    // Others are asked whether there is room; what happens meanwhile waits.
    node.shard.hold(arrival.channel);
    void this.#follow(node, callID, arrival, begun);
  }

  /** Once a call has begun that had to be waited for: what was told of its channel meanwhile is told to it. */
  async #follow(node: RunningNode, callID: CallID, arrival: Arrival, begun: Soon<void>): Promise<void> {
    const { shard } = node;
    try {
      await begun;
    } catch (error) {
      this.#deps.log.error('whether there is room for a call could not be asked', error, callID);
      shard.forget(arrival.channel);
      if (!shard.closed) this.turnAway(node, callID, arrival, CONGESTION);
      return;
    }
    if (shard.closed) return;
    const runner = shard.runner(callID);
    if (runner) shard.follow(arrival.channel, runner);
    else shard.forget(arrival.channel);
  }

  turnAway(node: RunningNode, callID: CallID, arrival: Arrival, q850: number): void {
    node.switch.perform(callID, [{ do: 'hang-up', channel: arrival.channel, q850 }]);
  }

  /** A call to a masking number: whom it reaches is asked of the store, and what happens meanwhile waits. */
  async #unmask(
    node: RunningNode,
    callID: CallID,
    arrival: Arrival,
    { companyId, number, canonical, trunk }: MaskingNumber & { readonly companyId: CompanyId },
  ): Promise<void> {
    const { shard } = node;
    const { masks, log, now } = this.#deps;
    shard.hold(arrival.channel);
    let other: string | undefined;
    let q850 = UNALLOCATED;
    try {
      other = await masks.counterpart(companyId, number, canonical(arrival.caller), now());
    } catch (error) {
      log.error('whom a masking number reaches could not be asked', error, callID);
      q850 = CONGESTION;
    }
    if (shard.closed) return;
    if (other === undefined) {
      shard.forget(arrival.channel);
      this.turnAway(node, callID, arrival, q850);
      return;
    }
    const begun = this.#begin(node, callID, arrival, { companyId, agent: other, shown: number, trunk });
    await this.#follow(node, callID, arrival, begun);
  }

  #begin(node: RunningNode, callID: CallID, arrival: Arrival, led: Led | undefined): Soon<void> {
    const { directory, log } = this.#deps;
    if (!led) {
      log.info('a call belongs to no company and is turned away', { node: node.id, endpoint: arrival.endpoint });
      this.turnAway(node, callID, arrival, UNALLOCATED);
      return;
    }
    const { companyId } = led;
    const queue = directory.queue(companyId, led.queue ?? led.agent ?? '');
    const target = queue ? undefined : this.#targetOf(led, arrival);
    const wanted = { trunk: target?.trunk, queue: queue?.id };
    return whenKnown(this.#deps.admit(callID, companyId, node, wanted), (noRoom) => {
      this.#deps.begin(node.shard, this.#birthOf(node, callID, arrival, led, { queue, target, noRoom }));
    });
  }

  #birthOf(
    node: RunningNode,
    callID: CallID,
    arrival: Arrival,
    led: Led,
    found: { queue: Queue | undefined; target: Destination | undefined; noRoom: NoRoom | undefined },
  ): CallBirth {
    const { recordings, ringTimeout } = this.#deps;
    const { companyId } = led;
    const { queue, target, noRoom } = found;
    const inbound = arrival.origin === 'trunk';
    const outside = target?.kind === 'customer';
    const recording = recordings.plan(companyId);
    return {
      kind: 'arrived',
      callID,
      companyId,
      node: node.id,
      channel: arrival.channel,
      callType: inbound ? 'Inbound' : outside ? 'Outbound' : 'Internal',
      callerDN: inbound ? arrival.caller : arrival.endpoint,
      dialledDN: arrival.dialled,
      ...(queue && { queue: entryOf(queue, led.ringTimeout) }),
      ...(queue && noRoom && { turnedAway: TURNED_AWAY[noRoom] }),
      ...(target && { target: noRoom ? { ...target, unreachable: 'channel-limit' } : target }),
      ringTimeout: led.ringTimeout ?? ringTimeout,
      ...(recording && { recording }),
    };
  }

  /** Whom a call is for. A phone of ours is shown who calls, a number the trunk's own caller id. */
  #targetOf({ companyId, agent, shown, trunk }: Led, arrival: Arrival): Destination | undefined {
    if (agent === undefined) return undefined;
    const { directory } = this.#deps;
    const caller = arrival.origin === 'trunk' ? arrival.caller : arrival.endpoint;
    const callerId = shown ?? (directory.isExtension(companyId, agent) ? caller : undefined);
    return directory.resolve(companyId, agent, callerId, trunk);
  }
}
