import type { Supervise } from '../../src/calls/input.ts';
import type { MethodName } from '../../src/cti/requests.ts';
import type { End } from '../unit/calls/flow.ts';
import type { EngineWorld } from './engine-world.ts';
import type { Tellable } from './status-stories.ts';

const SUPERVISE: Readonly<Record<Supervise['mode'], MethodName>> = {
  monitor: 'RequestMonitor',
  whisper: 'RequestWhisper',
  bargein: 'RequestBargein',
  intercept: 'RequestIntercept',
};

/** A story of one call, told of the whole service: by requests over the RPC, and by what the node tells. */
export class LiveStory implements Tellable {
  readonly #world: EngineWorld;
  readonly #steps: (() => Promise<unknown>)[] = [];
  #callID = '';

  constructor(world: EngineWorld) {
    this.#world = world;
  }

  /** Carries out what has been told, one after the other. */
  async happens(): Promise<void> {
    for (const step of this.#steps.splice(0)) await step();
  }

  make({ agent, customer }: { agent: string; customer: string }): this {
    return this.#then(async () => {
      const { callID = '' } = await this.#world.grant('RequestMakeCall', { thisDN: agent, otherDN: customer });
      this.#callID = callID;
    });
  }
  rings(dn: string): this {
    return this.#then(async () => this.#world.tells(await this.#partyID(dn), 'leg-ringing'));
  }
  answers(dn: string): this {
    return this.#then(async () => this.#world.tells(await this.#partyID(dn), 'leg-answered'));
  }
  ends(dn: string, end: End = { q850: 16 }): this {
    return this.#then(async () => this.#world.tells(await this.#partyID(dn), 'leg-ended', end));
  }
  consults(thisDN: string, otherDN: string): this {
    return this.#asks('RequestInitiateConsult', { thisDN, otherDN });
  }
  cancels(thisDN: string): this {
    return this.#asks('RequestCancelConsult', { thisDN });
  }
  retrieves(thisDN: string): this {
    return this.#asks('RequestRetrieveConsult', { thisDN });
  }
  transfers(thisDN: string): this {
    return this.#asks('RequestTransferConsult', { thisDN });
  }
  adds(thisDN: string, otherDN: string): this {
    return this.#asks('RequestSingleStepConference', { thisDN, otherDN });
  }
  deletes(thisDN: string, otherDN: string): this {
    return this.#asks('RequestDeleteFromConference', { thisDN, otherDN });
  }
  supervises(mode: Supervise['mode'], thisDN: string, otherDN: string): this {
    return this.#asks(SUPERVISE[mode], { thisDN, otherDN });
  }

  #asks(method: MethodName, params: object): this {
    return this.#then(() => this.#world.grant(method, { callID: this.#callID, ...params }));
  }

  #then(step: () => Promise<unknown>): this {
    this.#steps.push(step);
    return this;
  }

  async #partyID(dn: string): Promise<string> {
    const { parties } = await this.#world.callOf(this.#callID);
    const party = parties.findLast((p) => p.thisDN === dn);
    if (!party) throw new Error(`nobody in this call is ${dn}`);
    return party.partyID;
  }
}
