import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a sentinel names: the master's port, and since which fail-over. */
export interface Named {
  readonly port: number;
  readonly epoch: number;
}

/** A sentinel that says what a test wants it to say. */
export class FakeSentinel {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Undefined: it knows no master of the name. */
  named: Named | undefined;
  /** It takes connections and never answers. */
  silent = false;
  /** How often it was asked for the master. */
  asked = 0;

  private constructor(named: Named | undefined) {
    this.named = named;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.on('data', (data) => {
        if (!this.silent)
          socket.write(
            commandsIn(data.toString())
              .map((args) => this.#answer(args))
              .join(''),
          );
      });
    });
  }

  static async start(named?: Named): Promise<FakeSentinel> {
    const fake = new FakeSentinel(named);
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get at(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #answer(args: readonly string[]): string {
    const [word = '', about = ''] = args.map((a) => a.toUpperCase());
    if (word !== 'SENTINEL') return '+OK\r\n';
    const { named } = this;
    if (about === 'GET-MASTER-ADDR-BY-NAME') {
      this.asked += 1;
      return named ? bulks('127.0.0.1', String(named.port)) : '*-1\r\n';
    }
    if (!named) return '-ERR No such master with that name\r\n';
    return bulks('name', args[2] ?? '', 'config-epoch', String(named.epoch), 'quorum', '2');
  }
}

const bulks = (...texts: string[]): string =>
  `*${texts.length}\r\n${texts.map((t) => `$${t.length}\r\n${t}\r\n`).join('')}`;

/** The commands in what a client has sent: arrays of bulk strings, short enough to come whole. */
function commandsIn(text: string): string[][] {
  const lines = text.split('\r\n');
  const commands: string[][] = [];
  for (let i = 0; i < lines.length; i += 1) {
    const count = Number(/^\*(\d+)$/.exec(lines[i] ?? '')?.[1] ?? 0);
    if (count === 0) continue;
    commands.push(Array.from({ length: count }, (_, n) => lines[i + 2 + 2 * n] ?? ''));
    i += 2 * count;
  }
  return commands;
}
