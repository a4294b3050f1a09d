import type { FlowStatus } from '../cti/flow-status.ts';
import type { NumberListName, NumberListStore } from '../ports.ts';
import type { Flow } from './book.ts';

/** Why a number must not be called; a number that may be is not in it. */
export type NumberFaults = ReadonlyMap<string, FlowStatus>;

/** Tells whether a canonical number is on a list. */
type IsListed = (list: NumberListName, canonical: string) => boolean;

/** Numbers that are looked at in one go: others have their turn in between. */
const AT_ONCE = 250;

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Why a number must not be called, if so. */
function faultOf(number: string, { account, config }: Flow, isListed: IsListed): FlowStatus | undefined {
  const { rules, pattern } = account;
  if (!pattern.test(number)) return 'INVALID_CONTACT_NUMBER';
  const { canonical, international } = rules.read(number);
  if (!account.config.internationalCalls && international) return 'INTERNATIONAL_CALLS_DISABLED';
  if (isListed('black', canonical)) return 'PHONE_BLACKLISTED';
  const white = isListed('white', canonical);
  if (config.state === 'testing' && !white) return 'PHONE_NOT_WHITELISTED';
  if (config.marketing && !white && isListed('dnd', canonical)) return 'NCPR_CHECK_FAILED';
  return undefined;
}

/** The same, by what the configuration alone has on its lists. */
export const numberFault = (number: string, flow: Flow): FlowStatus | undefined =>
  faultOf(number, flow, (list, canonical) => flow.account[list].has(canonical));

/** The canonical form of each of these numbers, without holding up everything else where there are many. */
export async function canonicalOf(numbers: readonly string[], flow: Pick<Flow, 'account'>): Promise<string[]> {
  const { rules } = flow.account;
  const found: string[] = [];
  for (const number of numbers) {
    found.push(rules.canonical(number));
    if (found.length % AT_ONCE === 0) await pause();
  }
  return found;
}

/** Which of these numbers must not be called, and why, by all lists there are. Redis is asked once. */
export async function numberFaults(
  lists: NumberListStore,
  flow: Flow,
  numbers: readonly string[],
): Promise<NumberFaults> {
  const { account } = flow;
  const each = [...new Set(numbers)];
  const canonical = [...new Set(await canonicalOf(each, flow))];
  const on = await lists.onLists(account.companyId, account.config.id, canonical);
  const isListed: IsListed = (list, number) => account[list].has(number) || on[list].has(number);
  const faults = new Map<string, FlowStatus>();
  for (const [i, number] of each.entries()) {
    const fault = faultOf(number, flow, isListed);
    if (fault !== undefined) faults.set(number, fault);
    if (i % AT_ONCE === AT_ONCE - 1) await pause();
  }
  return faults;
}
