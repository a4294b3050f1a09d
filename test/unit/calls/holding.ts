import { Conferring } from './conferring.ts';
import { AGENT, CUSTOMER, GUEST } from './consulting.ts';

export { AGENT, CUSTOMER, GUEST };

/** A call in which somebody holds, mutes or presses digits. */
export class Holding extends Conferring {
  /** RequestHoldCall. */
  holds(thisDN: string, ref = 0): this {
    return this.happens({ kind: 'hold', thisDN, referenceID: ref });
  }
  /** RequestRetrieveCall. */
  takesBack(thisDN: string, ref = 0): this {
    return this.happens({ kind: 'retrieve', thisDN, referenceID: ref });
  }
  /** RequestMuteCall. */
  mutes(thisDN: string, ref = 0): this {
    return this.happens({ kind: 'mute', thisDN, referenceID: ref });
  }
  /** RequestUnmuteCall. */
  unmutes(thisDN: string, ref = 0): this {
    return this.happens({ kind: 'unmute', thisDN, referenceID: ref });
  }
  /** RequestSendDtmf. */
  sends(thisDN: string, dtmfDigits: string, ref = 0): this {
    return this.happens({ kind: 'send-dtmf', thisDN, dtmfDigits, referenceID: ref });
  }
  /** Re-INVITE sendonly. */
  phoneHolds(dn: string): this {
    return this.happens({ kind: 'leg-held-by-phone', channel: this.channel(dn) });
  }
  /** Re-INVITE sendrecv. */
  phoneRetrieves(dn: string): this {
    return this.happens({ kind: 'leg-retrieved-by-phone', channel: this.channel(dn) });
  }
  presses(dn: string, digits: string): this {
    for (const digit of digits) this.happens({ kind: 'leg-dtmf', channel: this.channel(dn), digit });
    return this;
  }

  /** Who is heard by each live party that has answered, as the switch was asked for it: DNs and `music`, sorted. */
  hearing(): Record<string, string[]> {
    const { place, music, muted } = this.call.media;
    const up = this.call.parties.filter((p) => p.leg.state === 'up' && !p.leg.hangup);
    return Object.fromEntries(
      up.map(({ dn, leg: { channel } }) => {
        const bridge = place[channel];
        const others = up.filter((o) => o.dn !== dn && bridge !== undefined && place[o.leg.channel] === bridge);
        const heard = others.filter((o) => !muted.includes(o.leg.channel)).map((o) => o.dn);
        return [dn, [...heard, ...(music.includes(channel) ? ['music'] : [])].sort()];
      }),
    );
  }
}

/** Agent and customer talk. */
export const talking = (): Holding =>
  new Holding()
    .make({ agent: AGENT, customer: CUSTOMER, ref: 1, attachedData: { orderID: '1' } })
    .answers(AGENT)
    .rings(CUSTOMER)
    .answers(CUSTOMER)
    .fromHere();

/** The agent has asked the guest, who has answered. */
export const consulting = (): Holding =>
  talking().consults(AGENT, GUEST, 7).rings(GUEST).answers(GUEST).fromHere() as Holding;

/** Agent, customer and guest talk. */
export const conference = (): Holding => talking().adds(AGENT, GUEST, 7).rings(GUEST).answers(GUEST).fromHere();
