import { refuse } from '../cti/errors.ts';
import type { Caller, NumberBar, PlacingOutcome } from '../ports.ts';
import { isExpired } from './accept.ts';
import type { Agents } from './agents.ts';
import type { DialerCompany, Flow } from './book.ts';
import type { DialerDeps } from './deps.ts';
import type { DialerCall } from './dialer-call.ts';
import type { Stored } from './documents.ts';
import type { Ledger } from './ledger.ts';
import { numberFault, numberFaults } from './number-check.ts';
import type { CalledBy, DialerInput } from './step.ts';

/** On what a change of a call depends, and what it does to its account's balance. */
export interface Terms {
  readonly charge?: string;
  readonly refund?: string;
  readonly unlessBarred?: NumberBar;
}

export interface PlacerDeps {
  readonly deps: DialerDeps;
  readonly company: DialerCompany;
  readonly caller: Caller;
  readonly ledger: Ledger;
  readonly agents: Agents;
  /** One input for one call: steps and stores. */
  readonly step: (stored: Stored, input: DialerInput, terms?: Terms) => Promise<string>;
  /** One after the other with everything else that changes a call. */
  readonly serially: <T>(work: () => Promise<T>) => Promise<T>;
  /** Again and again while the store is away; undefined where this instance leads no more. */
  readonly persistently: <T>(work: () => Promise<T>) => Promise<T | undefined>;
  /** There is no room for another call. */
  readonly noRoom: () => void;
}

const numberOf = (call: DialerCall): string => call.numbers[call.index] ?? '';

/** What the script that claims a call looks up, so that a list holds from the moment that it was changed. */
function barOf(call: DialerCall, { account, config }: Flow): NumberBar {
  const number = account.rules.canonical(numberOf(call));
  const white = account.white.has(number);
  return {
    account: account.config.id,
    number,
    testing: config.state === 'testing' && !white,
    marketing: config.marketing && !white,
  };
}

/** Before a call is asked for again that may have been begun, ms; and where asking failed altogether. */
const AGAIN_MS = { unsure: 250, failed: 1_000 };

const UNSURE: PlacingOutcome = { refusal: refuse('CTIException') };

/** @param unsure an earlier asking may have begun it */
const mustAskAgain = (answer: PlacingOutcome, unsure: boolean): boolean =>
  'refusal' in answer && (answer.refusal.name === 'CTIException' || (unsure && answer.unasked === true));

/**
 * A call's way from its flow's queue to Ringmaster: it is claimed together with the callID under which it will be placed,
 * and then asked for, under that id and no other, until there is an answer.
 */
export class Placer {
  readonly #of: PlacerDeps;
  readonly #asking = new Map<string, Promise<void>>();

  constructor(of: PlacerDeps) {
    this.#of = of;
  }

  /** Ringmaster is just being asked for this call. */
  isAsking(callID: string): boolean {
    return this.#asking.has(callID);
  }

