import type { FlowStatus } from '../cti/flow-status.ts';
import type { Entry } from './accept.ts';
import type { Flow } from './book.ts';
import type { DialerCall } from './dialer-call.ts';

/**
 * The call of the dialler that an entry of a request becomes. A refused one has ended with the reason as its status: it
 * can be asked for, and nothing is ever done with it.
 *
 * @param now Unix ms
 */
export function newDialerCall(
  entry: Entry,
  flow: Flow,
  ids: { uuid: string; requestId: string },
  now: number,
): DialerCall {
  const status: FlowStatus = !entry.accepted ? entry.status : entry.future ? 'SCHEDULED' : 'UNPROCESSED';
  return {
    ...ids,
    companyId: flow.account.companyId,
    accountId: flow.account.config.id,
    flowId: flow.config.id,
    clientIdentifier: entry.clientIdentifier,
    numbers: entry.numbers,
    variables: entry.variables,
    status,
    phase: entry.accepted ? 'waiting' : 'ended',
    dueAt: entry.accepted ? entry.at : now,
    urgent: false,
    index: 0,
    agentAttempts: 0,
    customerAttempts: 0,
    faults: 0,
    legs: [],
    history: [{ status, at: now }],
    lastEventID: 0,
    acceptedAt: now,
    changedAt: now,
    ...(!entry.accepted && { endedAt: now }),
  };
}
