import type { PhoneCall } from '../../lab/phone/call.ts';
import { agentTone } from '../../lab/standing.ts';
import { CUSTOMER_TONE } from './conversation.ts';
import { AGENT, CUSTOMER, Office, TRUNK_NUMBER } from './office.ts';

/** Who is asked. */
export const GUEST = '1019';

/** All three hear each other. */
export const ALL_HEAR = { agent: ['customer', 'guest'], customer: ['agent', 'guest'], guest: ['agent', 'customer'] };

/** An agent who consults a guest about his customer, and what is told of that. */
export class ConsultingOffice extends Office {
  constructor() {
    super([AGENT, GUEST]);
  }

  /** The agent asks somebody. @returns the partyID of the one who is asked */
  readonly consult = async (callID: string, otherDN = GUEST) => {
    const { partyID } = await this.client.call('RequestInitiateConsult', {
      referenceID: 7,
      callID,
      thisDN: AGENT,
      otherDN,
    });
    return partyID;
  };

  /** Who is in the call, by name, with the tone that each sends. */
  readonly talkersOf = (
    c: { agent: PhoneCall; customer: PhoneCall; guest?: PhoneCall },
    guestTone = agentTone(GUEST),
  ) => [
    { name: 'agent', call: c.agent, tone: agentTone(AGENT) },
    { name: 'customer', call: c.customer, tone: CUSTOMER_TONE },
    ...(c.guest ? [{ name: 'guest', call: c.guest, tone: guestTone }] : []),
  ];

  /** What every event of the call says. */
  readonly all = (callID: string) => ({
    callID,
    companyId: this.rm.companyId,
    callType: 'Outbound',
    ANI: TRUNK_NUMBER,
    DNIS: CUSTOMER,
  });
  readonly ofAgent = (callID: string) => ({
    ...this.all(callID),
    partyID: `${callID}-1`,
    partyRole: 'Agent',
    thisDN: AGENT,
  });
  readonly ofGuest = (callID: string, partyID: string) => ({
    ...this.all(callID),
    partyID,
    partyRole: 'Agent',
    thisDN: GUEST,
    otherDN: AGENT,
    otherDNRole: 'ConsultBy',
    thirdDN: CUSTOMER,
    callState: 'Consult',
  });
  /** What is told from the question to the answer. */
  readonly stages = (callID: string, partyID: string) => [
    {
      messageID: 'EventAttachedDataChanged',
      ...this.ofAgent(callID),
      otherDN: GUEST,
      referenceID: 7,
      attachedData: { consultStage: 1 },
      agentStatus: 'ConsultationDialed',
    },
    {
      messageID: 'EventRinging',
      ...this.ofGuest(callID, partyID),
      referenceID: 7,
      thisQueue: '',
      attachedData: { consultStage: '2', consulting: 'true' },
      agentStatus: 'ConsultationGuestDialed',
    },
    {
      messageID: 'EventAttachedDataChanged',
      ...this.ofAgent(callID),
      otherDN: GUEST,
      referenceID: 7,
      callState: 'Consult',
      attachedData: { consultStage: 2 },
    },
    {
      messageID: 'EventEstablished',
      ...this.ofGuest(callID, partyID),
      referenceID: 7,
      thisQueue: '',
      makeCallType: 'Regular',
      attachedData: { consultStage: '4', consulting: 'true' },
      agentStatus: 'ConsultationGuestConnected',
    },
    {
      messageID: 'EventAttachedDataChanged',
      ...this.ofAgent(callID),
      otherDN: GUEST,
      referenceID: 7,
      callState: 'Consult',
      attachedData: { consultStage: 4 },
      agentStatus: 'ConsultationConnected',
    },
  ];

  /** Agent, customer and guest, the guest having answered. */
  readonly asked = async () => {
    const { callID, agent, customer } = await this.talking();
    const partyID = await this.consult(callID);
    const guest = await this.phone(GUEST).nextCall();
    guest.ring();
    await this.stage(callID, 2);
    await guest.answer();
    await this.stage(callID, 4);
    return { callID, partyID, agent, customer, guest };
  };
}
