import { mkdirSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { needPrograms, type Progress } from './packages.ts';
import { type Daemon, runningPid, startDaemon, stopDaemon } from './process.ts';

/** A Redis of the lab's own: loopback only, and nothing kept on disk unless asked for. */
export class LabRedis {
  readonly #daemon: Daemon;
  readonly #folder: string;
  readonly #port: number;
  readonly #appendOnly: boolean;

  /** @param options.appendOnly keep every write on disk, so that a restart finds it again */
  constructor(runDir: string, port: number, { appendOnly = false } = {}) {
    this.#folder = join(runDir, 'redis');
    this.#port = port;
    this.#appendOnly = appendOnly;
    // Redis rewrites its own title to this.
    this.#daemon = { name: 'Redis', pidFile: join(runDir, 'redis.pid'), marker: `127.0.0.1:${port}` };
  }

  get pid(): number | undefined {
    return runningPid(this.#daemon);
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}/0`;
  }

  /** Starts it if it does not run, and waits until it answers. */
  async start(progress: Progress): Promise<number> {
    await needPrograms(['redis-server'], progress);
    const running = this.pid;
    if (running !== undefined) return running;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const { pid, ended } = await startDaemon(
      this.#daemon,
      [
        'redis-server',
        ...['--bind', '127.0.0.1', '--port', String(this.#port), '--dir', this.#folder, '--daemonize', 'no'],
        ...['--save', '', '--appendonly', this.#appendOnly ? 'yes' : 'no', '--appendfsync', 'everysec'],
        ...['--maxmemory-policy', 'noeviction', '--proc-title-template', '{title} {listen-addr}'],
      ],
      { log: join(this.#folder, 'redis.log') },
    );
    const until = Date.now() + 15_000;
    while (!(await Promise.race([ended, this.#answers()]))) {
      if (Date.now() > until) throw new Error(`Redis does not answer on 127.0.0.1:${this.#port}`);
      await delay(50);
    }
    return pid;
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = createConnection({ host: '127.0.0.1', port: this.#port }, () => socket.write('PING\r\n'));
      socket.setTimeout(1000, () => socket.destroy());
      socket.once('data', (data) => {
        resolve(data.toString().startsWith('+PONG'));
        socket.destroy();
      });
      socket.once('error', () => resolve(false)); // not listening yet
      socket.once('close', () => resolve(false));
    });
  }

  stop(): Promise<void> {
    return stopDaemon(this.#daemon);
  }

  kill(): Promise<void> {
    return stopDaemon(this.#daemon, { signal: 'SIGKILL' });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
