import type { Call, RecordingPlan, RecordingTarget } from '../../calls/call.ts';
import type { CallInput, Destination, MakeCall, Target } from '../../calls/input.ts';
import { type Refusal, refuse } from '../../cti/errors.ts';
import type { PartyID } from '../../cti/ids.ts';
import type { MethodName, ParamsOf, ResultOf } from '../../cti/requests.ts';
import type { Caller, CallStore, Soon } from '../../ports.ts';
import type { Verdict } from '../call-runner.ts';
import type { Directory } from '../directory.ts';
import type { FloorRunner } from '../floor-runner.ts';
import type { Place, Wanted } from '../nodes.ts';
import { codeOf, type RefusedRequest } from '../views.ts';

/**
 * Why an input was not even queued: the company has no such live call, too much waits for it, its node does not serve and
 * the input could not be carried out, or another instance has the call since.
 */
export type Unsent = 'unknown' | 'too-fast' | 'node-away' | 'moved';

/** What a request is served with. */
export interface RequestContext {
  readonly caller: Caller;
  readonly directory: Directory;
  readonly store: CallStore;
  /** The company's agents and queues; undefined while they are being read. */
  readonly floor: FloorRunner | undefined;
  readonly now: () => number;
  /** Why no call may begin now; undefined if it may. */
  readonly notReady: string | undefined;
  /** A node and an id for a new call, and why it must not be tried if so; undefined while there is no node at all. */
  readonly place: (wanted: Wanted) => Soon<Place | undefined>;
  /** Seconds that a phone rings where the request does not say. */
  readonly ringTimeout: number;
  /** The queue that chose thisDN for the call, if one did. */
  readonly chosenBy?: MakeCall['chosenBy'];
  /** By which numbers are called; the company's trunk where absent. */
  readonly trunk?: string;
  /** Its phones are dialled once, whatever dies meanwhile. */
  readonly once?: true;
  /** @param key of the place */
  readonly begin: (key: string, birth: MakeCall) => Promise<{ call: Call } | { refusal: Refusal; moved?: boolean }>;
  /** Queues an input for a live call of the caller's company; answers once it is stored. */
  readonly send: (callID: string, input: CallInput, request: RefusedRequest) => Promise<Verdict | Unsent>;
  /**
   * How a DN is reached from within a live call. Over a trunk it takes a place there, which is the leg's once the call
   * has it and is given back where nothing comes of the request.
   *
   * @param shown number for a phone of ours to show; a trunk shows its own
   */
  readonly reach: (callID: string, dn: string, shown: string | undefined) => Soon<Destination>;
  /** The same for those who are asked or handed the call: they may be a queue, in which a place is kept for it. */
  readonly target: (callID: string, dn: string, shown: string | undefined) => Soon<Target>;
  /** The request is over: places that were kept for it are the call's, or free again. */
  readonly settled: () => void;
  /** Where a recording that begins now goes. */
  readonly newRecording: () => RecordingTarget;
  /** How a new call is recorded, if it is. @param asked by the request */
  readonly planRecording: (asked: boolean | undefined) => RecordingPlan | undefined;
  readonly live: (callID: string) => Call | undefined;
  /** The live calls of the company, at whatever instance. */
  readonly calls: () => Promise<readonly Call[]>;
}

/**
 * `published`: the refusal's event is in the log already, stored with the call. `moved`: another instance has the call
 * since, and nothing was done.
 */
export type Answer<R> = ({ readonly result: R } | { readonly refusal: Refusal; readonly published?: boolean }) & {
  readonly moved?: boolean;
};
/** Serves the requests of one name. Rejects only where the store cannot be read. */
export type Serve<M extends MethodName> = (
  context: RequestContext,
  params: ParamsOf<M>,
) => Promise<Answer<ResultOf<M>>>;

/** The answer of a request that is refused before a call has heard of it. */
export const refused = (refusal: Refusal) => ({ refusal });

/** The id of the party that a request has brought into the call: the newest with that DN. */
export async function newParty(
  context: RequestContext,
  callID: string,
  dn: string,
): Promise<Answer<{ partyID: PartyID }>> {
  // A call that has ended in the meantime is still in the store.
  const call = context.live(callID) ?? (await context.store.load(context.caller.companyId, callID))?.call;
  const party = call?.parties.filter((p) => p.dn === dn).at(-1);
  return party ? { result: { partyID: party.partyID } } : refused(refuse('CTIException'));
}

/** A request that changes a live call and answers nothing but that it was accepted. */
export async function onCall<R>(
  context: RequestContext,
  params: RefusedRequest & { callID: string },
  input: CallInput,
  result: () => R,
): Promise<Answer<R>> {
  const verdict = await context.send(params.callID, input, params);
  if (verdict === undefined) return { result: result() };
  if (verdict === 'unknown') return refused(refuse('NotFoundCallID'));
  if (verdict === 'too-fast') return refused(refuse('RequestTooFast'));
  if (verdict === 'moved') return { ...refused(refuse('NotReady')), moved: true };
  if (verdict === 'node-away') return refused(refuse('PBXError', { reason: 'the call’s node does not serve' }));
  // What could not be stored is in no log.
  return { refusal: verdict, published: verdict.code !== codeOf('CTIException') };
}
