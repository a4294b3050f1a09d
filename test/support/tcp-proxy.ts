import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Passes TCP connections on, until told to cut them: a network between two processes that a test can break. */
export class TcpProxy {
  readonly #server: Server;
  /** Each end with the one that it is passed on to. */
  readonly #sockets = new Map<Socket, Socket>();
  readonly #near = new Set<Socket>();
  /** Near ends of which something is held, with where it goes. */
  readonly #kept = new Map<Socket, { readonly far: Socket; readonly chunks: Buffer[] }>();
  #to: { readonly host: string; readonly port: number };
  #blocked = false;
  #silent = false;

  private constructor(host: string, port: number) {
    this.#to = { host, port };
    this.#server = createServer((near) => {
      if (this.#blocked) {
        near.destroy();
        return;
      }
      const far = connect(this.#to.port, this.#to.host);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.set(from, to);
        if (this.#silent) from.pause();
        else from.pipe(to);
        from.on('error', () => this.#broken(from, to));
        from.on('close', () => {
          this.#sockets.delete(from);
          this.#broken(from, to);
        });
      }
      this.#near.add(near);
      near.on('close', () => this.#near.delete(near));
    });
  }

  /** Listens on a free port of the loopback address. */
  static async start(host: string, port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(host, port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections lead elsewhere, as those of a name do that is changed; those that stand stay. */
  lead(host: string, port: number): void {
    this.#to = { host, port };
  }

  /** Breaks every connection; new ones pass. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  /** Breaks every connection, and every new one until `unblock`. */
  block(): void {
    this.#blocked = true;
    this.cut();
  }

  unblock(): void {
    this.#blocked = false;
  }

  /**
   * A half-open network: connections stand, and nothing passes in either direction until `thaw`.
   *
   * @param which `present`: those that stand now; new ones pass
   */
  freeze(which: 'all' | 'present' = 'all'): void {
    this.#silent = which === 'all';
    for (const [from, to] of this.#sockets) {
      from.unpipe(to);
      from.pause();
    }
  }

  /** Everything that was held back is passed on. */
  thaw(): void {
    this.#silent = false;
    for (const [from, to] of this.#sockets) {
      // One that is passed on already, because it is newer than a freeze of those present, would say everything twice.
      from.unpipe(to);
      from.pipe(to);
    }
  }

  /**
   * A device on the way takes in what comes and passes nothing on, in either direction, until `release`: then it passes
   * on also what came from those who have closed their end meanwhile. New connections are broken until then.
   */
  hold(): void {
    this.#blocked = true;
    for (const [from, to] of this.#sockets) {
      from.unpipe(to);
      if (this.#near.has(from)) this.#keep(from);
      else from.pause();
    }
  }

  /** @returns bytes that arrive late */
  release(): number {
    this.#blocked = false;
    let bytes = 0;
    for (const [near, { far, chunks }] of this.#kept) {
      const late = Buffer.concat(chunks);
      bytes += late.length;
      near.removeAllListeners('data');
      far.write(late);
      if (near.destroyed) {
        // Its answers are nobody's.
        far.resume();
        far.end();
      } else {
        near.pipe(far);
        far.pipe(near);
      }
    }
    this.#kept.clear();
    return bytes;
  }

  #keep(near: Socket): void {
    const far = this.#sockets.get(near);
    if (!far) return;
    const chunks: Buffer[] = [];
    this.#kept.set(near, { far, chunks });
    near.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  }

  /** One end has gone: so has the other, unless something for it is held. */
  #broken(from: Socket, to: Socket): void {
    if (!this.#kept.has(from)) to.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }
}
