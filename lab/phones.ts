import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { LabPorts } from './ports.ts';
import { type Daemon, runningPid, stopDaemon, tail } from './process.ts';
import type { LabSecrets } from './secrets.ts';

/** What the process of the standing telephones has to know. */
export const phonesPlan = z.object({
  /** Address of the telephones, and of their SIP server. */
  host: z.string(),
  server: z.string(),
  sip: z.number(),
  agents: z.number(),
  customers: z.number(),
  phonePassword: z.string(),
  carrierPassword: z.string(),
});
export type PhonesPlan = z.infer<typeof phonesPlan>;

/** The plan of a container, from its environment. @throws ZodError naming what is missing */
export function planFromEnvironment(env: NodeJS.ProcessEnv): PhonesPlan {
  return phonesPlan.parse({
    host: env['PHONES_HOST'],
    server: env['PHONES_SERVER'],
    sip: Number(env['PHONES_SIP_PORT'] ?? 5060),
    agents: Number(env['PHONES_AGENTS_PORT'] ?? 15_070),
    customers: Number(env['PHONES_CUSTOMERS_PORT'] ?? 15_080),
    phonePassword: env['PHONE_PASSWORD'],
    carrierPassword: env['CARRIER_PASSWORD'],
  });
}

const MAIN = join(dirname(fileURLToPath(import.meta.url)), 'phones-main.ts');

/** The background process with the standing telephones. */
export class LabPhones {
  readonly #daemon: Daemon;
  readonly #plan: PhonesPlan;
  readonly #planFile: string;
  readonly #log: string;

  constructor(runDir: string, ports: LabPorts, secrets: LabSecrets) {
    this.#planFile = join(runDir, 'phones.json');
    this.#log = join(runDir, 'phones.log');
    this.#daemon = { name: 'the telephones', pidFile: join(runDir, 'phones.pid'), marker: this.#planFile };
    this.#plan = {
      host: '127.0.0.1',
      server: '127.0.0.1',
      sip: ports.sip,
      agents: ports.agents,
      customers: ports.customers,
      phonePassword: secrets.phone,
      carrierPassword: secrets.carrier,
    };
  }

  get pid(): number | undefined {
    return runningPid(this.#daemon);
  }

  /** Starts them if they do not run, and waits until everyone is registered. */
  async start(): Promise<number> {
    const running = this.pid;
    if (running !== undefined) return running;
    mkdirSync(dirname(this.#planFile), { recursive: true, mode: 0o700 });
    writeFileSync(this.#planFile, `${JSON.stringify(this.#plan, null, 2)}\n`, { mode: 0o600 });
    const log = openSync(this.#log, 'a', 0o600);
    const child = spawn(process.execPath, ['--import', 'tsx', MAIN, this.#planFile], {
      cwd: dirname(dirname(MAIN)),
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const { pid } = child;
    if (pid === undefined) throw new Error('the telephones cannot be started');
    writeFileSync(this.#daemon.pidFile, `${pid}\n`, { mode: 0o600 });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the telephones are not ready:\n${tail(this.#log)}`)), 60_000);
      child.once('message', () => {
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`the telephones ended with ${signal ?? code}:\n${tail(this.#log)}`));
      });
    });
    child.unref();
    return pid;
  }

  /** Registers everyone again, after the registrar was restarted. */
  registerAgain(): void {
    const { pid } = this;
    if (pid !== undefined) process.kill(pid, 'SIGHUP');
  }

  stop(): Promise<void> {
    return stopDaemon(this.#daemon);
  }
}
