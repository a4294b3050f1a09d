import type { ResultOf } from '../cti/requests.ts';
import type { Caller, Requests } from '../ports.ts';
import type { Agents } from './agents.ts';

/** Who is in a call or not ready now, so that nobody is called who talks or rests. */
export async function readAgents(agents: Agents, requests: Requests, caller: Caller): Promise<void> {
  const listed = await requests.request(caller, 'RequestListAgents', {});
  if ('result' in listed) {
    const { agents: listedAgents } = listed.result as ResultOf<'RequestListAgents'>;
    for (const { thisDN, state } of listedAgents) agents.found(thisDN, state === 'Ready');
  }
  let cursor: string | undefined;
  do {
    const params = { limit: 1_000, ...(cursor !== undefined && { cursor }) };
    const answer = await requests.request(caller, 'RequestListCalls', params);
    if ('refusal' in answer) return;
    // The engine answers with the result of the method's own schema.
    const { calls, cursor: next } = answer.result as ResultOf<'RequestListCalls'>;
    for (const { parties } of calls) for (const p of parties) agents.inCall(p.thisDN, p.partyID);
    cursor = next;
  } while (cursor !== undefined);
}
