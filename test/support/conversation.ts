import type { Lab } from '../../lab/lab.ts';
import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone, PhoneOptions } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';
import { type Hearing, hearing } from './hearing.ts';
import { openAgentPhone, openCustomerPhone } from './lab.ts';
import { type Ringmaster, ringmaster, type Settings } from './ringmaster.ts';
import type { RpcClient } from './rpc-client.ts';

export const CUSTOMER_TONE = 2500;

/** An agent and a customer who talk, on telephones of the test's own. */
export interface Conversation {
  readonly callID: string;
  readonly agent: PhoneCall;
  readonly customer: PhoneCall;
  /** Who hears whom, by the names `agent` and `customer`. */
  readonly hearing: Hearing;
}

/** An agent's and a customer's telephone, and the product with a subscriber. */
export interface Pair {
  readonly rm: Ringmaster;
  readonly client: RpcClient;
  readonly agentPhone: Phone;
  readonly customerPhone: Phone;
  /** Places the call, answers it on both sides, and waits until both are told to be established. */
  talk(referenceID?: number): Promise<Conversation>;
  close(): Promise<void>;
}

/**
 * @param agent the DN of a free extension
 * @param customer a number that nobody else has
 * @param options of the agent's telephone
 */
export async function openPair(
  lab: Lab,
  agent: string,
  customer: string,
  options: Partial<PhoneOptions> = {},
): Promise<Pair> {
  const [agentPhone, customerPhone] = await Promise.all([
    openAgentPhone(lab, agent, options),
    openCustomerPhone(lab, customer, { tone: CUSTOMER_TONE }),
  ]);
  const rm = await customersAt(lab, customerPhone);
  const client = await rm.subscriber();
  const talk = async (referenceID = 1): Promise<Conversation> => {
    const attachedData = { orderID: '123' };
    const { callID } = await client.call('RequestMakeCall', {
      referenceID,
      thisDN: agent,
      otherDN: customer,
      attachedData,
    });
    const agentCall = await agentPhone.nextCall();
    await agentCall.answer();
    const customerCall = await customerPhone.nextCall();
    await customerCall.answer();
    await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === customer);
    const speakers = {
      agent: { call: agentCall, tone: agentTone(agent) },
      customer: { call: customerCall, tone: CUSTOMER_TONE },
    };
    return { callID, agent: agentCall, customer: customerCall, hearing: hearing(speakers) };
  };
  const close = async (): Promise<void> => {
    await rm.close();
    await Promise.all([agentPhone.close(), customerPhone.close()]);
  };
  return { rm, client, agentPhone, customerPhone, talk, close };
}

/** The product, with a carrier that leads every number outside to this telephone. */
export function customersAt(lab: Lab, phone: Phone): Promise<Ringmaster> {
  return ringmaster(lab, (settings) => leadCustomers(settings, phone));
}

/** Lets the carrier lead every number outside to this telephone. */
export function leadCustomers(settings: Settings, phone: Phone): void {
  for (const trunk of settings.trunks) {
    if (trunk.id === 'carrier-a') trunk.endpoint = `PJSIP/carrier-a/sip:{number}@127.0.0.1:${phone.port}`;
  }
}
