import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './options.ts';
import { median } from './statistics.ts';

const RESULTS = join(dirname(fileURLToPath(import.meta.url)), 'results');
/** What the marks are set against. */
const PEER = 'ari-client';

/** One counted round of one contestant. Times in ms. */
export interface RoundFigures {
  readonly callsPerSecond: number;
  readonly cpuPerCall: number;
  readonly asteriskCpuPerCall: number;
  readonly redisCpuPerCall: number;
  readonly setUpP50: number;
  readonly setUpP99: number;
  readonly answerToBridgeP50: number;
  readonly answerToBridgeP99: number;
}

/** Of one round that measured the way of an event, ms. */
export interface EventFigures {
  readonly subscriberP50: number;
  readonly subscriberP99: number;
  readonly bareSocketP50: number;
  readonly bareSocketP99: number;
}

export interface Results {
  readonly date: string;
  readonly asterisk: string;
  readonly options: BenchOptions;
  readonly contestants: readonly { readonly name: string; readonly what: string; readonly rounds: RoundFigures[] }[];
  readonly events: readonly EventFigures[];
  /** Of Ringmaster, for one call. */
  readonly perCall: { readonly restRequests: number; readonly redisScripts: number } | undefined;
}

type Row = Results['contestants'][number];

const middle = <F extends string>(rounds: readonly Readonly<Record<F, number>>[], field: F): number =>
  median(rounds.map((round) => round[field]));

/** The median of the ratios within each round: what disturbs a round disturbs both sides of its ratio. */
function ratio(row: Row, peer: Row | undefined, field: keyof RoundFigures): number {
  const ratios = row.rounds.flatMap((round, i) => {
    const other = peer?.rounds[i];
    return other ? [round[field] / other[field]] : [];
  });
  return median(ratios);
}

const fixed = (n: number, digits = 0): string => (Number.isFinite(n) ? n.toFixed(digits) : '–');

/** The results as Markdown. */
export function report(results: Results): string {
  const { options, contestants, events } = results;
  const peer = contestants.find((one) => one.name === PEER);
  const lines = [
    `# Two-leg calls, ${results.date}`,
    '',
    `Asterisk ${results.asterisk}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}; everything on this one machine.`,
    `${options.calls} calls a round, ${options.concurrency} at once; medians of ${options.rounds} rounds, taken in turn. Ratios are medians of the ratios`,
    `within each round, to the script on ${PEER}.`,
    '',
    `| | calls/s (lowest–highest) | × ${PEER} | CPU per call, ms | × ${PEER} | set-up p50 / p99, ms | answer to bridge p50 / p99, ms | Asterisk's CPU per call, ms |`,
    '|---|---|---|---|---|---|---|---|',
  ];
  for (const row of contestants) {
    const { rounds } = row;
    const rates = rounds.map((round) => round.callsPerSecond);
    lines.push(
      `| ${row.what} | ${fixed(median(rates))} (${fixed(Math.min(...rates))}–${fixed(Math.max(...rates))}) ` +
        `| ${fixed(ratio(row, peer, 'callsPerSecond'), 2)} | ${fixed(middle(rounds, 'cpuPerCall'), 2)} ` +
        `| ${fixed(ratio(row, peer, 'cpuPerCall'), 2)} ` +
        `| ${fixed(middle(rounds, 'setUpP50'))} / ${fixed(middle(rounds, 'setUpP99'))} ` +
        `| ${fixed(middle(rounds, 'answerToBridgeP50'))} / ${fixed(middle(rounds, 'answerToBridgeP99'))} ` +
        `| ${fixed(middle(rounds, 'asteriskCpuPerCall'), 1)} |`,
    );
  }
  const ours = contestants.find((one) => one.name === 'ringmaster');
  if (ours && events.length > 0) {
    lines.push(
      '',
      `From Asterisk's event to Ringmaster's subscriber, at ${options.rate} calls a second: p50 ${fixed(middle(events, 'subscriberP50'), 1)} ms, ` +
        `p99 ${fixed(middle(events, 'subscriberP99'), 1)} ms.`,
      `The same events on a bare socket: p50 ${fixed(middle(events, 'bareSocketP50'), 1)} ms, p99 ${fixed(middle(events, 'bareSocketP99'), 1)} ms.`,
    );
  }
  if (ours && results.perCall) {
    lines.push(
      `For one call Ringmaster sends ${fixed(results.perCall.restRequests, 1)} REST requests and runs ` +
        `${fixed(results.perCall.redisScripts, 1)} scripts in Redis, whose CPU per call is ${fixed(middle(ours.rounds, 'redisCpuPerCall'), 2)} ms.`,
    );
  }
  if (ours && peer) lines.push('', ...marks(ours, peer));
  return `${lines.join('\n')}\n`;
}

function marks(ours: Row, peer: Row): string[] {
  const speed = ratio(ours, peer, 'callsPerSecond');
  const cpu = ratio(ours, peer, 'cpuPerCall');
  return [
    `Marks: calls a second at least those of the script on ${PEER}: ${speed >= 1 ? 'reached' : 'missed'} (${fixed(speed, 2)}); ` +
      `CPU per call at most 1.5 times that script's: ${cpu <= 1.5 ? 'reached' : 'missed'} (${fixed(cpu, 2)}).`,
  ];
}

/** Writes the results beside each other as Markdown and JSON. @returns the files */
export function writeResults(results: Results, markdown: string): string[] {
  mkdirSync(RESULTS, { recursive: true });
  const name = join(RESULTS, results.date.replaceAll(':', '-'));
  writeFileSync(`${name}.md`, markdown);
  writeFileSync(`${name}.json`, `${JSON.stringify({ ...results, commit: commit() }, null, 2)}\n`);
  return [`${name}.md`, `${name}.json`];
}

/** The commit that was measured, if this is a checkout. */
function commit(): string | undefined {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: RESULTS, encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
