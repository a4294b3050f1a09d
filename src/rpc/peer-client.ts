import type { Logger } from 'pino';
import { Agent, request } from 'undici';
import type { PeerAnswer, PeerQuestion, Peers } from '../ports.ts';
import { PEER_PATH } from './peer-server.ts';

/** How long a connection to another instance may take to be made, ms. */
const CONNECT_MS = 1_000;
/** Errors of a connection that was never made: the question was not asked. */
const NOT_ASKED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT']);

/** Asks the other instances, over HTTP. */
export class PeerClient implements Peers {
  readonly #agent = new Agent({ connections: 32, connect: { timeout: CONNECT_MS } });
  readonly #authorization: string;
  readonly #logger: Logger;

  constructor(secret: string, logger: Logger) {
    this.#authorization = `Bearer ${secret}`;
    this.#logger = logger;
  }

  async ask(url: string, question: PeerQuestion, timeoutMs: number): Promise<PeerAnswer> {
    try {
      const { statusCode, body } = await request(`${url}${PEER_PATH}`, {
        method: 'POST',
        dispatcher: this.#agent,
        headers: { authorization: this.#authorization, 'content-type': 'application/json' },
        body: JSON.stringify(question),
        signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
      });
      if (statusCode === 200) return { outcome: 'answered', body: await body.json() };
      await body.dump();
      if (statusCode === 401) this.#logger.error({ url }, 'another instance has a different cluster.peers.secret');
      return { outcome: statusCode === 500 ? 'unknown' : 'not-done' };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (NOT_ASKED.has(code)) return { outcome: 'not-done' };
      this.#logger.warn({ url, err: error, ask: question.ask }, 'another instance did not answer');
      return { outcome: 'unknown' };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
