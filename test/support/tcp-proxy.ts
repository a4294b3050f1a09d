import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Passes TCP connections on, until told to cut them: a network between two processes that a test can break. */
export class TcpProxy {
  readonly #server: Server;
  /** Each end with the one that it is passed on to. */
  readonly #sockets = new Map<Socket, Socket>();
  #blocked = false;
  #silent = false;

  private constructor(host: string, port: number) {
    this.#server = createServer((near) => {
      if (this.#blocked) {
        near.destroy();
        return;
      }
      const far = connect(port, host);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.set(from, to);
        if (this.#silent) from.pause();
        else from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
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

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }
}
