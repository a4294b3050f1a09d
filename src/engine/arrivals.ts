import type { CallBirth, Destination } from '../calls/input.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { Arrival, MaskStore } from '../ports.ts';
import type { Directory, MaskingNumber, Queue, Route } from './directory.ts';
import type { RunningNode } from './nodes.ts';
import type { Recordings } from './recordings.ts';
import type { Shard } from './shard.ts';
import { entryOf } from './waiting-calls.ts';

/** Q.850 42, switch congestion: how a caller is turned away whom nobody here can serve. Asterisk answers 503. */
export const CONGESTION = 42;
/** Q.850 1: the number leads nowhere. Asterisk answers 404. */
const UNALLOCATED = 1;

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
  readonly admit: (
    callID: CallID,
    companyId: CompanyId,
    node: string,
    trunk: string | undefined,
  ) => 'channel-limit' | undefined;
  /** Q.850: why a caller may not even wait; undefined if he may. */
  readonly turnedAway: (companyId: CompanyId, queue: Queue, limit: 'channel-limit' | undefined) => number | undefined;
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
      this.#begin(node, callID, arrival, companyId && { companyId, agent: arrival.dialled });
      return;
    }
    const masking = directory.maskingOf(arrival.dialled);
    if (masking) void this.#unmask(node, callID, arrival, masking);
    else this.#begin(node, callID, arrival, directory.routeOf(arrival.dialled, arrival.endpoint));
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
    this.#begin(node, callID, arrival, { companyId, agent: other, shown: number, trunk });
    const runner = shard.runner(callID);
    if (runner) shard.follow(arrival.channel, runner);
  }

  #begin(node: RunningNode, callID: CallID, arrival: Arrival, led: Led | undefined): void {
    const { directory, log, recordings, ringTimeout } = this.#deps;
    if (!led) {
      log.info('a call belongs to no company and is turned away', { node: node.id, endpoint: arrival.endpoint });
      this.turnAway(node, callID, arrival, UNALLOCATED);
      return;
    }
    const inbound = arrival.origin === 'trunk';
    const { companyId } = led;
    const queue = directory.queue(companyId, led.queue ?? led.agent ?? '');
    const target = queue ? undefined : this.#targetOf(led, arrival);
    const limit = this.#deps.admit(callID, companyId, node.id, target?.trunk);
    const turnedAway = queue && this.#deps.turnedAway(companyId, queue, limit);
    const outside = target?.kind === 'customer';
    const recording = recordings.plan(companyId);
    this.#deps.begin(node.shard, {
      kind: 'arrived',
      callID,
      companyId,
      node: node.id,
      channel: arrival.channel,
      callType: inbound ? 'Inbound' : outside ? 'Outbound' : 'Internal',
      callerDN: inbound ? arrival.caller : arrival.endpoint,
      dialledDN: arrival.dialled,
      ...(queue && { queue: entryOf(queue, led.ringTimeout) }),
      ...(turnedAway !== undefined && { turnedAway }),
      ...(target && { target: limit ? { ...target, unreachable: limit } : target }),
      ringTimeout: led.ringTimeout ?? ringTimeout,
      ...(recording && { recording }),
    });
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
