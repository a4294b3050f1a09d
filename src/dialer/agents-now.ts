import type { ResultOf } from '../cti/requests.ts';
import type { Caller, Requests } from '../ports.ts';
import type { Agents } from './agents.ts';

/**
 * Who is in a call or not ready now, so that nobody is called who talks or rests, and nobody is passed over who does not any
 * more. What was known before is forgotten.
 *
 * @returns false where not all of it could be read: of the rest what was known before is kept
 */
export async function readAgents(agents: Agents, requests: Requests, caller: Caller): Promise<boolean> {
  const listed = await requests.request(caller, 'RequestListAgents', {});
  const inCall: { readonly dn: string; readonly partyID: string }[] = [];
  let cursor: string | undefined;
  do {
    const params = { limit: 1_000, ...(cursor !== undefined && { cursor }) };
    const answer = await requests.request(caller, 'RequestListCalls', params);
    if ('refusal' in answer) return false;
    // The engine answers with the result of the method's own schema.
    const { calls, cursor: next } = answer.result as ResultOf<'RequestListCalls'>;
    for (const { parties } of calls) for (const p of parties) inCall.push({ dn: p.thisDN, partyID: p.partyID });
    cursor = next;
  } while (cursor !== undefined);
  agents.forgetCalls();
  for (const { dn, partyID } of inCall) agents.inCall(dn, partyID);
  if ('refusal' in listed) return false;
  agents.forgetAway();
  const { agents: listedAgents } = listed.result as ResultOf<'RequestListAgents'>;
  for (const { thisDN, state } of listedAgents) agents.found(thisDN, state === 'Ready');
  return true;
}
