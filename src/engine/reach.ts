import type { Call } from '../calls/call.ts';
import type { Destination, Fact, Target } from '../calls/input.ts';
import type { CompanyId } from '../cti/ids.ts';
import type { Admission } from '../ports.ts';
import type { CallRunner } from './call-runner.ts';
import type { Directory, Queue } from './directory.ts';
import { entryOf } from './waiting-calls.ts';

type TransferRequested = Extract<Fact, { kind: 'leg-transfer-requested' }>;

/** What {@link Reach} needs of the engine. */
export interface ReachDeps {
  readonly directory: Directory;
  readonly admission: Admission;
  readonly live: (companyId: CompanyId, callID: string) => CallRunner | undefined;
  readonly isFull: (companyId: CompanyId, queue: Queue) => boolean;
}

/** How those are reached who are brought into a live call. */
export class Reach {
  readonly #deps: ReachDeps;

  constructor(deps: ReachDeps) {
    this.#deps = deps;
  }

  /**
   * A phone of the company or a number outside. Over a trunk it takes a place there, given back if no leg comes of it.
   *
   * @param shown number for a phone of ours to show; a trunk shows its own
   */
  destination(companyId: CompanyId, callID: string, dn: string, shown?: string): Destination {
    const { directory, admission, live } = this.#deps;
    const to = directory.resolve(companyId, dn, directory.isExtension(companyId, dn) ? shown : undefined);
    const call = live(companyId, callID)?.call;
    if (!call || to.trunk === undefined || to.unreachable !== undefined) return to;
    const unreachable = admission.admitLeg(call.callID, to.trunk);
    return unreachable ? { ...to, unreachable } : to;
  }

  /** The same, or a queue, for those who are asked or handed a call. */
  target(companyId: CompanyId, callID: string, dn: string, shown?: string): Target {
    const { directory, isFull } = this.#deps;
    const queue = directory.queue(companyId, dn);
    if (!queue) return this.destination(companyId, callID, dn, shown);
    return { dn, kind: 'queue', queue: entryOf(queue), ...(isFull(companyId, queue) && { full: true as const }) };
  }

  /** A transfer that a phone asks for, with how those in it are reached. */
  aimed(call: Call | undefined, fact: TransferRequested): Fact {
    const party = call?.parties.find((p) => p.leg.channel === fact.channel);
    const { dialled } = fact;
    if (!call || !party || dialled === undefined) return fact;
    const { companyId, callID } = call;
    const customer = call.parties.find((p) => p !== party && p.leg.state !== 'ended')?.dn;
    const target = this.target(companyId, callID, dialled, customer);
    return { ...fact, aim: { target, back: this.#deps.directory.resolve(companyId, party.dn, customer) } };
  }
}
