import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a webhook was sent. */
export interface Received {
  readonly id: string;
  /** The signature fits the body, by the receiver's own reckoning. */
  readonly valid: boolean;
  readonly body: {
    readonly 'phonon-uuid': string;
    readonly 'client-identifier': string;
    readonly 'flow-status': string;
    readonly final: boolean;
    readonly callDetails: readonly Record<string, unknown>[];
  };
  readonly status: number;
}

/** A receiver of webhooks on loopback that checks signatures as a client of the API would. */
export class WebhookReceiver {
  /** Everything that came, in order, refused or not. */
  readonly received: Received[] = [];
  /** What it answers with from now on. */
  status = 204;
  readonly url: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #waiting = new Set<() => void>();

  private constructor(server: ReturnType<typeof createServer>, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @param secret `whsec_` and base64 */
  static async open(secret: string): Promise<WebhookReceiver> {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/calls`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const id = String(request.headers['webhook-id']);
        const signed = `${id}.${String(request.headers['webhook-timestamp'])}.${text}`;
        const wanted = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
        const valid = request.headers['webhook-signature'] === wanted;
        const { status } = receiver;
        receiver.received.push({ id, valid, body: JSON.parse(text), status });
        response.writeHead(status).end();
        for (const look of [...receiver.#waiting]) look();
      });
    });
    return receiver;
  }

  /** What was taken with a good answer. */
  get taken(): Received[] {
    return this.received.filter((r) => r.status < 300);
  }

  /** Resolves once the condition holds; the test's own timeout is the limit. */
  until(condition: (receiver: WebhookReceiver) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition(this)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
