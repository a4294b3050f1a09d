import type { Logger } from 'pino';
import type { z } from 'zod';
import { ERRORS, type ErrorKey, errorEventOf, type Refusal, refuse } from '../cti/errors.ts';
import { isMethodName, METHODS, type Method, type MethodName, type ParamsOf } from '../cti/requests.ts';
import type { Caller, Requests } from '../ports.ts';
import type { KeyUse } from './keys.ts';
import type { RpcLimits } from './limits.ts';
import type { RpcMetrics } from './metrics.ts';
import { errorText, type Request, type RequestID, readRequest, resultText, type SeedOfRpc } from './wire.ts';

/**
 * Hears of the refusals that the RPC makes itself (InvalidParams, RequestTooFast, CTIException, SocketToJSon,
 * MessageIDNotMatch), so that they can be published as events like all others. Never more per key and second than the
 * limit for published refusals.
 *
 * @param method as the client gave it, its first 64 characters; empty where none could be read
 * @param params as the client gave them: not validated
 */
export type OnRefused = (caller: Caller, method: string, params: unknown, refusal: Refusal) => void;

/** The methods whose outcome is a stream: what a WebSocket has and a POST has not. */
export interface SubscriptionDesk {
  /** @returns the result, and what begins the events: to be called after the result has been sent */
  subscribe(params: ParamsOf<'Subscribe'>): Promise<{ result: unknown; start: () => void } | { refusal: Refusal }>;
  unsubscribe(params: ParamsOf<'Unsubscribe'>): { result: unknown } | { refusal: Refusal };
}

/** Who sends requests, and over what. */
export interface Session {
  readonly use: KeyUse;
  /** Absent over HTTP. */
  readonly subscriptions?: SubscriptionDesk;
}

/** What a body is answered with. */
export interface Answer {
  /** HTTP status; of no meaning on a WebSocket. */
  readonly status: 200 | 204 | 400 | 429;
  /** Undefined where there were only notifications. */
  readonly text: string | undefined;
  /** To be called in order once the text has been sent. */
  readonly afterwards: readonly (() => void)[];
}

/** What the dispatcher works with. */
export interface DispatcherDeps {
  readonly requests: Requests;
  readonly limits: RpcLimits;
  readonly metrics: RpcMetrics;
  readonly logger: Logger;
  readonly onRefused: OnRefused;
  /** The OpenRPC document as JSON text. */
  readonly discover: () => string;
}

/** Characters of a body that is still parsed, for its id, while its key is over its rate. */
const CHEAP_CHARS = 4096;
const MOST_ISSUES = 20;
const LONGEST_REASON = 200;
/** Characters of a method that there is not, as they are told. */
const LONGEST_METHOD = 64;

type Data = NonNullable<Refusal['data']>;

type Outcome = { readonly json: string; readonly start?: () => void } | { readonly refusal: Refusal };

/** Turns the text of a request into the text of its answer: the same for both carriers. */
export class Dispatcher {
  #inFlight = 0;
  #idle: (() => void)[] = [];

  constructor(readonly deps: DispatcherDeps) {}

