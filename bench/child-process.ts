import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { tail } from '../lab/process.ts';
import type { Answer, Order, Surroundings } from './contestants/child.ts';
import { Deferred } from './deferred.ts';

/** A contestant's process: takes one order at a time. */
export class Child {
  readonly #process: ChildProcess;
  #awaited: Deferred<Answer> | undefined;
  #fate: Error | undefined;

  private constructor(name: string, process: ChildProcess, log: string) {
    this.#process = process;
    process.on('message', (message: Answer) => {
      this.#awaited?.resolve(message);
      this.#awaited = undefined;
    });
    process.once('exit', (code, signal) => {
      this.#fate = new Error(`${name} ended with ${signal ?? code}:\n${tail(log)}`);
      this.#awaited?.reject(this.#fate);
    });
  }

  /**
   * @param name for messages and the log @param script of the contestant
   * @param folder for its log @param execArgv further options for Node
   */
  static async start(
    name: string,
    script: string,
    surroundings: Surroundings,
    folder: string,
    execArgv: readonly string[] = [],
  ): Promise<Child> {
    const log = join(folder, `${name}.log`);
    const out = openSync(log, 'w', 0o600);
    const forked = fork(script, [], {
      // Not as an argument: those every user of the machine can read.
      env: { ...process.env, BENCH_SURROUNDINGS: JSON.stringify(surroundings) },
      execArgv: [...execArgv],
      stdio: ['ignore', out, out, 'ipc'],
    });
    closeSync(out);
    const child = new Child(name, forked, log);
    await child.#next(30_000);
    return child;
  }

  /** @param within milliseconds @throws Error if the process ends or says nothing */
  async ask(order: Order, within: number): Promise<Answer> {
    const answer = this.#next(within);
    this.#process.send(order);
    return await answer;
  }

  async end(): Promise<void> {
    if (this.#fate) return;
    const ended = once(this.#process, 'exit');
    this.#process.send({ do: 'end' } satisfies Order);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }

  async #next(within: number): Promise<Answer> {
    if (this.#fate) throw this.#fate;
    const awaited = new Deferred<Answer>();
    this.#awaited = awaited;
    const timer = setTimeout(() => awaited.reject(new Error(`no answer within ${within / 1000} s`)), within);
    try {
      return await awaited.promise;
    } finally {
      clearTimeout(timer);
    }
  }
}
