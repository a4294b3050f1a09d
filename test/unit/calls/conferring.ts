import type { Supervise } from '../../../src/calls/input.ts';
import type { NotStarted } from '../../../src/calls/party.ts';
import { AGENT, Consulting, CUSTOMER, GUEST } from './consulting.ts';
import { destination } from './flow.ts';

export { AGENT, CUSTOMER, GUEST };
export const OUTSIDER = '+919800000009';
export const SUPERVISOR = '1007';
export const RIVAL = '1008';

/** A call to which others are added, or that somebody supervises. */
export class Conferring extends Consulting {
  /** RequestSingleStepConference. */
  adds(thisDN: string, otherDN: string, ref = 0, unreachable?: NotStarted): this {
    return this.happens({ kind: 'add-party', thisDN, to: destination(otherDN, unreachable), referenceID: ref });
  }
  /** RequestDeleteFromConference. */
  deletes(thisDN: string, otherDN: string, ref = 0): this {
    return this.happens({ kind: 'delete-party', thisDN, otherDN, referenceID: ref });
  }
  /** RequestMonitor, RequestWhisper, RequestBargein, RequestIntercept. */
  supervises(mode: Supervise['mode'], thisDN: string, otherDN: string, ref = 0, more: Partial<Supervise> = {}): this {
    const to = destination(thisDN);
    return this.happens({ kind: 'supervise', mode, thisDN, to, otherDN, referenceID: ref, ...more });
  }
  /** RequestStopSupervision. */
  stops(thisDN: string, ref = 0): this {
    return this.happens({ kind: 'stop-supervision', thisDN, referenceID: ref });
  }
  /** Legs that the switch was asked to end, and has not. */
  leaving(): string[] {
    return this.call.parties.filter((p) => p.leg.hangup && p.leg.state !== 'ended').map((p) => p.dn);
  }
}

/** Agent and customer talk. */
export const talking = (): Conferring =>
  new Conferring()
    .make({ agent: AGENT, customer: CUSTOMER, ref: 1, attachedData: { orderID: '1' } })
    .answers(AGENT)
    .rings(CUSTOMER)
    .answers(CUSTOMER)
    .fromHere();

/** Agent, customer and a third talk. */
export const conference = (third = GUEST): Conferring =>
  talking().adds(AGENT, third, 7).rings(third).answers(third).fromHere();

/** A conference that was a consultation. */
export const consultConference = (): Conferring =>
  talking().consults(AGENT, GUEST).rings(GUEST).answers(GUEST).confers(AGENT, 6).fromHere();

/** A supervisor who has answered is at the agent. */
export const supervised = (mode: Supervise['mode']): Conferring =>
  talking().supervises(mode, SUPERVISOR, AGENT, 7).rings(SUPERVISOR).answers(SUPERVISOR).fromHere();
