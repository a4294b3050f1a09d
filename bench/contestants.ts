import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchLab, RingmasterPlace } from './bench-lab.ts';
import { build } from './built.ts';
import { Child } from './child-process.ts';
import { RingmasterClient } from './contestants/ringmaster.ts';
import { type BenchOptions, UsageError } from './options.ts';
import { closedLoop, type RoundPlan, type RoundResult } from './round.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Milliseconds that a round may take for each of its calls before it is given up, and at least. */
const PATIENCE_MS = { perCall: 200, least: 30_000 };

const patience = (plan: RoundPlan): number => Math.max(PATIENCE_MS.least, plan.calls * PATIENCE_MS.perCall);

/** One way to make two-leg calls. */
export interface Contestant {
  readonly name: string;
  readonly what: string;
  run(plan: RoundPlan): Promise<RoundResult>;
  close(): Promise<void>;
}

/** A script that makes the calls in its own process. */
class Script implements Contestant {
  readonly name: string;
  readonly what: string;
  readonly #child: Child;

  constructor(name: string, what: string, child: Child) {
    this.name = name;
    this.what = what;
    this.#child = child;
  }

  async run(plan: RoundPlan): Promise<RoundResult> {
    const answer = await this.#child.ask({ do: 'run', plan }, patience(plan));
    if (answer.is !== 'done') throw new Error(`${this.name} answered out of turn`);
    return answer.result;
  }

  close(): Promise<void> {
    return this.#child.end();
  }
}

/** Ringmaster in its own process, asked by a client in this one: the CPU is the service's alone. */
export class RingmasterContestant implements Contestant {
  readonly name: string;
  readonly what: string;
  readonly client: RingmasterClient;
  readonly #child: Child;

  constructor(name: string, what: string, child: Child, client: RingmasterClient) {
    this.name = name;
    this.what = what;
    this.#child = child;
    this.client = client;
  }

  async run(plan: RoundPlan): Promise<RoundResult> {
    const before = await this.#cpu();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), patience(plan));
    try {
      const made = await Promise.race([
        closedLoop(plan, (_, slot) => this.client.call(slot)),
        new Promise<never>((_, reject) => {
          late.signal.onabort = () => reject(new Error('ringmaster: a round did not come to its end'));
        }),
      ]);
      return { ...made, cpuMs: (await this.#cpu()) - before };
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.#child.end();
  }

  async #cpu(): Promise<number> {
    const answer = await this.#child.ask({ do: 'cpu' }, 10_000);
    if (answer.is !== 'cpu') throw new Error('ringmaster answered out of turn');
    return answer.ms;
  }
}

const SCRIPTS: Readonly<Record<string, string>> = {
  'ari-client': 'bare script on ari-client 2.2.0',
  'undici-ws': 'bare script on undici and ws',
  ami: 'AMI Originate into dialplan Dial(), no controller',
};
/** Every contestant, in the order of the table; a baseline comes with its option alone. */
export const NAMES: readonly string[] = ['ringmaster', ...Object.keys(SCRIPTS)];
const BASELINE = 'baseline';

/** Who takes part. @throws UsageError for a name that is none */
export function contestantNames({ only, baseline }: BenchOptions): readonly string[] {
  const unknown = (only ?? []).filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) throw new UsageError(`there is no contestant ${unknown.join(', ')}`);
  return [...(only ?? NAMES), ...(baseline === undefined ? [] : [BASELINE])];
}

/** Starts a contestant's process. @throws Error with the end of its log */
export async function startContestant(name: string, at: BenchLab, options: BenchOptions): Promise<Contestant> {
  const folder = at.lab.file.dir;
  const what = SCRIPTS[name];
  if (what !== undefined) {
    const script = join(ROOT, 'bench', 'contestants', `${name}.ts`);
    const surroundings = { ...at.surroundings, config: '' };
    return new Script(name, what, await Child.start(name, script, surroundings, folder, ['--import', 'tsx']));
  }
  const checkout = name === BASELINE ? resolve(options.baseline ?? ROOT) : ROOT;
  const service = await build(checkout, join(folder, `built-${name}`));
  if (name === BASELINE) {
    return startRingmaster(name, `Ringmaster of ${options.baseline}`, service, at, at.baseline, []);
  }
  const { profile } = options;
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const all = 'Ringmaster: RPC, Redis, event log and one subscriber';
  return startRingmaster(name, all, service, at, at.ringmaster, flags);
}

async function startRingmaster(
  name: string,
  what: string,
  service: string,
  at: BenchLab,
  { config, ws }: RingmasterPlace,
  flags: readonly string[],
): Promise<Contestant> {
  const child = await Child.start(name, service, { ...at.surroundings, config }, at.lab.file.dir, flags);
  try {
    return new RingmasterContestant(name, what, child, await RingmasterClient.open(ws, at.key));
  } catch (error) {
    await child.end();
    throw error;
  }
}
