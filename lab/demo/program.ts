import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { tail } from '../process.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Ringmaster as a user starts it: a process of its own. */
export class Program {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #ended: Promise<number>;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
    this.#ended = once(child, 'exit').then(([code, signal]: unknown[]) => (signal === null ? Number(code) : 1));
  }

  /**
   * Starts it; `ready` tells when it can be used.
   * @param config path of its ringmaster.yaml
   * @param log file that takes its output
   */
  static start(config: string, log: string): Program {
    const out = openSync(log, 'w', 0o600);
    // A process group of its own: Ctrl-C must reach it through us, after the call that it carries.
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'src', 'main.ts'), '--config', config], {
      cwd: root,
      detached: true,
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    return new Program(child, log);
  }

  /** The end of what it has logged. */
  get lastWords(): string {
    return tail(this.#log);
  }

  /**
   * Waits until /readyz says yes.
   * @param base where it listens, `http://host:port`
   * @throws Error with the end of its log if it ends first, or is not ready in 30 s
   */
  async ready(base: string): Promise<void> {
    const url = `${base}/readyz`;
    const until = Date.now() + 30_000;
    while (Date.now() < until) {
      const answer = fetch(url, { signal: AbortSignal.timeout(2000) }).then(
        (response) => (response.ok ? 'ready' : 'not yet'),
        () => 'not yet', // it does not listen yet
      );
      const outcome = await Promise.race([answer, this.#ended.then(() => 'ended')]);
      if (outcome === 'ready') return;
      if (outcome === 'ended') throw new Error(`Ringmaster ended at its start:\n${this.lastWords}`);
      await delay(50);
    }
    throw new Error(`Ringmaster is not ready after 30 s:\n${this.lastWords}`);
  }

  /** Ends it in order, with SIGTERM. @returns its exit code */
  async stop(): Promise<number> {
    this.#child.kill('SIGTERM');
    return await this.#ended;
  }

  /** Ends it at once, if it still runs. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
