import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** One action as the scripted server read it. */
export type ScriptedAction = ReadonlyMap<string, string>;

/** One connection of the client under test, seen from the server. */
export interface ScriptedPeer {
  readonly socket: Socket;
  /** Sends headers as one message. */
  send: (...lines: string[]) => void;
  /** Everything that the client has sent, byte for byte. */
  received: () => string;
}

/** Answers an action; return false to leave it to the server's ordinary behaviour. */
export type Script = (action: ScriptedAction, peer: ScriptedPeer) => boolean | undefined;

export interface ScriptedAmiOptions {
  /** The first line; undefined sends nothing, as a hung switch does. */
  readonly greeting?: string | undefined;
  readonly secret?: string;
  readonly script?: Script;
  /** Cuts what the server writes into pieces of this many bytes. */
  readonly pieceBytes?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/**
 * An AMI server that does what Asterisk does, except where its script says otherwise: log in, Challenge, Filter, Ping.
 */
export class ScriptedAmi {
  readonly peers: ScriptedPeer[] = [];
  readonly actions: ScriptedAction[] = [];
  readonly #server: Server;
  readonly #options: ScriptedAmiOptions;
  readonly #watchers = new Set<() => void>();
  script: Script | undefined;

  private constructor(options: ScriptedAmiOptions) {
    this.#options = { greeting: 'Asterisk Call Manager/11.0.0', secret: 'right secret', ...options };
    this.script = options.script;
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#server =
      options.tls === undefined
        ? createServer({ noDelay: true }, accept)
        : createTlsServer({ key: options.tls.key, cert: options.tls.cert, noDelay: true }, accept);
  }

  /** Listens on a free port of 127.0.0.1. */
  static async listen(options: ScriptedAmiOptions = {}): Promise<ScriptedAmi> {
    const server = new ScriptedAmi(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  /** Resolves when the condition holds; looked at whenever a connection or an action arrives. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const watcher = (): void => {
          this.#watchers.delete(watcher);
          resolve();
        };
        this.#watchers.add(watcher);
      });
    }
  }

  /** How many actions of a name have arrived. */
  count(name: string): number {
    return this.actions.filter((action) => action.get('Action') === name).length;
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #accept(socket: Socket): void {
    let received = '';
    let pending = '';
    const write = (text: string): void => {
      const bytes = Buffer.from(text);
      const step = this.#options.pieceBytes ?? bytes.length;
      for (let at = 0; at < bytes.length; at += step) socket.write(bytes.subarray(at, at + step));
    };
    const peer: ScriptedPeer = {
      socket,
      send: (...lines) => write(`${lines.join('\r\n')}\r\n\r\n`),
      received: () => received,
    };
    this.peers.push(peer);
    // A client that goes away in the middle of a write is what many of these tests are about.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      pending += chunk.toString('utf8');
      for (let end = pending.indexOf('\r\n\r\n'); end >= 0; end = pending.indexOf('\r\n\r\n')) {
        const lines = pending.slice(0, end).split('\r\n');
        pending = pending.slice(end + 4);
        const action = new Map(
          lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
        );
        this.actions.push(action);
        if (this.script?.(action, peer) !== true) this.#ordinary(action, peer);
      }
      this.#tell();
    });
    if (this.#options.greeting !== undefined) write(`${this.#options.greeting}\r\n`);
    this.#tell();
  }

  #ordinary(action: ScriptedAction, peer: ScriptedPeer): void {
    const id = `ActionID: ${action.get('ActionID')}`;
    switch (action.get('Action')) {
      case 'Login':
        if (action.get('Secret') === this.#options.secret) {
          peer.send('Response: Success', id, 'Message: Authentication accepted');
          peer.send('Event: FullyBooted', 'Privilege: system,all', 'Status: Fully Booted');
        } else {
          peer.send('Response: Error', id, 'Message: Authentication failed');
          peer.socket.end();
        }
        return;
      case 'Filter':
        peer.send('Response: Success', id, 'Message: Success');
        return;
      case 'Ping':
        peer.send('Response: Success', id, 'Ping: Pong', 'Timestamp: 1.5');
        return;
      default:
        peer.send('Response: Error', id, 'Message: Invalid/unknown command');
    }
  }
}
