import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SCENARIO = join(dirname(fileURLToPath(import.meta.url)), 'answers.xml');

/** A SIPp that answers every call at once and waits for its end. */
export class Sipp {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** @param port UDP, on 127.0.0.1 @param folder for whatever it writes @throws Error if it does not come up */
  static async start(port: number, folder: string): Promise<Sipp> {
    const args = ['-sf', SCENARIO, '-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1', '-nostdin'];
    const child = spawn('sipp', args, { cwd: folder, stdio: 'ignore' });
    // SIPp does not say when it is ready; the kernel knows whether its socket is bound.
    for (const until = Date.now() + 5000; !bound(port); await delay(20)) {
      if (child.exitCode !== null || Date.now() > until) {
        child.kill('SIGKILL');
        throw new Error(`SIPp does not listen on 127.0.0.1:${port}`);
      }
    }
    return new Sipp(child);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL'); // asked politely it waits for its calls
    await ended;
  }
}

function bound(port: number): boolean {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return readFileSync('/proc/net/udp', 'utf8').includes(address);
}
