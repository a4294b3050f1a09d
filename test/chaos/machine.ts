import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import type { Lab } from '../../lab/lab.ts';
import type { Settings } from '../support/ringmaster.ts';
import { type Outcome, RingmasterProcess } from '../support/ringmaster-process.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** Log lines that are kept of the processes that have ended. */
const KEPT_LINES = 20_000;
/** How long `/readyz` may take to answer, ms. */
const READY_MS = 2_000;

/** What a machine needs to run the product. */
export interface MachineOptions {
  readonly name: string;
  readonly lab: Lab;
  /** Where it is asked. */
  readonly port: number;
  /** Of the Redis keys. */
  readonly prefix: string;
  readonly configure: (settings: Settings) => void;
}

/**
 * A machine that runs the product: one process at a time, and a network of its own to Redis and Asterisk, so that one
 * machine can be cut off while another is not.
 */
export class Machine {
  readonly name: string;
  readonly redis: TcpProxy;
  readonly ari: TcpProxy;
  readonly ami: TcpProxy;
  /** It runs, and cannot serve: stopped, or cut off. Whoever has a choice asks another one. */
  away = false;
  /** It runs and answers, and does not reach Asterisk: another one must have its calls. */
  deaf = false;
  readonly #options: MachineOptions;
  readonly #orders = join(mkdtempSync(join(tmpdir(), 'ringmaster-chaos-')), 'orders');
  readonly #logs: string[] = [];
  #process: RingmasterProcess | undefined;

  private constructor(options: MachineOptions, redis: TcpProxy, ari: TcpProxy, ami: TcpProxy) {
    this.name = options.name;
    this.#options = options;
    this.redis = redis;
    this.ari = ari;
    this.ami = ami;
  }

  /** A machine with its network; nothing runs on it yet. */
  static async open(options: MachineOptions): Promise<Machine> {
    const { redis, asterisk } = options.lab.file;
    const to = ({ hostname, port }: URL): Promise<TcpProxy> => TcpProxy.start(hostname, Number(port));
    const [redisProxy, ariProxy, amiProxy] = await Promise.all([
      to(new URL(redis.url)),
      to(new URL(asterisk.ari.url)),
      TcpProxy.start(asterisk.ami.host, asterisk.ami.port),
    ]);
    return new Machine(options, redisProxy, ariProxy, amiProxy);
  }

  get base(): string {
    return `http://127.0.0.1:${this.#options.port}`;
  }

  /** The process that runs. @throws Error where none was ever started */
  get process(): RingmasterProcess {
    if (!this.#process) throw new Error(`nothing runs on machine ${this.name}`);
    return this.#process;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  /** It runs, and is expected to answer. */
  get there(): boolean {
    return this.running && !this.away;
  }

  /** What its processes have logged, with the machine's name. */
  get logs(): readonly string[] {
    return [...this.#logs, ...this.#said()];
  }

  #said(): string[] {
    return (this.#process?.log ?? []).map((line) => JSON.stringify({ machine: this.name, ...line }));
  }

  /** Starts the product, where the earlier process has ended. */
  start(): void {
    this.#logs.push(...this.#said());
    this.#logs.splice(0, Math.max(0, this.#logs.length - KEPT_LINES));
    writeFileSync(this.#orders, '');
    const { lab, prefix, port, name, configure } = this.#options;
    this.#process = new RingmasterProcess(lab, {
      prefix,
      change: (settings) => {
        configure(settings);
        settings.listen = `127.0.0.1:${port}`;
        settings.redis.url = `redis://127.0.0.1:${this.redis.port}/0`;
        settings['cluster'] = { ...(settings['cluster'] as object | undefined), instance: name };
        for (const node of settings.nodes) {
          node.ari.url = `http://127.0.0.1:${this.ari.port}/ari`;
          node.ami.host = '127.0.0.1';
          node.ami.port = this.ami.port;
        }
      },
      main: process.env['RINGMASTER_CHAOS_MAIN'],
      env: { NODE_ENV: 'test', RINGMASTER_FAULTS: this.#orders },
    });
  }

  /** Tells the process what is to go wrong (src/faults.ts). */
  order(orders: string): void {
    writeFileSync(this.#orders, orders);
    this.process.kill('SIGUSR2');
  }

  /** Ends the process by a signal. @returns how it ended, once it has */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<Outcome> {
    this.process.kill(signal);
    return this.process.ended();
  }

  /** Takes back whatever was broken here, but for a process that has ended. */
  mend(): void {
    for (const network of [this.redis, this.ari, this.ami]) {
      network.unblock();
      network.thaw();
    }
    if (this.running) this.signal('SIGCONT');
    this.away = false;
    this.deaf = false;
  }

  /** What the process stands still by, and goes on by. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.process.kill(signal);
  }

  /** Whether it says that it is ready. */
  async isReady(): Promise<boolean> {
    const answer = await request(`${this.base}/readyz`, { signal: AbortSignal.timeout(READY_MS) }).catch(
      () => undefined,
    );
    await answer?.body.dump();
    return answer?.statusCode === 200;
  }

  /** What it counts; the sum where a metric has labels. @throws Error where it does not answer */
  async metrics(): Promise<(name: string) => number> {
    const text = await (await request(`${this.base}/metrics`, { signal: AbortSignal.timeout(READY_MS) })).body.text();
    const lines = text.split('\n');
    return (name) =>
      lines
        .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async close(): Promise<void> {
    await this.#process?.stop();
    await Promise.all([this.redis.stop(), this.ari.stop(), this.ami.stop()]);
    rmSync(join(this.#orders, '..'), { recursive: true, force: true });
  }
}
