import { type Refusal, refuse } from '../cti/errors.ts';
import { type CallID, type CompanyId, newCallID, nodeOfCallID } from '../cti/ids.ts';
import type { ParamsOf } from '../cti/requests.ts';
import type {
  Caller,
  CallPlacing,
  CallTrace,
  ContactAnswer,
  ContactAnswers,
  ContactQuestion,
  Member,
  NodeLoad,
  PeerCaller,
  PeerDesk,
  PeerQuestion,
  Peers,
  PlacingOutcome,
  RequestOutcome,
  Requests,
  Unanswered,
} from '../ports.ts';
import { FLOOR_SHARD } from '../queues/floor.ts';
import type { Engine } from './engine.ts';
import type { NodeBoard } from './node-board.ts';
import { byTrunk, type PlacedAs } from './placed-as.ts';
import { freest, isFreer, isWorthTheWay } from './placement.ts';
import { inPart, partOfCall, type ShardPart } from './shard-part.ts';

/** A node's shards, in order. */
export interface RoutedNode {
  readonly id: string;
  readonly number: number;
  readonly shards: readonly string[];
}

/** Who owns what, as the keeper of the leases knows it. */
export interface Owners {
  /** Undefined while nobody does. */
  ownerOf(shard: string): Member | undefined;
  /** Looks now how it is. */
  refresh(): Promise<void>;
}

/** What the router needs of this instance and of the others. */
export interface RouterDeps {
  readonly engine: Engine;
  readonly owners: Owners;
  /** Absent: other instances cannot be asked. */
  readonly peers: Peers | undefined;
  /** Who answers for callbacks and tasks here. */
  readonly contacts: () => ContactAnswers;
  readonly nodes: readonly RoutedNode[];
  /** What is known of the nodes beyond what lives here. */
  readonly board: NodeBoard;
  /** Of this process. */
  readonly id: string;
  /** How long a request may wait for an owner and its answer, ms. */
  readonly patienceMs: number;
  /** 32 lower-case hex digits of randomness. */
  readonly randomHex: () => string;
}

/** A shard of another instance in which a call may begin. */
interface Elsewhere {
  readonly number: number;
  readonly part: ShardPart;
  readonly url: string;
  /** Its node served at its owner's last sign of life; one that has just changed its owner may serve by now. */
  readonly serving: boolean;
  /** Of its node. */
  readonly load: NodeLoad;
}

/** What a request is about. */
type About = { readonly shard: string } | 'any-shard' | 'here';

const UNANSWERED = 'the instance that has the call did not answer: it may have been done';

/** Wait before it is asked again who owns a shard, ms. */
const AGAIN_MS = 100;

/** Requests about agents and queues, which one instance has. */
const OF_THE_FLOOR: ReadonlySet<string> = new Set([
  'RequestAgentLogin',
  'RequestAgentReady',
  'RequestAgentNotReady',
  'RequestAgentLogout',
  'RequestDelayAfterCallWork',
  'RequestListAgents',
]);
/** Requests that every instance answers from the store. */
const ANYWHERE: ReadonlySet<string> = new Set(['RequestListCalls', 'RequestGetCallInfo']);
/** Requests that may be asked again without harm. */
const HARMLESS: ReadonlySet<string> = new Set(['RequestListAgents']);
/** The same of what is asked of contacts: a new one has its id. */
const HARMLESS_OF_CONTACTS: ReadonlySet<ContactQuestion['what']> = new Set(['create', 'find', 'tasks']);

/**
 * Every instance answers every request: what it owns itself, and the rest by asking the owner. While a shard is on its way
 * from one instance to another the request waits, as long as a take-over may last.
 */
