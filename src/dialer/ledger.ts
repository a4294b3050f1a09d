import type { CompanyId } from '../cti/ids.ts';
import type { CampaigncallBounds, DialerCommitResult, NumberBar } from '../ports.ts';
import type { DialerCompany } from './book.ts';
import type { CampaigncallChange } from './campaigncall.ts';
import type { DialerDeps } from './deps.ts';
import type { DialerCall } from './dialer-call.ts';
import { entryOf, read, type Stored } from './documents.ts';
import { hourOf, type Tally } from './tally.ts';
import type { WebhookMessage } from './webhook.ts';

/** What goes with a change of a call. */
export interface Change {
  readonly charge?: string;
  readonly refund?: string;
  readonly unlessBarred?: NumberBar;
  readonly message?: WebhookMessage;
  readonly campaigncall?: CampaigncallChange;
  readonly tally?: Tally;
}

const RETRY_MS = 250;

/** The calls that are being placed or live, as the leader holds them; every change is stored before it counts. */
export class Ledger {
  readonly #deps: DialerDeps;
  readonly #companyId: CompanyId;
  readonly #keepSeconds: number;
  readonly #bounds: CampaigncallBounds;
  readonly #token: number;
  readonly #active = new Map<string, Stored>();
  readonly #byCallID = new Map<string, string>();
  readonly #letGo: () => void;
  #closed = false;
  /** Newest event that has been taken into account. */
  seen = 0;

  constructor(deps: DialerDeps, company: DialerCompany, token: number) {
    this.#deps = deps;
    this.#companyId = company.companyId;
    this.#keepSeconds = company.config.keepSeconds;
    this.#bounds = { keepSeconds: company.config.keepSeconds, keepAtMost: company.config.keepCampaigncalls };
    this.#token = token;
    // What the store loses beyond what it remembers itself is stored anew from here, and nothing is placed twice.
    this.#letGo = deps.store.holding(company.companyId, () =>
      this.calls.map(({ call, version }) => ({ ...entryOf(call, this.#keepSeconds), version })),
    );
  }

  get calls(): readonly Stored[] {
    return [...this.#active.values()];
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The call of the dialler that a callID belongs to, while it is being placed or lives. */
  byCallID(callID: string): Stored | undefined {
    const uuid = this.#byCallID.get(callID);
    return uuid === undefined ? undefined : this.#active.get(uuid);
  }

  activeOf(flowId: string): number {
    let n = 0;
    for (const { call } of this.#active.values()) if (call.flowId === flowId) n++;
    return n;
  }

  adopt(stored: Stored): void {
    this.#active.set(stored.call.uuid, stored);
    if (stored.call.placing) this.#byCallID.set(stored.call.placing.callID, stored.call.uuid);
  }

  close(): void {
    this.#closed = true;
    this.#letGo();
  }

  /** Stores a call's next state; waits for a store that is away, for as long as this instance leads. */
  async store(before: Stored, call: DialerCall, change: Change = {}): Promise<DialerCommitResult> {
    const { store, isPassing } = this.#deps;
    const entry = entryOf(call, this.#keepSeconds);
    const { message, tally, campaigncall, ...balance } = change;
    const commit = {
      ...entry,
      ...balance,
      companyId: this.#companyId,
      token: this.#token,
      version: before.version,
      seen: this.seen,
      ...(message && { message: JSON.stringify(message) }),
      ...(campaigncall && { campaigncall: { ...campaigncall, ...this.#bounds } }),
      ...(tally && { tally: { hour: hourOf(tally.at), counts: { ...tally.counts } } }),
    };
    for (let tries = 0; !this.#closed; tries++) {
      try {
        let result = await store.commit(commit);
        if (result === 'conflict' && tries > 0 && (await this.#isStored(before, commit.json))) result = 'stored';
        if (result === 'stored') this.#keep(before, { call, version: before.version + 1 });
        if (result === 'not-leading') this.close();
        return result;
      } catch (error) {
        if (!isPassing(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return 'not-leading';
  }

  /** Takes a call up as the store has it. */
  async readAgain(uuid: string): Promise<void> {
    const [found] = await this.#deps.store.load(this.#companyId, [uuid]);
    const held = this.#active.get(uuid);
    const next = found && read(found);
    if (next && held && next.version > held.version) this.#keep(held, next);
  }

  /** The reply to an earlier try was lost, and it had been stored. */
  async #isStored(before: Stored, json: string): Promise<boolean> {
    const [found] = await this.#deps.store.load(this.#companyId, [before.call.uuid]);
    return found !== undefined && read(found).version === before.version + 1 && found.json === json;
  }

  #keep(before: Stored, next: Stored): void {
    const { uuid, phase } = next.call;
    if (before.call.placing) this.#byCallID.delete(before.call.placing.callID);
    if (phase === 'placing' || phase === 'live') this.adopt(next);
    else this.#active.delete(uuid);
  }
}
