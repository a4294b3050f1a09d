import type { NewCtiEvent } from '../../src/cti/events.ts';
import { type CallID, type CompanyId, partyIDOf } from '../../src/cti/ids.ts';

/** How a call that a queue has placed goes, ms; what is absent never comes. */
export interface QueueCallStory {
  /** From its start to the customer's answer. */
  readonly answeredAfter?: number;
  /** From his answer to his being put through to an agent. */
  readonly connectedAfter?: number;
  /** From its start to its end. */
  readonly lasted: number;
}

/**
 * The events by which such a call ends, as the engine tells them: the customer is the first party, the agent carries the
 * queue.
 *
 * @param endedAt Unix ms
 */
export function queueCallEnd(
  call: { readonly companyId: CompanyId; readonly callID: CallID; readonly queue: string; readonly number: string },
  story: QueueCallStory,
  endedAt: number,
): NewCtiEvent[] {
  const { companyId, callID, queue, number } = call;
  const start = endedAt - story.lasted;
  const answer = story.answeredAfter === undefined ? undefined : start + story.answeredAfter;
  const bridge = answer === undefined || story.connectedAfter === undefined ? undefined : answer + story.connectedAfter;
  const common = { companyId, callID, callType: 'Outbound', creationTime: endedAt, referenceID: 0 } as const;
  const connectionStatus = answer === undefined ? 'Ring Timeout' : bridge === undefined ? 'Hang Up' : 'Connected';
  const released = {
    messageID: 'EventReleased',
    ...common,
    thisQueue: queue,
    billsec: 0,
    answersec: 0,
    endUepoch: endedAt,
    hangupCause: answer === undefined ? 'NO_ANSWER' : 'BY_CUSTOMER',
    earlyDetectCause: 0,
    q850: 16,
  } as const;
  const customer: NewCtiEvent = {
    ...released,
    partyID: partyIDOf(callID, 1),
    partyRole: 'Customer',
    thisDN: number,
    startUepoch: start,
    progressUepoch: start + 1_000,
    ...(answer !== undefined && { answerUepoch: answer }),
    ...(bridge !== undefined && { bridgeUepoch: bridge }),
    hangupDisposition: answer === undefined ? 'send_cancel' : 'recv_bye',
    connectionStatus,
  };
  const agent: NewCtiEvent | undefined =
    bridge === undefined
      ? undefined
      : {
          ...released,
          partyID: partyIDOf(callID, 2),
          partyRole: 'Agent',
          thisDN: '1001',
          startUepoch: bridge - 100,
          answerUepoch: bridge,
          bridgeUepoch: bridge,
          hangupDisposition: 'send_bye',
          connectionStatus: 'Connected',
        };
  return [
    customer,
    ...(agent ? [agent] : []),
    {
      messageID: 'EventCallDeleted',
      ...common,
      thisDN: queue,
      startUepoch: start,
      endUepoch: endedAt,
      ...(bridge !== undefined && { bridgeUepoch: bridge }),
      connectionStatus,
      q850: 16,
    },
  ];
}
