import type { PhoneCall } from '../../lab/phone/call.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import { type Hears, hearing } from './hearing.ts';
import type { RpcClient } from './rpc-client.ts';

/** Who talks in a test: a name, a call on a phone, and the tone that it sends. */
export interface Talker {
  readonly name: string;
  readonly call: PhoneCall;
  readonly tone: number;
}

/** Waits until everybody hears exactly those named, as `hearing` measures it. */
export const expectHeard = (talkers: readonly Talker[], heard: Hears): Promise<void> =>
  hearing(Object.fromEntries(talkers.map(({ name, call, tone }) => [name, { call, tone }]))).is(heard);

/** Agent and customer talk: placed by request, answered on both phones. */
export async function talk(
  client: RpcClient,
  agentPhone: Phone,
  customerPhone: Phone,
  thisDN: string,
  otherDN: string,
): Promise<{ callID: string; agent: PhoneCall; customer: PhoneCall }> {
  const { callID } = await client.call('RequestMakeCall', { referenceID: 1, thisDN, otherDN });
  const agent = await agentPhone.nextCall();
  await agent.answer();
  const customer = await customerPhone.nextCall();
  customer.ring();
  await customer.answer();
  await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === otherDN);
  return { callID, agent, customer };
}
