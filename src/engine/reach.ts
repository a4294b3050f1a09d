import type { Call } from '../calls/call.ts';
import type { Destination, Fact, Target } from '../calls/input.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { Admission, Soon, Use } from '../ports.ts';
import type { CallRunner } from './call-runner.ts';
import type { Directory } from './directory.ts';
import { free, type Kept } from './kept.ts';
import { whenKnown } from './soon.ts';
import { entryOf } from './waiting-calls.ts';

type TransferRequested = Extract<Fact, { kind: 'leg-transfer-requested' }>;

/** What {@link Reach} needs of the engine. */
export interface ReachDeps {
  readonly directory: Directory;
  readonly admission: Pick<Admission, 'admitUse' | 'settled'>;
  readonly live: (companyId: CompanyId, callID: string) => CallRunner | undefined;
}

/** How those are reached who are brought into a live call. */
export class Reach {
  readonly #deps: ReachDeps;

  constructor(deps: ReachDeps) {
    this.#deps = deps;
  }

  /**
   * A phone of the company or a number outside. Over a trunk it takes a place there.
   *
   * @param shown number for a phone of ours to show; a trunk shows its own
   */
  destination(companyId: CompanyId, callID: string, dn: string, shown?: string): Soon<Kept<Destination>> {
    const { directory } = this.#deps;
    const to = directory.resolve(companyId, dn, directory.isExtension(companyId, dn) ? shown : undefined);
    if (to.trunk === undefined || to.unreachable !== undefined) return free(to);
    return this.#take(companyId, callID, { trunk: to.trunk }, to, { ...to, unreachable: 'channel-limit' });
  }

  /** The same, or a queue with a place in it, for those who are asked or handed a call. */
  target(companyId: CompanyId, callID: string, dn: string, shown?: string): Soon<Kept<Target>> {
    const queue = this.#deps.directory.queue(companyId, dn);
    if (!queue) return this.destination(companyId, callID, dn, shown);
    const to: Target = { dn, kind: 'queue', queue: entryOf(queue) };
    return this.#take<Target>(companyId, callID, { queue: queue.id }, to, { ...to, full: true });
  }

  /** A transfer that a phone asks for, with how those in it are reached. */
  aimed(call: Call | undefined, fact: TransferRequested): Soon<Kept<Fact>> {
    const party = call?.parties.find((p) => p.leg.channel === fact.channel);
    const { dialled } = fact;
    if (!call || !party || dialled === undefined) return free(fact);
    const { companyId, callID } = call;
    const customer = call.parties.find((p) => p !== party && p.leg.state !== 'ended')?.dn;
    return whenKnown(this.target(companyId, callID, dialled, customer), ({ it: target, settled }) => ({
      it: { ...fact, aim: { target, back: this.#deps.directory.resolve(companyId, party.dn, customer) } },
      settled,
    }));
  }

  #take<T>(companyId: CompanyId, callID: string, use: Use, it: T, full: T): Soon<Kept<T>> {
    const { admission, live } = this.#deps;
    const call = live(companyId, callID)?.call;
    if (!call) return free(it);
    return whenKnown(admission.admitUse(call.callID, use), (noRoom) =>
      noRoom ? free(full) : { it, settled: () => admission.settled(call.callID, use) },
    );
  }
}
