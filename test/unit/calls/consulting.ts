import type { CallInput, QueueTarget } from '../../../src/calls/input.ts';
import type { AttachedData } from '../../../src/cti/json.ts';
import { destination, type End, Story } from './flow.ts';

type Step = Extract<CallInput, { kind: `${string}-consult` }>['kind'];

export const AGENT = '1001';
export const CUSTOMER = '+919800000001';
export const GUEST = '1002';
export const QUEUE = { id: '8001', ringTimeout: 15, wrapUp: 30 };

/** A queue as the directory names it. */
export const queueTarget = (more: Partial<QueueTarget> = {}): QueueTarget => ({
  dn: QUEUE.id,
  kind: 'queue',
  queue: QUEUE,
  ...more,
});

/** A call in which somebody is asked, or to whom it is handed. */
export class Consulting extends Story {
  /** RequestInitiateConsult. */
  consults(thisDN: string, otherDN: string, ref = 0, attachedData: AttachedData = {}): this {
    return this.happens({ kind: 'consult', thisDN, target: destination(otherDN), attachedData, referenceID: ref });
  }
  cancels(thisDN: string, ref = 0): this {
    return this.next('cancel-consult', thisDN, ref);
  }
  retrieves(thisDN: string, ref = 0): this {
    return this.next('retrieve-consult', thisDN, ref);
  }
  transfers(thisDN: string, ref = 0): this {
    return this.next('transfer-consult', thisDN, ref);
  }
  confers(thisDN: string, ref = 0): this {
    return this.next('conference-consult', thisDN, ref);
  }
  /** RequestSingleStepTransfer. */
  handsTo(thisDN: string, otherDN: string, ref = 0): this {
    const back = destination(thisDN);
    return this.happens({ kind: 'transfer', thisDN, target: destination(otherDN), back, referenceID: ref });
  }
  /** RequestInitiateConsult of a queue. */
  asksQueue(thisDN: string, target: QueueTarget = queueTarget(), ref = 0): this {
    return this.happens({ kind: 'consult', thisDN, target, attachedData: {}, referenceID: ref });
  }
  /** RequestSingleStepTransfer to a queue. */
  handsToQueue(thisDN: string, target: QueueTarget = queueTarget(), ref = 0): this {
    return this.happens({ kind: 'transfer', thisDN, target, back: destination(thisDN), referenceID: ref });
  }
  /** The floor gives the call to an agent. */
  assigned(dn: string, assignment: number, queue = QUEUE.id): this {
    return this.happens({ kind: 'assign', queue, to: destination(dn), assignment });
  }
  /** The phone asks for a transfer; `otherDN` is missing where it names another call. */
  refers(dn: string, otherDN?: string): this {
    const aim = otherDN !== undefined && {
      dialled: otherDN,
      aim: { target: otherDN === QUEUE.id ? queueTarget() : destination(otherDN), back: destination(dn) },
    };
    return this.happens({ kind: 'leg-transfer-requested', channel: this.channel(dn), ...aim });
  }
  /** A fact about the newest party with this DN: one that was rung again has a leg of its own. */
  again(dn: string, kind: 'leg-ringing' | 'leg-answered' | 'leg-ended', end: End = {}): this {
    const party = this.call.parties.findLast((p) => p.dn === dn);
    const channel = party?.leg.channel ?? '';
    return this.happens(kind === 'leg-ended' ? { kind, channel, ...end } : { kind, channel });
  }
  next(kind: Step, thisDN: string, ref: number): this {
    return this.happens({ kind, thisDN, referenceID: ref });
  }

  /** Where somebody is now: a bridge by its last letters, `music`, or `alone`. */
  where(dn: string): string {
    const { place, music } = this.call.media;
    const channel = this.channel(dn);
    if (music.includes(channel)) return place[channel] === undefined ? 'music' : 'music in a bridge';
    return place[channel]?.slice(-2) ?? 'alone';
  }

  /** The last event of this name for this DN. */
  last(name: string, thisDN: string): Record<string, unknown> {
    const found = this.events.filter((e) => e.messageID === name && 'thisDN' in e && e.thisDN === thisDN).at(-1);
    if (!found) throw new Error(`no ${name}(${thisDN})`);
    return found;
  }
}

/** Agent and customer talk. */
export const talking = (): Consulting =>
  new Consulting()
    .make({ agent: AGENT, customer: CUSTOMER, ref: 1, attachedData: { orderID: '1' } })
    .answers(AGENT)
    .rings(CUSTOMER)
    .answers(CUSTOMER)
    .fromHere();

/** The agent asks the guest, whose phone rings. */
export const ringing = (): Consulting => talking().consults(AGENT, GUEST, 7).rings(GUEST).fromHere();

/** The guest has answered. */
export const asked = (): Consulting => ringing().answers(GUEST).fromHere();
