import type { Call } from '../calls/call.ts';
import type { CallBirth, CallInput } from '../calls/input.ts';
import { type Refusal, refuse } from '../cti/errors.ts';
import type { CallID, CompanyId } from '../cti/ids.ts';
import type { MethodName, ParamsOf } from '../cti/requests.ts';
import type { Caller, CallPlacing, RequestOutcome } from '../ports.ts';
import { BIRTH_PATIENCE_MS, type Verdict } from './call-runner.ts';
import type { EngineDeps } from './deps.ts';
import type { FloorRunner } from './floor-runner.ts';
import type { Kept } from './kept.ts';
import { type Answer, METHODS_SERVED, madeAs, makeCall, type RequestContext, type Unsent } from './methods/index.ts';
import { isArriving, keyOf, type Nodes } from './nodes.ts';
import type { PlacedAs } from './placed-as.ts';
import type { Reach } from './reach.ts';
import type { Shard } from './shard.ts';
import { whenKnown } from './soon.ts';
import { type RefusedRequest, refusalEvent } from './views.ts';

/** What is needed to serve requests. */
export interface RequestDeskDeps
  extends Pick<
    EngineDeps,
    'store' | 'admission' | 'directory' | 'recordings' | 'now' | 'ringTimeout' | 'log' | 'isPassing'
  > {
  readonly nodes: Nodes;
  readonly reach: Reach;
  readonly floor: (companyId: CompanyId) => FloorRunner | undefined;
  /** Shards whose calls do not live here. */
  readonly elsewhere: () => readonly string[];
  /** Why no call may begin now; undefined if it may. */
  readonly notReady: () => string | undefined;
}

/**
 * What is accepted while a call's node does not serve: an end, which is remembered until the node is back, and what the
 * node has no part in.
 */
const WITHOUT_NODE: ReadonlySet<CallInput['kind']> = new Set(['release', 'clear', 'attach-data']);

const PERHAPS = 'it could not be stored in time: it may be yet';

/** The answer, or, where it takes too long, that it is to be asked for again. */
async function inTime(placing: ReturnType<CallPlacing['place']>): ReturnType<CallPlacing['place']> {
  let late: NodeJS.Timeout | undefined;
  const tooLate = new Promise<{ refusal: Refusal }>((resolve) => {
    late = setTimeout(() => resolve({ refusal: refuse('CTIException', { reason: PERHAPS }) }), BIRTH_PATIENCE_MS);
  });
  return await Promise.race([placing, tooLate]).finally(() => clearTimeout(late));
}

/** Serves the requests about calls, agents and queues that are here. */
export class RequestDesk {
  readonly #deps: RequestDeskDeps;
  /** Calls under chosen ids that are just being placed. */
  readonly #placing = new Map<CallID, ReturnType<CallPlacing['place']>>();

  constructor(deps: RequestDeskDeps) {
    this.#deps = deps;
  }

  /** `moved`: what the request is about went to another instance meanwhile, and nothing was done. */
  async request(
    caller: Caller,
    method: string,
    params: unknown,
  ): Promise<RequestOutcome & { readonly moved?: boolean }> {
    const serve = METHODS_SERVED[method as MethodName];
    if (!serve) return { refusal: refuse('MethodNotFound') };
    const context = this.#context(caller, method);
    const outcome = await this.#orNotReady(serve(context, params as never)).finally(context.settled);
    if ('refusal' in outcome && !outcome.published && !outcome.moved) {
      this.publishRefusal(caller, method, params, outcome.refusal);
    }
    return outcome;
  }

  /** What cannot be answered while the store is away is refused as such. */
  async #orNotReady(answer: Promise<Answer<unknown>>): Promise<Answer<unknown>> {
    try {
      return await answer;
    } catch (error) {
      if (!this.#deps.isPassing(error)) throw error;
      return { refusal: refuse('NotReady', { reason: 'Redis does not answer' }) };
    }
  }

  /**
   * Places a call under an id that was chosen before. Its phones are dialled once.
   *
   * @param as the queue that chose who is to have it, if one did; by which trunk
   */
  async place(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    as: PlacedAs,
  ): ReturnType<CallPlacing['place']> {
    const { nodes, store } = this.#deps;
    const { companyId } = caller;
    const known = nodes.live(companyId, callID)?.call ?? (await store.load(companyId, callID))?.call;
    if (known) return madeAs(known, params.thisDN);
    // Whoever asks again meanwhile is answered the same.
    let placing = this.#placing.get(callID);
    if (!placing) {
      placing = this.#placeNew(caller, callID, params, as).finally(() => this.#placing.delete(callID));
      this.#placing.set(callID, placing);
    }
    return await inTime(placing);
  }

