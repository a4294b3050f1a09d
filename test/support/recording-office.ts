import { expect } from 'vitest';
import type { PhoneCall } from '../../lab/phone/call.ts';
import { agentTone } from '../../lab/standing.ts';
import type { EventOf } from '../../src/cti/events.ts';
import { only } from './call-events.ts';
import { CUSTOMER_TONE } from './conversation.ts';
import { AGENT, CUSTOMER, Office } from './office.ts';
import { fetchFile, listen, type Moment, story } from './wav.ts';

export const COLLEAGUE = '1019';
/** A telephone of the lab that answers, and takes any number of calls. */
export const STANDING = '1001';
export const AGENT_TONE = agentTone(AGENT);
export const COLLEAGUE_TONE = agentTone(COLLEAGUE);
/** What is recorded of customer and agent while both talk. */
export const TALKING = `${CUSTOMER_TONE}|${AGENT_TONE}`;
/** A key that may call and not read. */
export const NO_READER = 'a-key-that-may-call-and-not-read';

/** What of a recording lasted: what is shorter is the change from one sound to the next. */
export const lasting = (moments: readonly Moment[], tenths = 2): string[] =>
  story(moments)
    .filter((one) => one.tenths >= tenths)
    .map((one) => one.sounds)
    .filter((sounds, i, all) => sounds !== all[i - 1]);

/** Whom the customer heard, in turn. From one to the next nobody may be heard for as long as the machine takes. */
export const inTurn = (moments: readonly Moment[]): string[] =>
  lasting(moments)
    .filter((sounds) => sounds !== `${CUSTOMER_TONE}|`)
    .filter((sounds, i, all) => sounds !== all[i - 1]);

/** An office whose calls are recorded. */
export class RecordingOffice extends Office {
  /** @param recording what the company records, and whether early media is part of it */
  constructor(recording: { readonly mode: 'all' | 'onRequest'; readonly earlyMedia: boolean }) {
    super([AGENT, COLLEAGUE], (settings) => {
      for (const company of settings.companies) {
        Object.assign(company, { recording });
        const listening = company.keys?.find((key) => key.name === 'everything');
        if (listening) company.keys?.push({ name: 'no-reader', key: NO_READER, scopes: ['call'] });
      }
    });
  }

  /** A call of agent and customer, both talking. @param recording whether the request asks for it to be recorded */
  readonly talk = async (
    recording?: boolean,
  ): Promise<{ readonly callID: string; readonly agent: PhoneCall; readonly customer: PhoneCall }> => {
    const { callID } = await this.client.call('RequestMakeCall', {
      thisDN: AGENT,
      otherDN: CUSTOMER,
      ...(recording !== undefined && { recording }),
    });
    const agent = await this.phone(AGENT).nextCall();
    await agent.answer();
    const customer = await this.customerPhone.nextCall();
    await customer.answer();
    await this.bothEstablished(callID);
    await Promise.all([agent.hears(CUSTOMER_TONE), customer.hears(AGENT_TONE)]);
    return { callID, agent, customer };
  };

  readonly bothEstablished = (callID: string) =>
    this.client.until(
      (events) =>
        events.filter((e) => e.messageID === 'EventEstablished' && 'callID' in e && e.callID === callID).length >= 2,
    );

  readonly deleted = async (callID: string): Promise<EventOf<'EventCallDeleted'>> =>
    only(await this.client.ended(callID), 'EventCallDeleted');

  /** The recording that a call's end names, as its moments. */
  readonly recordingOf = async (callID: string): Promise<Moment[]> => {
    const { recordUrl } = await this.deleted(callID);
    const { status, bytes } = await fetchFile(recordUrl ?? '', this.rm.key('reader'));
    expect(status).toBe(200);
    return listen(bytes);
  };
}
