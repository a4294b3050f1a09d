import type { CallID, PartyID } from '../cti/ids.ts';
import type { AttachedData } from '../cti/json.ts';
import { REASON_CODES } from '../cti/roles.ts';
import { type AfterCallWork, type Agent, type AgentTurn, rested } from './agent.ts';
import { tellNotReady, tellReady } from './tell.ts';

/** After-call work: from the release of a queue's call until its time is up or the agent says so. */

/** The seed's `loginState`: what the agent was before, 1 online, 2 do not disturb. */
const LOGIN_STATE = { Ready: '1', NotReady: '2' } as const;

/** What an event of after-call work says beside the reason. */
function dataOf({ callID, before }: AfterCallWork): AttachedData {
  return { loginState: LOGIN_STATE[before.state], ...(callID !== undefined && { callID }) };
}

/**
 * Begins after-call work. One that goes on already is replaced; what the agent was before it stays.
 *
 * @param seconds how long it lasts
 */
export function beginAfterCall(
  turn: AgentTurn,
  agent: Agent,
  of: { readonly callID: CallID; readonly partyID: PartyID },
  seconds: number,
): Agent {
  const afterCall: AfterCallWork = {
    callID: of.callID,
    partyID: of.partyID,
    until: turn.now + seconds * 1000,
    before: stateBefore(agent),
  };
  const working = rested(
    { ...agent, state: 'NotReady', reasonCode: REASON_CODES.AfterCallWork, stateSince: turn.now, afterCall },
    turn.now,
  );
  tellNotReady(turn, working, 0, dataOf(afterCall));
  return working;
}

/** What the agent is, or was before after-call work that goes on. */
export function stateBefore(agent: Agent): AfterCallWork['before'] {
  if (agent.afterCall) return agent.afterCall.before;
  if (agent.state === 'Ready') return { state: 'Ready' };
  return { state: 'NotReady', ...(agent.reasonCode !== undefined && { reasonCode: agent.reasonCode }) };
}

/** Its time is up: the agent is again what he was before. */
export function endAfterCall(turn: AgentTurn, agent: Agent): Agent {
  const { afterCall, reasonCode: _, ...rest } = agent;
  if (!afterCall) return agent;
  const { before } = afterCall;
  const data: AttachedData | undefined = afterCall.callID === undefined ? undefined : { callID: afterCall.callID };
  if (before.state === 'Ready') {
    const reasonCode = REASON_CODES.AfterCallWork;
    const ready = rested({ ...rest, state: 'Ready', reasonCode, stateSince: turn.now, idleSince: turn.now }, turn.now);
    tellReady(turn, ready, 0, data);
    return ready;
  }
  const reasonCode = before.reasonCode ?? REASON_CODES.Other;
  const paused = rested({ ...rest, state: 'NotReady', reasonCode, stateSince: turn.now }, turn.now);
  tellNotReady(turn, paused, 0, data);
  return paused;
}
