import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { request } from 'undici';
import { inject } from 'vitest';
import { WebSocket } from 'ws';
import { type Lab, readLab } from '../../lab/lab.ts';
import { Phone, type PhoneOptions } from '../../lab/phone/phone.ts';
import { agentTone } from '../../lab/standing.ts';

/** The lab that the test run has brought up. */
export function testLab(): Promise<Lab> {
  return readLab(inject('labDir'));
}

/** A telephone of the test's own on one of the lab's free extensions, registered. */
export function openAgentPhone(lab: Lab, dn: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
  return Phone.open({
    dn,
    tone: agentTone(dn),
    register: { username: dn, password: lab.file.accounts.phonePassword, registrar: lab.file.asterisk.sip },
    ...options,
  });
}

/** A customer of the test's own: calls come into the lab over the carrier, whose account it has. */
export function openCustomerPhone(lab: Lab, number: string, options: Partial<PhoneOptions> = {}): Promise<Phone> {
  return Phone.open({
    dn: number,
    tone: 2500,
    server: lab.file.asterisk.sip,
    credentials: lab.file.accounts.carrier,
    ...options,
  });
}

/** An event of ARI, unparsed but for its type. */
export interface RawEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** ARI without any client: what the lab is proved with, so that a fault of the product's own client cannot hide one. */
export class BareAri {
  readonly events: RawEvent[] = [];
  readonly #lab: Lab;
  readonly #socket: WebSocket;
  readonly #waiting = new Set<{ wanted: (event: RawEvent) => boolean; resolve: (event: RawEvent) => void }>();

  private constructor(lab: Lab, socket: WebSocket) {
    this.#lab = lab;
    this.#socket = socket;
    socket.on('message', (data) => {
      const event = JSON.parse(String(data)) as RawEvent;
      this.events.push(event);
      for (const waiter of this.#waiting) {
        if (!waiter.wanted(event)) continue;
        this.#waiting.delete(waiter);
        waiter.resolve(event);
      }
    });
  }

  /** Opens the event socket of an application. */
  static async open(lab: Lab, app = lab.file.asterisk.ari.app): Promise<BareAri> {
    const url = `${lab.file.asterisk.ari.url.replace('http', 'ws')}/events?app=${app}`;
    const socket = new WebSocket(url, { headers: { authorization: authorization(lab) } });
    const ari = new BareAri(lab, socket);
    await once(socket, 'open');
    return ari;
  }

  /** A request. @param path from after `/ari`, with its query @returns status, and the body if it is JSON */
  async ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: unknown }> {
    const answer = await request(`${this.#lab.file.asterisk.ari.url}${path}`, {
      method,
      headers: {
        authorization: authorization(this.#lab),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  }

  /**
   * The first event like this, past or to come.
   * @param within milliseconds
   * @throws Error naming the types that did come
   */
  async event(type: string, matches: (event: RawEvent) => boolean = () => true, within = 10_000): Promise<RawEvent> {
    const wanted = (event: RawEvent): boolean => event.type === type && matches(event);
    const past = this.events.find(wanted);
    if (past) return past;
    return await new Promise((resolve, reject) => {
      const waiter = {
        wanted,
        resolve: (event: RawEvent) => {
          clearTimeout(timer);
          resolve(event);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(new Error(`no ${type} in ${within} ms; there were ${this.events.map((one) => one.type).join(', ')}`));
      }, within);
      this.#waiting.add(waiter);
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

function authorization(lab: Lab): string {
  const { username, password } = lab.file.asterisk.ari;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** True for an event about this channel. */
export function about(channelId: string): (event: RawEvent) => boolean {
  return (event) =>
    [event['channel'], event['peer']].some((one) => (one as { id?: string } | undefined)?.id === channelId);
}

/**
 * One AMI action over a connection of its own.
 * @param lines e.g. `Action: PJSIPNotify`
 * @returns the response, as text
 */
export async function amiAction(lab: Lab, lines: readonly string[]): Promise<string> {
  const { host, port, username, secret } = lab.file.asterisk.ami;
  const socket = createConnection({ host, port });
  try {
    await once(socket, 'connect');
    socket.write(
      `Action: Login\r\nUsername: ${username}\r\nSecret: ${secret}\r\nEvents: off\r\nActionID: login\r\n\r\n`,
    );
    await block(socket, 'ActionID: login');
    socket.write(`${[...lines, 'ActionID: asked'].join('\r\n')}\r\n\r\n`);
    return await block(socket, 'ActionID: asked');
  } finally {
    socket.destroy();
  }
}

function block(socket: Socket, marker: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (data: Buffer): void => {
      text += data.toString();
      const found = text
        .split('\r\n\r\n')
        .slice(0, -1)
        .find((one) => one.includes(marker));
      if (found === undefined) return;
      socket.off('data', take);
      resolve(found);
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error('AMI closed the connection')));
    socket.once('error', reject);
  });
}
