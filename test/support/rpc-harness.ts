import { Writable } from 'node:stream';
import pino from 'pino';
import { Registry } from 'prom-client';
import { type RawData, WebSocket } from 'ws';
import type { Refusal } from '../../src/cti/errors.ts';
import type { Caller, NodeOperations, Readiness, RecordingFiles } from '../../src/ports.ts';
import { apiKeys, createRpcServer, type Operators, type RpcLimits, type RpcServer } from '../../src/rpc/index.ts';
import { ACME, MemoryEventLog, OTHER, ScriptedRequests } from './rpc-doubles.ts';

/** Keys of the server under test: one with all scopes, one that may only read, one of another company, one with a rate of its own. */
export const KEYS = {
  full: 'full-secret-0001',
  reader: 'reader-secret-0002',
  other: 'other-secret-0003',
  few: 'few-secret-0004',
} as const;

/** A JSON-RPC answer as a client sees it. */
export interface Answered {
  readonly jsonrpc: string;
  readonly id: string | number | null;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}

/** An event as a client sees it. */
export interface Seen {
  readonly eventID: number;
  readonly messageID: string;
  readonly companyId: string;
  readonly callID?: string;
  readonly thisDN?: string;
}

/** Lines of a service's log, which can be waited for. */
export class LogLines extends Writable {
  readonly lines: string[] = [];
  readonly #waiting: { text: string; resolve: () => void }[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const line = chunk.toString();
    this.lines.push(line);
    for (const waiter of this.#waiting) if (line.includes(waiter.text)) waiter.resolve();
    done();
  }

  line(text: string): Promise<void> {
    if (this.lines.some((line) => line.includes(text))) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ text, resolve }));
  }
}

/** What a test may set about the server. */
export interface HarnessOptions {
  readonly limits?: Partial<RpcLimits>;
  readonly now?: () => number;
  readonly recordings?: RecordingFiles;
  readonly operators?: Operators;
  readonly nodes?: NodeOperations;
}

/** A server on a free port of loopback, with doubles behind it. */
export class Harness {
  readiness: Readiness = { ready: true, draining: false, redis: true, nodes: { 'pbx-1': 'serving' } };
  readonly requests = new ScriptedRequests();
  readonly log = new MemoryEventLog();
  readonly logs = new LogLines();
  readonly registry = new Registry();
  /** What the RPC reported to be published. */
  readonly refusals: { caller: Caller; method: string; params: unknown; refusal: Refusal }[] = [];
  readonly server: RpcServer;
  port = 0;
  readonly #clients: RpcSocket[] = [];

  private constructor(options: HarnessOptions) {
    this.server = createRpcServer({
      requests: this.requests,
      log: this.log,
      registry: this.registry,
      keys: apiKeys([
        { name: 'full', key: KEYS.full, companyId: ACME, scopes: ['call', 'agent', 'supervise', 'dial', 'read'] },
        { name: 'reader', key: KEYS.reader, companyId: ACME, scopes: ['read'] },
        { name: 'other', key: KEYS.other, companyId: OTHER, scopes: ['call', 'read', 'admin'] },
        { name: 'few', key: KEYS.few, companyId: ACME, scopes: ['read'], requestsPerSecond: 1, burst: 2 },
      ]),
      readiness: () => this.readiness,
      logger: pino({ level: 'debug' }, this.logs),
      version: '1.2.3',
      onRefused: (caller, method, params, refusal) => this.refusals.push({ caller, method, params, refusal }),
      ...options,
    });
  }

  static async start(options: HarnessOptions = {}): Promise<Harness> {
    const harness = new Harness(options);
    harness.port = (await harness.server.listen({ host: '127.0.0.1', port: 0 })).port;
    return harness;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** POSTs a body to /rpc. */
  post(body: unknown, key: string | undefined = KEYS.full): Promise<Response> {
    return fetch(this.url('/rpc'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization(key) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  /** Asks over HTTP. */
  async ask(method: string, params?: object, key: string = KEYS.full): Promise<Answered> {
    const response = await this.post({ jsonrpc: '2.0', id: 1, method, params }, key);
    return (await response.json()) as Answered;
  }

  /** Opens a WebSocket. */
  async socket(key: string = KEYS.full, options: { autoPong?: boolean } = {}): Promise<RpcSocket> {
    const client = new RpcSocket(new WebSocket(this.url('/rpc'), { headers: authorization(key), ...options }));
    this.#clients.push(client);
    await client.opened;
    return client;
  }

  /** The value of a metric, without labels or with exactly these. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const metric = await this.registry.getSingleMetric(name)?.get();
    return metric?.values.find((value) =>
      Object.entries(labels).every(([label, wanted]) => String(value.labels[label]) === wanted),
    )?.value;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.ws.terminate();
    await this.server.close();
  }
}

export function authorization(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** A client's WebSocket: asks, and keeps what it hears in order. */
export class RpcSocket {
  readonly opened: Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Everything that came, as text and in order. */
  readonly messages: string[] = [];
  readonly events: Seen[] = [];
  #lastID = 0;
  readonly #answers = new Map<string | number, (answer: Answered) => void>();
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(readonly ws: WebSocket) {
    this.opened = new Promise((resolve, reject) => {
      ws.on('open', resolve);
      ws.on('error', reject);
    });
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    ws.on('message', (data: RawData) => this.#hear(data.toString()));
  }

  /** Sends a request and gives its answer. */
  ask(method: string, params?: object): Promise<Answered> {
    this.#lastID += 1;
    const id = this.#lastID;
    const answer = new Promise<Answered>((resolve) => this.#answers.set(id, resolve));
    this.ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return answer;
  }

  /** Resolves once so many events have come. */
  heard(count: number): Promise<void> {
    if (this.events.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** The ids of the events that have come. */
  get ids(): number[] {
    return this.events.map((event) => event.eventID);
  }

  #hear(text: string): void {
    this.messages.push(text);
    const message = JSON.parse(text) as Answered & { method?: string; params?: Seen };
    if (message.method === 'event' && message.params !== undefined) {
      this.events.push(message.params);
      for (const { count, resolve } of this.#waiting) if (this.events.length >= count) resolve();
      return;
    }
    if (message.id === null || message.id === undefined) return;
    this.#answers.get(message.id)?.(message);
    this.#answers.delete(message.id);
  }
}

/** A client of GET /events: reads blocks of the stream. */
export class SseReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest = '';
  readonly #decoder = new TextDecoder();

  constructor(response: Response) {
    if (response.body === null) throw new Error('no body');
    this.#reader = response.body.getReader();
  }

  /** The next block, without the empty line that ends it; undefined at the end of the stream. */
  async block(): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#rest += this.#decoder.decode(value, { stream: true });
    }
  }

  /** The next so many events, heartbeats left out. */
  async events(count: number): Promise<Seen[]> {
    const events: Seen[] = [];
    while (events.length < count) {
      const block = await this.block();
      if (block === undefined) throw new Error(`the stream ended after ${events.length} events`);
      const [id, data] = block.split('\n');
      if (!data?.startsWith('data: ')) continue;
      const event = JSON.parse(data.slice('data: '.length)) as Seen;
      if (id !== `id: ${event.eventID}`) throw new Error(`event ${event.eventID} came under ${id}`);
      events.push(event);
    }
    return events;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}
