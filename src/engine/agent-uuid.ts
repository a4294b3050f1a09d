import { createHash } from 'node:crypto';
import type { CompanyId } from '../cti/ids.ts';

/**
 * The seed's unchangeable id of an agent: made of company and work number, so that it is the same after every login, on
 * every instance, and with an empty Redis.
 *
 * @returns 32 lower-case hex digits
 */
export function agentUUID(companyId: CompanyId, agentID: string): string {
  return createHash('sha1').update(`${companyId}:${agentID}`).digest('hex').slice(0, 32);
}
