import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { PeerDesk, PeerQuestion } from '../ports.ts';
import { readBody } from './body.ts';

/** Where other instances ask this one. */
export const PEER_PATH = '/peer/v1';

export interface PeerServerOptions {
  readonly desk: PeerDesk;
  /** What all instances know, and nobody else. */
  readonly secret: string;
  /** Bytes of a question. */
  readonly bodyBytes: number;
  readonly logger: Logger;
}

/** Questions of the other instances, on a port of its own. Without the secret nothing is answered but 401. */
export class PeerServer {
  readonly #options: PeerServerOptions;
  readonly #http: Server;
  readonly #expected: Buffer;

  constructor(options: PeerServerOptions) {
    this.#options = options;
    this.#expected = digest(`Bearer ${options.secret}`);
    // Its clients keep connections for a shorter time: none is closed under a question.
    this.#http = createServer({ keepAliveTimeout: 60_000, requestTimeout: 30_000 }, (request, response) => {
      this.#serve(request, response).catch((err) => {
        options.logger.warn({ err }, 'a question of another instance could not be answered');
        response.destroy();
      });
    });
    this.#http.maxConnections = 1_000;
  }

  /** Opens the port. @param address port 0: any free one @returns where it listens @throws what the system refuses it with */
  async listen(address: { readonly host: string; readonly port: number }): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(address.port, address.host, resolve);
    });
    const { address: host, port } = this.#http.address() as AddressInfo;
    return { host, port };
  }

  async close(): Promise<void> {
    if (!this.#http.listening) return;
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeIdleConnections();
    const late = setTimeout(() => this.#http.closeAllConnections(), 2_000);
    await closed;
    clearTimeout(late);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), this.#expected)) return end(response, 401);
    if (request.method !== 'POST' || request.url !== PEER_PATH) return end(response, 404);
    const text = await readBody(request, this.#options.bodyBytes);
    if (text === 'too-long') return end(response, 413);
    let question: PeerQuestion;
    try {
      // Who has the secret is an instance of the same version, or about to be.
      question = JSON.parse(text) as PeerQuestion;
    } catch {
      return end(response, 400);
    }
    const answer = await this.#options.desk.answer(question);
    // 421, Misdirected Request: it is another instance's.
    if (!answer) return end(response, 421);
    const body = JSON.stringify(answer.body ?? null);
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status).end();
}

/** Of one length whatever was sent, so that the comparison tells nothing. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