  async #placeNew(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    as: PlacedAs,
  ): ReturnType<CallPlacing['place']> {
    const { nodes, admission } = this.#deps;
    const { companyId } = caller;
    const node = nodes.ofCall(callID);
    const context: RequestContext = {
      ...this.#context(caller, 'RequestMakeCall'),
      // Where there is no room nothing is begun: this call can wait, and its phones need not ring in vain.
      place: (wanted) => {
        if (!node || !nodes.takesCalls(node)) return undefined;
        return whenKnown(nodes.admit(callID, companyId, node, wanted), (noRoom) =>
          noRoom ? undefined : { node: node.id, key: keyOf(node), callID },
        );
      },
      ...as,
      once: true,
    };
    const answer = await makeCall(context, params);
    if ('refusal' in answer && !nodes.live(companyId, callID)) admission.release(callID);
    return answer;
  }

  /** Publishes a refusal as EventPartyError or EventAgentError. */
  publishRefusal(caller: Caller, method: string, params: unknown, refusal: Refusal): void {
    const named: RefusedRequest = typeof params === 'object' && params !== null ? params : {};
    const event = refusalEvent(caller.companyId, method, named, refusal, this.#deps.now());
    if (!event) return;
    this.#deps.store.append(caller.companyId, [event]).catch((error) => {
      this.#deps.log.error('a refusal could not be published', error);
    });
  }

  /** Begins a call. The place that was taken for it in a queue is counted by what is stored from then on. */
  async begin(shard: Shard, birth: CallBirth): ReturnType<Shard['begin']> {
    const { admission } = this.#deps;
    const { callID, queue } = birth;
    if (shard.closed) {
      // It went while others were asked whether there is room. A caller is found by whoever has it now.
      admission.release(callID);
      return { verdict: undefined, call: undefined };
    }
    const begun = await shard.begin(birth);
    if (queue) admission.settled(callID, { queue: queue.id });
    return begun;
  }

  #context(caller: Caller, method: string): RequestContext {
    const { directory, now, recordings, store, nodes, reach, admission, ringTimeout } = this.#deps;
    const kept: (() => void)[] = [];
    const keep = <T>({ it, settled }: Kept<T>): T => {
      kept.push(settled);
      return it;
    };
    const settled = (): void => {
      for (const settle of kept.splice(0)) settle();
    };
    return {
      caller,
      directory,
      now,
      store,
      floor: this.#deps.floor(caller.companyId),
      notReady: this.#deps.notReady(),
      ringTimeout,
      place: (wanted) => nodes.place(caller.companyId, wanted),
      begin: async (key, birth) => {
        const shard = nodes.get(key)?.shard;
        if (!shard) admission.release(birth.callID);
        const gone = shard?.closed ?? true;
        const { call, verdict } = (await (shard && this.begin(shard, birth))) ?? {};
        if (call) return { call };
        // It may be stored all the same: whoever has the shard next would dial it.
        if (birth.once && !gone && !verdict) return { refusal: refuse('CTIException', { reason: PERHAPS }) };
        return { refusal: verdict ?? refuse('NotReady'), moved: gone };
      },
      send: (callID, input, request) => this.#send(caller, method, callID, input, request, settled),
      reach: (callID, dn, shown) => whenKnown(reach.destination(caller.companyId, callID, dn, shown), keep),
      target: (callID, dn, shown) => whenKnown(reach.target(caller.companyId, callID, dn, shown), keep),
      settled,
      newRecording: () => recordings.target(),
      planRecording: (asked) => recordings.plan(caller.companyId, asked),
      live: (callID) => nodes.live(caller.companyId, callID)?.call,
      calls: () => this.#allCalls(caller.companyId),
    };
  }

  /** The live calls of a company, here and, as they are stored, elsewhere. */
  async #allCalls(companyId: CompanyId): Promise<readonly Call[]> {
    const { nodes, store, elsewhere } = this.#deps;
    const others = await Promise.all(elsewhere().map((s) => store.loadLive([companyId], s)));
    // A shard that came here meanwhile is in both.
    const here = [...nodes.callsOf(companyId)];
    const known = new Set(here.map((c) => c.callID));
    return [...here, ...others.flat().flatMap(({ call }) => (known.has(call.callID) ? [] : call))];
  }

  #send(
    caller: Caller,
    method: string,
    callID: string,
    input: CallInput,
    request: RefusedRequest,
    settled: () => void,
  ): Promise<Verdict | Unsent> {
    const { nodes, now } = this.#deps;
    const runner = nodes.live(caller.companyId, callID);
    if (!runner?.call) return Promise.resolve('unknown');
    const node = nodes.holding(callID);
    const shard = node?.shard;
    if (shard?.settling) return Promise.resolve('moved');
    if (!node?.switch.serving && !WITHOUT_NODE.has(input.kind)) {
      return Promise.resolve(node && isArriving(node) ? 'moved' : 'node-away');
    }
    if (node?.shard.full) return Promise.resolve('too-fast');
    return new Promise((resolve) => {
      const taken = runner.push({
        input,
        at: now(),
        settle: (verdict, call) => {
          settled();
          resolve(call || verdict ? verdict : shard?.closed ? 'moved' : 'unknown');
        },
        refused: (refusal, at) => refusalEvent(caller.companyId, method, request, refusal, at),
      });
      if (!taken) resolve(runner.waiting > 0 ? 'too-fast' : 'unknown');
    });
  }
}
