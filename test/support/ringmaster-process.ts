import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { Lab } from '../../lab/lab.ts';
import { type LogLine, type Settings, testSettings } from './ringmaster.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'src', 'main.ts');
/** How long the process may take to say something that is waited for, ms. */
const PATIENCE_MS = 20_000;

/** How a process ended, and what it wrote. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The product's own command, as a process of its own, with a configuration for the lab. */
export class RingmasterProcess {
  readonly prefix: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #lines: string[] = [];
  readonly #ended: Promise<Outcome>;
  readonly #waiting = new Set<() => void>();
  #stderr = '';

  /**
   * Starts it.
   *
   * @param args beside `--config`
   * @param node options of Node itself, such as `--expose-gc`
   */
  constructor(
    lab: Lab,
    options: {
      readonly change?: (settings: Settings) => void;
      readonly args?: readonly string[];
      readonly node?: readonly string[];
      /** The configuration as text, in place of the lab's. */
      readonly text?: string;
      /** Of its Redis keys: that of an earlier one, to go on where it left off. */
      readonly prefix?: string;
      /** The program; the source by default. One that was built needs nothing but Node. */
      readonly main?: string | undefined;
      /** Beside this process's own. */
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ) {
    this.prefix = options.prefix ?? `t${randomBytes(6).toString('hex')}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'ringmaster-test-'));
    const config = join(this.#folder, 'ringmaster.yaml');
    const settings = testSettings(lab, this.prefix, options.change ?? (() => {}));
    writeFileSync(config, options.text ?? stringify(settings), { mode: 0o600 });
    const program = options.main === undefined ? ['--import', 'tsx', MAIN] : [options.main];
    const args = [...(options.node ?? []), ...program, '--config', config, ...(options.args ?? [])];
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    child.stderr.on('data', (data) => {
      this.#stderr += String(data);
    });
    this.#ended = once(child, 'close').then(([code]) => {
      rmSync(this.#folder, { recursive: true, force: true });
      this.#wake();
      return { code: code as number | null, stdout: this.#lines.join('\n'), stderr: this.#stderr };
    });
  }

  /** Everything that it has logged so far. */
  get log(): LogLine[] {
    return parsed(this.#lines);
  }

  /** Waits for a line of its log. @throws Error with all that it wrote, if it ends or the time is over before */
  logged(msg: string): Promise<LogLine> {
    return this.#logged(msg, 0);
  }

  /** Waits for a line of its log that comes from now on. */
  nextLogged(msg: string): Promise<LogLine> {
    return this.#logged(msg, this.#lines.length);
  }

  async #logged(msg: string, from: number): Promise<LogLine> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`'${msg}' was not logged: ${this.#said()}`)), PATIENCE_MS);
    });
    try {
      for (;;) {
        const found = parsed(this.#lines.slice(from)).find((line) => line.msg === msg);
        if (found) return found;
        if (this.#child.exitCode !== null) throw new Error(`it ended without '${msg}': ${this.#said()}`);
        const next = new Promise<void>((resolve) => this.#waiting.add(resolve));
        await Promise.race([next, late]);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until it serves. @returns where */
  async listening(): Promise<{ http: string; ws: string }> {
    const { host, port } = await this.logged('Ringmaster is listening');
    return { http: `http://${host}:${port}`, ws: `ws://${host}:${port}/rpc` };
  }

  /** It has not ended. */
  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  ended(): Promise<Outcome> {
    return this.#ended;
  }

  /** Ends it at once, if it still runs. */
  async stop(): Promise<void> {
    if (this.running) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #said(): string {
    return `${this.#lines.join('\n')}\n${this.#stderr}`;
  }
}

function parsed(lines: readonly string[]): LogLine[] {
  return lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
}