export class Router implements Requests, CallPlacing, PeerDesk {
  /** Requests that other instances were asked, by what came of it. */
  readonly forwarded = { answered: 0, refused: 0 };
  readonly #deps: RouterDeps;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
  }

  async request(caller: Caller, method: string, params: unknown): Promise<RequestOutcome> {
    const { engine } = this.#deps;
    const question = { ask: 'request', caller: told(caller), method, params } as const;
    const answer = await this.#wherever<RequestOutcome>(
      this.#aboutOf(method, params),
      question,
      async () => {
        const outcome = await engine.request(caller, method, params);
        // The shard went while the request waited for its turn: nothing was done here.
        return outcome.moved ? undefined : outcome;
      },
      HARMLESS.has(method),
    );
    if ('done' in answer) return answer.done;
    const refusal = this.#refusalOf(answer.undone);
    engine.publishRefusal(caller, method, params, refusal);
    return { refusal };
  }

  /** What a client asks of callbacks and tasks, answered where the agents and queues are. */
  async contact(question: ContactQuestion): Promise<ContactAnswer | Unanswered> {
    const answer = await this.#wherever<ContactAnswer>(
      { shard: FLOOR_SHARD },
      { ask: 'contact', question },
      () => this.#deps.contacts().answer(question),
      HARMLESS_OF_CONTACTS.has(question.what),
    );
    return 'done' in answer ? answer.done : answer.undone;
  }

  chooseCallID(): CallID | undefined {
    const { engine, randomHex } = this.#deps;
    if (!engine.mayChoose || this.#beginsHere()) return engine.chooseCallID();
    const random = randomHex();
    // Of those that are equally free, such as the shards of one node, not always the same.
    const elsewhere = this.#elsewheres();
    const serving = elsewhere.filter((e) => e.serving);
    const all = serving.length > 0 ? serving : elsewhere;
    const from = Number.parseInt(random.slice(0, 8), 16) % Math.max(1, all.length);
    const chosen = freest([...all.slice(from), ...all.slice(0, from)]);
    return chosen && newCallID(inPart(random, chosen.part), chosen.number);
  }

  /** For the dialler: over the trunk that is named. */
  place(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    trunk?: string,
  ): ReturnType<CallPlacing['place']> {
    return this.placeAs(caller, callID, params, byTrunk(trunk));
  }

  /** Places a call under an id that was chosen before, at the instance that has its shard. */
  async placeAs(
    caller: Caller,
    callID: CallID,
    params: ParamsOf<'RequestMakeCall'>,
    as: PlacedAs,
  ): Promise<PlacingOutcome> {
    const { engine } = this.#deps;
    const shard = this.#shardOf(callID);
    const here = () => engine.placeAs(caller, callID, params, as);
    if (shard === undefined || engine.serves(shard)) return await here();
    const question = { ask: 'place', caller: told(caller), callID, params, as } as const;
    // Its id makes it harmless to ask twice.
    const answer = await this.#wherever<PlacingOutcome>({ shard }, question, here, true);
    if ('done' in answer) return answer.done;
    // Its owner was asked, and may have begun it: under another id it would be placed twice.
    if (answer.undone === 'unknown') return { refusal: this.#refusalOf(answer.undone) };
    return { refusal: refuse('NotReady', { reason: 'no node' }), unasked: true };
  }

  traceOf(companyId: CompanyId, callID: CallID): Promise<CallTrace> {
    return this.#deps.engine.traceOf(companyId, callID);
  }

  /** Who owns a shard, if it is another instance. */
  otherOwner(shard: string): Member | undefined {
    const owner = this.#deps.owners.ownerOf(shard);
    return owner?.id === this.#deps.id ? undefined : owner;
  }

  /** Who has a call, if it is another instance. */
  otherOwnerOfCall(callID: string): Member | undefined {
    const shard = this.#shardOf(callID);
    return shard === undefined ? undefined : this.otherOwner(shard);
  }

  /** Whether another instance has shards, and can be asked. */
  get canForward(): boolean {
    return this.#deps.peers !== undefined && this.#ownersOf('any-shard').length > 0;
  }

  // ── asked by others ───────────────────────────────────────────────────────────────────────────────────────────

  async answer(question: PeerQuestion): Promise<{ readonly body: unknown } | undefined> {
    const { engine } = this.#deps;
    switch (question.ask) {
      case 'request': {
        const { caller, method, params } = question;
        if (!this.#isHere(this.#aboutOf(method, params))) return undefined;
        const outcome = await engine.request(heard(caller), method, params);
        return outcome.moved ? undefined : { body: outcome };
      }
      case 'place': {
        const shard = this.#shardOf(question.callID);
        if (shard === undefined || !engine.serves(shard)) return undefined;
        const { caller, callID, params, as } = question;
        // Only Router.placeAs asks so.
        const call = params as ParamsOf<'RequestMakeCall'>;
        return { body: await engine.placeAs(heard(caller), callID, call, as as PlacedAs) };
      }
      case 'contact': {
        const body = await this.#deps.contacts().answer(question.question);
        return body && { body };
      }
      case 'notes':
        return engine.takeNotes(question.notes) ? { body: {} } : undefined;
      case 'effect': {
        const shard = this.#shardOf(question.callID);
        if (shard === undefined || !engine.serves(shard)) return undefined;
        return { body: { taken: await engine.takeEffect(question.companyId, question.effect) } };
      }
    }
  }

  // ── asking others ─────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Carries it out here where this instance owns it, and asks whoever does otherwise.
   *
   * @param here undefined where it is not here any more: nothing was done
   * @param harmless it may be asked again where no answer came
   */
  async #wherever<T>(
    about: About,
    question: PeerQuestion,
    here: () => Promise<T | undefined>,
    harmless: boolean,
  ): Promise<{ readonly done: T } | { readonly undone: Unanswered }> {
    const { peers, owners, patienceMs } = this.#deps;
    const until = performance.now() + patienceMs;
    // A call begins where there is most room; only at first, so that in the end it is begun somewhere.
    let mine = about === 'any-shard' ? this.#beginsHere() : this.#isHere(about);
    let perhaps = false;
    for (;;) {
      if (mine) {
        const done = await here();
        if (done !== undefined) return { done };
      }
      for (const url of peers ? this.#ownersOf(about) : []) {
        const answer = await peers?.ask(url, question, until - performance.now());
        if (answer?.outcome === 'answered') {
          this.forwarded.answered += 1;
          // Only Router.answer writes these bodies.
          return { done: answer.body as T };
        }
        if (answer?.outcome !== 'unknown') continue;
        perhaps = true;
        if (harmless) continue;
        this.forwarded.refused += 1;
        return { undone: 'unknown' };
      }
      if (performance.now() >= until) {
        this.forwarded.refused += 1;
        return { undone: perhaps ? 'unknown' : 'not-ready' };
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      await owners.refresh();
      mine = this.#isHere(about);
    }
  }

  #refusalOf(undone: Unanswered): Refusal {
    if (undone === 'not-ready') return refuse('NotReady', { reason: whyNot(this.#deps.peers) });
    return refuse('CTIException', { reason: UNANSWERED });
  }

  #ownersOf(about: About): string[] {
    if (about === 'here') return [];
    if (about !== 'any-shard') return [this.otherOwner(about.shard)?.says.url ?? []].flat();
    const freestFirst = this.#elsewheres().sort(
      (a, b) => Number(b.serving) - Number(a.serving) || byRoom(a.load, b.load),
    );
    return [...new Set(freestFirst.map(({ url }) => url))];
  }

  /** Where else a call may begin, as far as the last sign of life told. */
  #elsewheres(): Elsewhere[] {
    const { nodes, board } = this.#deps;
    return nodes.flatMap(({ id, number, shards }) => {
      const limit = board.nodes.find((n) => n.id === id)?.limits.calls;
      return shards.flatMap((shard, index): Elsewhere[] => {
        const { url, nodes: reports } = this.otherOwner(shard)?.says ?? {};
        const report = reports?.[id];
        if (url === undefined || board.isDraining(id)) return [];
        const calls = board.callsElsewhere(id) + this.#deps.engine.callsOn(id);
        const room = (report?.room ?? true) && (limit === undefined || calls < limit);
        const load = { calls, ...(limit !== undefined && { limit }), room };
        return [{ number, part: { index, of: shards.length }, url, serving: report?.serving ?? true, load }];
      });
    });
  }

  /** Whether a call that is asked for here should begin here; also where it can begin nowhere, and is refused. */
  #beginsHere(): boolean {
    const { engine } = this.#deps;
    const elsewhere = this.#deps.peers ? this.#elsewheres() : [];
    // What may begin here in a moment waits for that.
    if (!engine.mayBegin) return !engine.mayBeginSoon && elsewhere.length === 0;
    const there = freest(elsewhere.filter((e) => e.serving));
    if (!there) return true;
    const here = engine.mayChoose ? engine.freest : undefined;
    return !here || !isWorthTheWay(here, there.load);
  }

  #aboutOf(method: string, params: unknown): About {
    if (ANYWHERE.has(method)) return 'here';
    if (OF_THE_FLOOR.has(method)) return { shard: FLOOR_SHARD };
    if (method === 'RequestMakeCall') return 'any-shard';
    const callID = typeof params === 'object' && params !== null && 'callID' in params ? String(params.callID) : '';
    const shard = this.#shardOf(callID);
    // An id that nobody here has made is refused like any other call that is not known.
    return shard === undefined ? 'here' : { shard };
  }

  #isHere(about: About): boolean {
    const { engine } = this.#deps;
    if (about === 'here') return true;
    if (about !== 'any-shard') return engine.serves(about.shard);
    // Where nobody else could do it either, now or in a moment, it is refused here.
    return engine.mayBegin || (!engine.mayBeginSoon && this.#ownersOf('any-shard').length === 0);
  }

  /** The shard that a call is in, by its id; undefined for an id of no node of ours. */
  #shardOf(callID: string): string | undefined {
    const number = nodeOfCallID(callID);
    const shards = this.#deps.nodes.find((n) => n.number === number)?.shards;
    return shards?.[partOfCall(callID, shards.length)];
  }
}

const byRoom = (a: NodeLoad, b: NodeLoad): number => (isFreer(a, b) ? -1 : isFreer(b, a) ? 1 : 0);

const whyNot = (peers: Peers | undefined): string =>
  peers ? 'no instance has it at the moment' : 'another instance has it, and cluster.peers is not configured';

const told = ({ companyId, keyName, scopes }: Caller): PeerCaller => ({ companyId, keyName, scopes: [...scopes] });

const heard = ({ scopes, ...caller }: PeerCaller): Caller => ({ ...caller, scopes: new Set(scopes) });
