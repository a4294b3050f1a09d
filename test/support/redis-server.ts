import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A Redis of the tests' own: on loopback, with nothing on disk that outlives it. */
export interface TestRedis {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends the server and waits until it has ended; its data is gone. Harmless when repeated. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis and waits until it serves.
 *
 * @param port the port to listen on; a free one by default
 * @param more options of redis-server
 * @throws {Error} redis-server is not installed, or it ended before it served
 */
export function startRedis(port?: number, more: readonly string[] = []): Promise<TestRedis> {
  return start(port, 'Ready to accept connections', (chosen, dir) => [
    ...['--port', String(chosen), '--bind', '127.0.0.1', '--dir', dir],
    ...['--save', '', '--appendonly', 'no'],
    ...more,
  ]);
}

/**
 * Starts a sentinel and waits until it serves.
 *
 * @param config what its file says beside port and folder; it rewrites the file itself
 * @param port the port to listen on; a free one by default
 */
export function startSentinel(config: readonly string[], port?: number): Promise<TestRedis> {
  return start(port, 'Sentinel ID is', (chosen, dir) => {
    const file = join(dir, 'sentinel.conf');
    writeFileSync(file, [`port ${chosen}`, 'bind 127.0.0.1', `dir ${dir}`, ...config, ''].join('\n'), { mode: 0o600 });
    return [file, '--sentinel'];
  });
}

async function start(
  port: number | undefined,
  ready: string,
  argsFor: (port: number, dir: string) => string[],
): Promise<TestRedis> {
  const chosen = port ?? (await freePort());
  const dir = await mkdtemp(join(tmpdir(), 'ringmaster-redis-'));
  const server = spawn('redis-server', argsFor(chosen, dir), { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => {
    server.once('exit', () => resolve());
    server.once('error', () => resolve());
  });
  try {
    await serving(server, ready);
  } catch (error) {
    server.kill('SIGKILL');
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${chosen}`,
    port: chosen,
    pid: server.pid ?? 0,
    async stop() {
      server.kill('SIGKILL');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function serving(server: ChildProcess, ready: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
      if (said.includes(ready)) resolve();
    };
    server.stdout?.on('data', hear);
    server.stderr?.on('data', hear);
    server.once('error', (error) => reject(new Error(`redis-server cannot be started: ${error.message}`)));
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code} before it served:\n${said}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address && typeof address === 'object') resolve(address.port);
        else reject(new Error('no free port'));
      });
    });
  });
}
