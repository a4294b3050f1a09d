import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'redis';
import { startRedis, startSentinel, type TestRedis } from './redis-server.ts';

/** Under which the sentinels watch the master. */
export const MASTER = 'mymaster';

/** How long a fail-over and what follows it may take, ms. */
const PATIENCE_MS = 30_000;

/** Short, so that a fail-over takes two seconds; not so short that a busy machine is taken for a dead server. */
const DOWN_AFTER_MS = 1000;
const FAILOVER_MS = 1500;
/** What sentinels do every few seconds they do here several times a second. */
const HASTE = [
  ...['INFO-PERIOD', '300', 'PUBLISH-PERIOD', '300', 'ASK-PERIOD', '300', 'PING-PERIOD', '200'],
  // A sentinel that was itself held up watches only, for half a minute otherwise.
  ...['TILT-TRIGGER', '10000', 'TILT-PERIOD', '2000', 'MIN-LINK-RECONNECT-PERIOD', '500'],
];

/** A Redis with its replicas and its sentinels, all on loopback, to be broken. */
export class SentinelGroup {
  readonly sentinels: TestRedis[] = [];
  readonly #servers = new Map<number, TestRedis>();
  readonly #options: readonly string[];

  private constructor(options: readonly string[]) {
    this.#options = options;
  }

  /**
   * Starts a master, its replicas and three sentinels, and waits until all of them know each other.
   *
   * @param options of the Redis servers, beside those that every one of the tests has
   */
  static async start(replicas = 2, options: readonly string[] = []): Promise<SentinelGroup> {
    const group = new SentinelGroup(['--repl-diskless-sync-delay', '0', ...options]);
    try {
      const master = await group.#startServer(undefined);
      for (let i = 0; i < replicas; i += 1) await group.#startServer(master.port);
      const config = [
        `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`,
        `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${MASTER} ${FAILOVER_MS}`,
        `sentinel parallel-syncs ${MASTER} 2`,
      ];
      for (let i = 0; i < 3; i += 1) group.sentinels.push(await startSentinel(config));
      for (const { port } of group.sentinels) await eventually(() => command(port, 'SENTINEL', 'DEBUG', ...HASTE));
      await group.settled();
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  }

  /** For a store's options, and for ringmaster.yaml once each node is written as text. */
  get at(): { name: string; nodes: { host: string; port: number }[]; data: { db: number } } {
    return { name: MASTER, nodes: this.sentinels.map(({ port }) => ({ host: '127.0.0.1', port })), data: { db: 0 } };
  }

  /** The server that the sentinels name; `but`: wait until they all name another one. */
  async master(but?: TestRedis): Promise<TestRedis> {
    return await eventually(async () => {
      const named = await Promise.all(
        (await this.#alive(this.sentinels)).map(({ port }) =>
          command(port, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER),
        ),
      );
      const ports = new Set(named.map((address) => Number((address as string[])[1])));
      const [port = 0] = ports;
      const server = this.#servers.get(port);
      if (ports.size !== 1 || !server || server === but) throw new Error('no other master yet');
      return server;
    });
  }

  /** All servers but this one. */
  others(server: TestRedis): TestRedis[] {
    return [...this.#servers.values()].filter((s) => s !== server);
  }

  /** Starts a server that has died anew, at its own port. @returns the new process */
  async startAgain(died: TestRedis, replicaOf: TestRedis): Promise<TestRedis> {
    await died.stop();
    return await this.#startServer(replicaOf.port, died.port);
  }

  /** Waits until every server but the master follows it and no sentinel that lives sees anything amiss. */
  async settled(): Promise<void> {
    await eventually(async () => {
      const sentinels = await this.#alive(this.sentinels);
      for (const { port } of sentinels) {
        const facts = record(await command(port, 'SENTINEL', 'MASTER', MASTER));
        const replicas = (await command(port, 'SENTINEL', 'REPLICAS', MASTER)) as unknown[];
        const following = replicas
          .map(record)
          .filter(
            (r) => r['flags'] === 'slave' && r['master-link-status'] === 'ok' && r['master-port'] === facts['port'],
          );
        if (facts['flags'] !== 'master') throw new Error(`the master is ${facts['flags']}`);
        if (following.length !== this.#servers.size - 1) throw new Error(`${following.length} replicas follow`);
        const known = Number(facts['num-other-sentinels']) + 1;
        if (known !== this.sentinels.length) throw new Error(`${known} sentinels are known`);
      }
    });
  }

  /** Cuts the master's replicas off from it, and keeps them so: they lag behind from here on. */
  async cutReplication(master: TestRedis): Promise<void> {
    for (const { port } of this.others(master))
      await command(port, 'CONFIG', 'SET', 'masteruser', 'nobody', 'masterauth', 'x');
    await command(master.port, 'CLIENT', 'KILL', 'TYPE', 'replica');
  }

  /** Lets them follow again. */
  mendReplication(): Promise<void> {
    return this.configure('masteruser', '', 'masterauth', '');
  }

  /** Sets options of all servers that live, name and value in turn. */
  async configure(...options: string[]): Promise<void> {
    for (const { port } of await this.#alive([...this.#servers.values()])) {
      await eventually(() => command(port, 'CONFIG', 'SET', ...options));
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.#servers.values()].map((server) => server.stop()));
  }

  async #startServer(replicaOf: number | undefined, port?: number): Promise<TestRedis> {
    const follow = replicaOf === undefined ? [] : ['--replicaof', '127.0.0.1', String(replicaOf)];
    const server = await startRedis(port, [...this.#options, ...follow]);
    this.#servers.set(server.port, server);
    return server;
  }

  async #alive(servers: readonly TestRedis[]): Promise<TestRedis[]> {
    const answers = await Promise.all(
      servers.map(({ port }) =>
        command(port, 'PING').then(
          () => true,
          () => false,
        ),
      ),
    );
    return servers.filter((_, i) => answers[i]);
  }
}

/** Tries until it does not throw. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await delay(50);
  }
}

/** How long a server may take to answer before it is away, ms. */
const ANSWER_MS = 3000;

/** One command over a connection of its own. @throws {Error} it is refused, or the server is away */
export async function command(port: number, ...args: string[]): Promise<unknown> {
  const client = createClient({
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    socket: { host: '127.0.0.1', port, connectTimeout: ANSWER_MS, reconnectStrategy: false },
    commandOptions: { timeout: ANSWER_MS },
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.sendCommand(args);
  } finally {
    client.destroy();
  }
}

/** Name and value in turn, as a record. */
function record(flat: unknown): Record<string, string> {
  const list = flat as string[];
  return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1] ?? '']] : [])));
}