  /** Carries out what a body or a message holds: a request or a batch. Never rejects. */
  async answer(session: Session, text: string): Promise<Answer> {
    if (text.length > CHEAP_CHARS && session.use.rate.empty()) {
      this.deps.metrics.requests.inc({ method: 'unknown', outcome: 301027 });
      return answered(429, errorText(null, refuse('RequestTooFast')));
    }
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      // What is not JSON costs its sender as much as what is.
      session.use.rate.take();
      this.deps.metrics.requests.inc({ method: 'unknown', outcome: -32700 });
      return answered(400, errorText(null, this.#unread(session.use, 'ParseError', 'SocketToJSon', {})));
    }
    const afterwards: (() => void)[] = [];
    if (!Array.isArray(message)) return answered(200, await this.#one(session, message, afterwards), afterwards);
    const fault = this.#batchFault(message);
    if (fault !== undefined) {
      const refusal = this.#unread(session.use, 'InvalidRequest', 'SocketToJSon', { reason: fault });
      return answered(200, errorText(null, refusal));
    }
    const texts = await Promise.all(message.map((member) => this.#one(session, member, afterwards)));
    const told = texts.filter((told) => told !== undefined);
    return answered(200, told.length === 0 ? undefined : `[${told.join(',')}]`, afterwards);
  }

  /** Resolves once no request waits for its answer. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #batchFault(batch: readonly unknown[]): string | undefined {
    if (batch.length === 0) return 'an empty batch';
    const most = this.deps.limits.batchSize;
    return batch.length > most ? `a batch of ${batch.length}, at most ${most} are taken` : undefined;
  }

  /** @returns the answer's text, undefined for a notification */
  async #one(session: Session, message: unknown, afterwards: (() => void)[]): Promise<string | undefined> {
    const inTime = session.use.rate.take();
    const request = readRequest(message);
    if ('fault' in request) {
      const { fault: reason, seed } = request;
      const refusal = inTime ? this.#unread(session.use, 'InvalidRequest', seed, { reason }) : refuse('RequestTooFast');
      this.deps.metrics.requests.inc({ method: 'unknown', outcome: refusal.code });
      return errorText(request.id, refusal);
    }
    const began = performance.now();
    const outcome = await this.#outcome(session, request, inTime);
    this.#note(session.use.caller, request.method, outcome, performance.now() - began);
    if ('refusal' in outcome) return textFor(request.id, (id) => errorText(id, outcome.refusal));
    if (outcome.start !== undefined) afterwards.push(outcome.start);
    return textFor(request.id, (id) => resultText(id, outcome.json));
  }

  async #outcome(session: Session, request: Request, inTime: boolean): Promise<Outcome> {
    const { use } = session;
    const { method, params } = request;
    const { inFlightPerKey } = this.deps.limits;
    if (!inTime) return this.#refused(use, method, params, refuse('RequestTooFast'));
    if (method === 'rpc.discover') return { json: this.deps.discover() };
    if (!isMethodName(method)) return this.#noMethod(use, request);
    const { scope, carrier, params: schema }: Method = METHODS[method];
    if (carrier === 'websocket' && session.subscriptions === undefined) {
      return this.#noMethod(use, request, { reason: 'only over WebSocket' });
    }
    if (!use.caller.scopes.has(scope)) return { refusal: refuse('Forbidden', { scope }) };
    const read = schema.safeParse(params);
    if (!read.success) return this.#refused(use, method, params, invalidParams(read.error));
    if (use.inFlight >= inFlightPerKey) {
      const data = { reason: `${inFlightPerKey} requests of this key wait for their answers` };
      return this.#refused(use, method, params, refuse('RequestTooFast', data));
    }
    use.inFlight += 1;
    this.#inFlight += 1;
    try {
      return await this.#carryOut(session, method, read.data, params);
    } catch (error) {
      this.deps.logger.error({ err: error, method, key: use.caller.keyName }, 'a request failed');
      return this.#refused(use, method, params, refuse('CTIException'));
    } finally {
      use.inFlight -= 1;
      this.#inFlight -= 1;
      if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #carryOut(session: Session, method: MethodName, params: unknown, given: unknown): Promise<Outcome> {
    const { use, subscriptions } = session;
    if (subscriptions !== undefined && method === 'Subscribe') {
      const opened = await subscriptions.subscribe(params as ParamsOf<'Subscribe'>);
      if ('refusal' in opened) return this.#refused(use, method, given, opened.refusal);
      return { json: JSON.stringify(opened.result), start: opened.start };
    }
    if (subscriptions !== undefined && method === 'Unsubscribe') {
      const ended = subscriptions.unsubscribe(params as ParamsOf<'Unsubscribe'>);
      if ('refusal' in ended) return this.#refused(use, method, given, ended.refusal);
      return { json: JSON.stringify(ended.result) };
    }
    const outcome = await this.deps.requests.request(use.caller, method, params);
    return 'refusal' in outcome ? outcome : { json: JSON.stringify(outcome.result ?? {}) };
  }

  #refused(use: KeyUse, method: string, params: unknown, refusal: Refusal): Outcome {
    if (isMethodName(method)) this.#publish(use, method, params, refusal);
    return { refusal };
  }

  #noMethod(use: KeyUse, { method, params }: Request, data: Data = {}): Outcome {
    const asked = { method: method.slice(0, LONGEST_METHOD), params };
    return {
      refusal: this.#unread(use, 'MethodNotFound', 'MessageIDNotMatch', { method: asked.method, ...data }, asked),
    };
  }

  /**
   * A message that is no request that could be served: refused with JSON-RPC's own code, which has the seed's with it;
   * that one is published.
   */
  #unread(
    use: KeyUse,
    key: ErrorKey,
    seed: SeedOfRpc,
    data: Data,
    asked = { method: '', params: {} as unknown },
  ): Refusal {
    const { code: errorCode, name: errorMessage } = ERRORS[seed];
    this.#publish(use, asked.method, asked.params, refuse(seed));
    return refuse(key, { ...data, errorCode, errorMessage });
  }

  #publish(use: KeyUse, method: string, params: unknown, refusal: Refusal): void {
    if (errorEventOf(refusal.code) === undefined || !use.published.take()) return;
    try {
      this.deps.onRefused(use.caller, method, params, refusal);
    } catch (error) {
      this.deps.logger.error({ err: error, method, code: refusal.code }, 'a refusal could not be reported');
    }
  }

  #note(caller: Caller, method: string, outcome: Outcome, milliseconds: number): void {
    const { metrics, logger } = this.deps;
    const known = isMethodName(method) || method === 'rpc.discover' ? method : 'unknown';
    const code = 'refusal' in outcome ? outcome.refusal.code : 'ok';
    metrics.requests.inc({ method: known, outcome: code });
    metrics.seconds.observe({ method: known }, milliseconds / 1000);
    // Neither params nor results: they hold numbers.
    if (logger.isLevelEnabled('debug')) logger.debug({ method: known, key: caller.keyName, outcome: code }, 'request');
  }
}

function answered(status: Answer['status'], text: string | undefined, afterwards: Answer['afterwards'] = []): Answer {
  return { status: text === undefined ? 204 : status, text, afterwards };
}

function textFor(id: RequestID | undefined, text: (id: RequestID) => string): string | undefined {
  return id === undefined ? undefined : text(id);
}

/** The refusal of params that failed their schema: where and why, without the values themselves. */
export function invalidParams(error: z.ZodError): Refusal {
  const issues = error.issues.slice(0, MOST_ISSUES).map((issue) => ({
    path: issue.path.map(String).join('.'),
    reason: issue.message.slice(0, LONGEST_REASON),
  }));
  return refuse('InvalidParams', { issues });
}
