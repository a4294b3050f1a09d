/**
 * A server that speaks as much of ARI as a client notices, and misbehaves on demand: it refuses, hangs, drops, garbles,
 * answers out of order, goes deaf. Each test scripts what it needs; everything else answers as a healthy, empty Asterisk.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** A request, by either carrier. `uri`: below the ARI root, with its query. */
export interface ScriptedRequest {
  carrier: 'http' | 'websocket';
  method: string;
  uri: string;
  path: string;
  body: unknown;
  headers: IncomingMessage['headers'];
}

/** What to do with a request. */
export type ScriptedReply =
  | { status: number; body?: unknown; raw?: string | Buffer; headers?: Record<string, string> }
  | 'hang'
  | 'drop';

/** Decides about a request; undefined leaves it to the healthy default. May be async: a slow reply. */
export type RequestScript = (
  request: ScriptedRequest,
) => ScriptedReply | undefined | Promise<ScriptedReply | undefined>;

/** The clock that the scripted Asterisk shows in its ping. */
export const SCRIPTED_CLOCK = '2026-01-01T12:00:00.500+0000';

export class ScriptedAri {
  /** every request received, in order */
  readonly requests: ScriptedRequest[] = [];
  /** the upgrade requests received, in order */
  readonly upgrades: { url: string; headers: IncomingMessage['headers'] }[] = [];
  /** answers RESTRequest frames; false plays an Asterisk before 22.4 */
  restOverWebSocket = true;
  script: RequestScript = () => undefined;
  /** status to refuse the upgrade with, 'hang' for no answer, 'accept' */
  upgrade: (attempt: number) => 'accept' | 'hang' | number = () => 'accept';
  channels: unknown[] = [];
  bridges: unknown[] = [];

  readonly #http: Server;
  readonly #ws = new WebSocketServer({ noServer: true, autoPong: true });
  readonly #tcp = new Set<Socket>();
  readonly #waiting: { ready: () => boolean; resolve: () => void }[] = [];
  #event: { client: WebSocket; tcp: Socket } | undefined;
  #connections = 0;

  private constructor() {
    this.#http = createServer((request, response) => void this.#onHttp(request, response));
    this.#http.on('connection', (socket) => {
      this.#tcp.add(socket);
      socket.on('close', () => this.#tcp.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    this.#http.on('upgrade', (request, socket: Socket, head) => this.#onUpgrade(request, socket, head));
  }

  static async start(): Promise<ScriptedAri> {
    const server = new ScriptedAri();
    await new Promise<void>((resolve) => server.#http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/ari`;
  }

  /** Event sockets accepted so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Sends an event; fills in what every event has. */
  event(type: string, fields: Record<string, unknown> = {}): void {
    this.raw(JSON.stringify({ type, application: 'app', timestamp: '2026-01-01T12:00:01.000+0000', ...fields }));
  }

  raw(frame: string | Buffer): void {
    this.#event?.client.send(frame);
  }

  /** Cuts the event socket without a close frame. */
  cut(): void {
    this.#event?.tcp.destroy();
  }

  /** Closes the event socket in an orderly way. */
  closeEventSocket(): void {
    this.#event?.client.close(1001);
  }

  /** Half-open: the connection stays, nothing is read from it and no ping is answered. */
  freeze(): void {
    this.#event?.tcp.pause();
    this.#event?.tcp.removeAllListeners('data');
  }

  /** Cuts every HTTP connection. */
  cutAll(): void {
    for (const socket of this.#tcp) socket.destroy();
  }

  /** Resolves when the condition holds; looked at after every request and connection. */
  until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }));
  }

  async stop(): Promise<void> {
    for (const client of this.#ws.clients) client.terminate();
    this.cutAll();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }

  #changed(): void {
    for (const [index, waiter] of [...this.#waiting.entries()].reverse()) {
      if (!waiter.ready()) continue;
      this.#waiting.splice(index, 1);
      waiter.resolve();
    }
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.upgrades.push({ url: request.url ?? '', headers: request.headers });
    const verdict = this.upgrade(this.upgrades.length);
    this.#changed();
    if (verdict === 'hang') return;
    if (verdict !== 'accept') {
      socket.end(`HTTP/1.1 ${verdict} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#ws.handleUpgrade(request, socket, head, (client) => {
      this.#event = { client, tcp: socket };
      this.#connections += 1;
      client.on('error', () => client.terminate());
      client.on('message', (data) => void this.#onFrame(client, data.toString()));
      this.#changed();
    });
  }

  async #onFrame(client: WebSocket, text: string): Promise<void> {
    if (!this.restOverWebSocket) return;
    const frame = JSON.parse(text) as { request_id: string; method: string; uri: string; message_body?: string };
    const reply = await this.#reply({
      carrier: 'websocket',
      method: frame.method,
      uri: `/${frame.uri}`,
      path: `/${frame.uri}`.replace(/\?.*/, ''),
      body: frame.message_body === undefined ? undefined : JSON.parse(frame.message_body),
      headers: {},
    });
    if (reply === 'hang') return;
    if (reply === 'drop') {
      this.cut();
      return;
    }
    client.send(
      JSON.stringify({
        type: 'RESTResponse',
        transaction_id: frame.request_id,
        request_id: frame.request_id,
        status_code: reply.status,
        reason_phrase: 'phrase',
        uri: frame.uri,
        ...(reply.body === undefined && reply.raw === undefined
          ? {}
          : { message_body: reply.raw?.toString() ?? JSON.stringify(reply.body) }),
        application: 'app',
      }),
    );
  }

  async #onHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const uri = (request.url ?? '').replace(/^\/ari/, '');
    const reply = await this.#reply({
      carrier: 'http',
      method: request.method ?? '',
      uri,
      path: uri.replace(/\?.*/, ''),
      body: text === '' ? undefined : JSON.parse(text),
      headers: request.headers,
    });
    if (reply === 'hang') return;
    if (reply === 'drop') {
      request.socket.destroy();
      return;
    }
    const body = reply.raw ?? (reply.body === undefined ? undefined : JSON.stringify(reply.body));
    response.writeHead(reply.status, reply.headers);
    response.end(body);
  }

  async #reply(request: ScriptedRequest): Promise<ScriptedReply> {
    this.requests.push(request);
    const scripted = this.script(request);
    this.#changed();
    return (await scripted) ?? this.#healthy(request);
  }

  #healthy(request: ScriptedRequest): ScriptedReply {
    if (request.method === 'GET' && request.path === '/asterisk/ping') {
      return { status: 200, body: { ping: 'pong', timestamp: SCRIPTED_CLOCK, asterisk_id: 'scripted' } };
    }
    if (request.method === 'GET' && request.path === '/channels') return { status: 200, body: this.channels };
    if (request.method === 'GET' && request.path === '/bridges') return { status: 200, body: this.bridges };
    if (request.method === 'PUT' && request.path.endsWith('/eventFilter'))
      return { status: 200, body: { name: 'app' } };
    if (request.method === 'GET') return { status: 404, body: { message: 'Resource not found' } };
    return { status: 204 };
  }
}
