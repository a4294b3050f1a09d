import type { TestContext } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import type { CtiEvent } from '../../src/cti/events.ts';
import { expectWhole } from './call-events.ts';
import { CUSTOMER_TONE, leadCustomers } from './conversation.ts';
import { openAgentPhone, openCustomerPhone, testLab } from './lab.ts';
import { type Ringmaster, ringmaster, type Settings } from './ringmaster.ts';
import type { RpcClient } from './rpc-client.ts';
import { expectHeard, talk } from './talking.ts';

/** The agent whom most of it is about. */
export const AGENT = '1018';
export const CUSTOMER = '911140099001';
/** Another number outside, with a tone of its own. */
export const OUTSIDE = '911140099055';
export const OUTSIDE_TONE = 2750;
/** What the carrier shows of who calls. */
export const TRUNK_NUMBER = '911140001000';

interface Opened {
  readonly lab: Lab;
  readonly phones: ReadonlyMap<string, Phone>;
  readonly customerPhone: Phone;
  rm: Ringmaster;
  client: RpcClient;
}

/**
 * Agents and a customer on telephones of the test's own, the product on the lab with a carrier that leads every number
 * outside to the customer's telephone, and a client that hears all events.
 */
export class Office {
  readonly #agents: readonly string[];
  readonly #change: (settings: Settings) => void;
  readonly #prefix: string | undefined;
  /** All of its telephones, to be closed whatever becomes of the rest. */
  #phones: readonly Phone[] = [];
  #opened: Opened | undefined;

  /**
   * @param agents free extensions of the lab
   * @param change what else is different from the lab's settings
   * @param prefix of the Redis keys, where the test looks at them
   */
  constructor(agents: readonly string[], change: (settings: Settings) => void = () => {}, prefix?: string) {
    this.#agents = agents;
    this.#change = change;
    this.#prefix = prefix;
  }

  async open(): Promise<void> {
    const lab = await testLab();
    const tone = (dialled: string): number => (dialled === OUTSIDE ? OUTSIDE_TONE : CUSTOMER_TONE);
    const [customerPhone, ...agentPhones] = await Promise.all([
      openCustomerPhone(lab, CUSTOMER, { tone }),
      ...this.#agents.map((dn) => openAgentPhone(lab, dn)),
    ]);
    this.#phones = [customerPhone, ...agentPhones];
    const phones = new Map(agentPhones.map((phone, i) => [this.#agents[i] ?? '', phone]));
    const rm = await this.#start(lab, customerPhone);
    this.#opened = { lab, phones, customerPhone, rm, client: await rm.subscriber() };
  }

  /** Ends the product and starts it again on the same Redis keys, with another client. */
  async restart(): Promise<void> {
    const opened = this.#its;
    await opened.rm.close();
    opened.rm = await this.#start(opened.lab, opened.customerPhone);
    opened.client = await opened.rm.subscriber();
  }

  #start(lab: Lab, customerPhone: Phone): Promise<Ringmaster> {
    const change = (settings: Settings): void => {
      leadCustomers(settings, customerPhone);
      this.#change(settings);
    };
    return ringmaster(lab, change, this.#prefix);
  }

  async close(): Promise<void> {
    await this.#opened?.rm.close();
    await Promise.all(this.#phones.map((phone) => phone.close()));
  }

  /** As `Ringmaster.afterTest`. */
  readonly afterTest = (context: TestContext): Promise<void> => this.rm.afterTest(context);

  get #its(): Opened {
    if (!this.#opened) throw new Error('the office is not open');
    return this.#opened;
  }

  get lab(): Lab {
    return this.#its.lab;
  }

  /** The music on hold: one tone, hertz. */
  get music(): number {
    return this.lab.file.asterisk.musicTone;
  }

  get rm(): Ringmaster {
    return this.#its.rm;
  }

  get client(): RpcClient {
    return this.#its.client;
  }

  get customerPhone(): Phone {
    return this.#its.customerPhone;
  }

  /** The telephone of one of the agents. */
  phone(dn: string): Phone {
    const phone = this.#its.phones.get(dn);
    if (!phone) throw new Error(`nobody here has ${dn}`);
    return phone;
  }

  // ---- what happens in it ----

  /** Agent and customer talk. */
  readonly talking = () => talk(this.client, this.phone(AGENT), this.customerPhone, AGENT, CUSTOMER);

  /** The customer and one other hear each other, and nobody else. */
  readonly hearEachOther = (customer: PhoneCall, other: PhoneCall, tone: number): Promise<void> =>
    expectHeard(
      [
        { name: 'customer', call: customer, tone: CUSTOMER_TONE },
        { name: 'other', call: other, tone },
      ],
      { customer: ['other'], other: ['customer'] },
    );

  // ---- what is told of it ----

  readonly rung = (callID: string, thisDN: string) =>
    this.client.event('EventRinging', (e) => e.callID === callID && e.thisDN === thisDN);

  readonly established = (callID: string, thisDN: string) =>
    this.client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === thisDN);

  readonly released = (callID: string, thisDN: string) =>
    this.client.event('EventReleased', (e) => e.callID === callID && e.thisDN === thisDN);

  /** A consultation has come to this stage. */
  readonly stage = (callID: string, consultStage: number) =>
    this.client.event(
      'EventAttachedDataChanged',
      (e) => e.callID === callID && e.attachedData['consultStage'] === consultStage,
    );

  /** Waits for a call's end. @returns all that was told of it, which is whole */
  readonly ended = async (callID: string): Promise<readonly CtiEvent[]> => {
    const events = await this.client.ended(callID);
    expectWhole(events);
    return events;
  };
}

/** What has been told of a call since agent and customer talked. */
export const sinceTheyTalked = (events: readonly CtiEvent[]): readonly CtiEvent[] =>
  events.slice(events.findLastIndex((e) => e.messageID === 'EventEstablished' && e.thisDN === CUSTOMER) + 1);

/** The final status that a phone is told of its REFER. */
export async function outcomeOfRefer(call: PhoneCall): Promise<string> {
  for (;;) {
    const { detail = '' } = await call.waitFor('refer-notify');
    if (!detail.startsWith('1')) return detail;
  }
}