  /** Waits until nothing is being asked for. */
  async settled(): Promise<void> {
    await Promise.all(this.#asking.values());
  }

  /** @returns `no-node`: nothing can be placed anywhere now */
  async claim(stored: Stored, flow: Flow, by: CalledBy): Promise<'claimed' | 'settled' | 'no-node'> {
    const { deps, ledger, agents, step } = this.#of;
    const { account } = flow;
    if (isExpired(account, deps.now())) {
      await step(stored, { kind: 'refused', status: 'ACCOUNT_VALIDITY_EXPIRED' });
      return 'settled';
    }
    // What the configuration's lists say may be another list's to allow, and the other way round.
    if (numberFault(numberOf(stored.call), flow) !== undefined && (await this.#leaveOut(stored, flow)))
      return 'settled';
    const callID = deps.placing.chooseCallID();
    if (callID === undefined) return 'no-node';
    const charge = account.config.balance === undefined ? {} : { charge: account.config.id };
    const unlessBarred = barOf(stored.call, flow);
    const result = await step(stored, { kind: 'claimed', callID, ...by }, { ...charge, unlessBarred });
    if (result === 'barred') await this.#leaveOut(stored, flow);
    if (result === 'no-balance') await step(stored, { kind: 'refused', status: 'INSUFFICIENT_BALANCE' });
    const claimed = ledger.byCallID(callID);
    if (result !== 'stored' || !claimed) return 'settled';
    if (by.agent !== undefined) agents.take(by.agent, callID);
    this.place(claimed.call);
    return 'claimed';
  }

  /** Leaves out the numbers that must not be called any more. @returns whether there are any, or nobody can say */
  async #leaveOut(stored: Stored, flow: Flow): Promise<boolean> {
    const { deps, step, persistently } = this.#of;
    const { numbers } = stored.call;
    const faults = await persistently(() => numberFaults(deps.lists, flow, numbers));
    if (faults?.size === 0) return false;
    if (faults) await step(stored, { kind: 'barred', faults: numbers.map((n) => faults.get(n)) });
    return true;
  }

  /** Asks for a call that has just been claimed. */
  place(call: DialerCall): void {
    this.#begin(call, false);
  }

  /** Asks for a call that somebody may have asked for before. */
  placeAgain(call: DialerCall): void {
    this.#begin(call, true);
  }

  #begin(call: DialerCall, perhaps: boolean): void {
    const callID = call.placing?.callID ?? '';
    const work = this.#ask(call, perhaps).catch((err: unknown) => {
      this.#of.deps.log.warn('a call of the dialler could not be placed', { err, uuid: call.uuid });
    });
    this.#asking.set(callID, work);
    void work.finally(() => this.#asking.delete(callID));
  }

  /**
   * Asks for the call; repeating it is harmless, because its id is chosen. Once it may have been begun it is only let go for
   * another id on the word of whoever has its shard, who has looked.
   *
   * @param perhaps it may have been begun already
   */
  async #ask(call: DialerCall, perhaps: boolean): Promise<void> {
    const { deps, company, caller, ledger, step, serially, persistently, noRoom } = this.#of;
    const { placing } = call;
    const flow = company.flow(call.flowId);
    const number = call.numbers[call.index];
    const thisDN = placing?.agent ?? placing?.queue;
    if (!placing || thisDN === undefined || !flow || number === undefined) return;
    const { callID } = placing;
    const { firstLeg, ringTimeout, callerId } = flow.config;
    const params = {
      thisDN,
      otherDN: number,
      makeCallType: 'Regular',
      firstLeg: placing.queue === undefined ? firstLeg : 'customer',
      ringTimeout,
      ...(callerId !== undefined && { ANI: callerId }),
      attachedData: call.variables,
    } as const;
    const place = async (): Promise<PlacingOutcome | undefined> => {
      try {
        return await persistently(() => deps.placing.place(caller, callID, params, flow.config.trunk));
      } catch (err) {
        // Whatever it failed at, it may have begun the call.
        deps.log.warn('a call of the dialler could not be placed: it is asked for again', { err, uuid: call.uuid });
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS.failed));
        return UNSURE;
      }
    };
    let answer = await place();
    for (let unsure = perhaps; answer && mustAskAgain(answer, unsure); unsure = true) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS.unsure));
      // The log may have told of it meanwhile, even of its end: then it was begun, and must not be asked for any more.
      const waits = !ledger.closed && ledger.byCallID(callID)?.call.phase === 'placing';
      answer = waits ? await place() : undefined;
    }
    if (!answer) return;
    await serially(async () => {
      const stored = ledger.byCallID(callID);
      if (!stored) return;
      if ('result' in answer) {
        await step(stored, { kind: 'placed', callID });
        return;
      }
      const why = answer.refusal.name === 'NotReady' ? 'later' : 'never';
      const refund = flow.account.config.balance === undefined ? {} : { refund: flow.account.config.id };
      if (why === 'later') noRoom();
      await step(stored, { kind: 'not-placed', callID, why }, refund);
    });
  }
}
