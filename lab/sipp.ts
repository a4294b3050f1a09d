import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { needPrograms, type Progress } from './packages.ts';

const SCENARIOS = join(dirname(fileURLToPath(import.meta.url)), 'sipp');

export interface SippUasOptions {
  /** UDP port on 127.0.0.1. */
  readonly port: number;
  /** First RTP port of it. */
  readonly mediaPort: number;
  /** SIPp ends by itself after this many seconds, whatever becomes of us. Default 600. */
  readonly seconds?: number;
  /** Folder for its logs. */
  readonly logs: string;
  readonly progress?: Progress;
}

/** A SIPp that answers every call after 100 ms and stays until the BYE: load, where a scripted telephone costs too much. */
export interface SippUas {
  readonly pid: number;
  readonly port: number;
  /** Ends it. @returns when it has ended */
  stop(): Promise<void>;
}

/** Starts one. @throws Error with what SIPp says if it does not come to listen */
export async function startSippUas(options: SippUasOptions): Promise<SippUas> {
  await needPrograms(['sipp'], options.progress ?? (() => {}));
  mkdirSync(options.logs, { recursive: true });
  const child = spawn(
    'sipp',
    [
      ...['-sf', join(SCENARIOS, 'uas.xml'), '-i', '127.0.0.1', '-p', String(options.port)],
      ...['-mi', '127.0.0.1', '-mp', String(options.mediaPort), '-nostdin'],
      ...['-timeout', String(options.seconds ?? 600)],
      // A call that fails is counted; more must not end the whole load.
      ...['-max_retrans', '7', '-default_behaviors', 'all,-abortunexp'],
    ],
    { cwd: options.logs, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, TERM: 'dumb' } },
  );
  const { pid } = child;
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = (said + data.toString()).slice(-2000);
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`sipp ended with ${signal ?? code}: ${said.trim()}`)));
  });
  ended.catch(() => {}); // of interest only until it listens
  const until = Date.now() + 10_000;
  while (!listens(options.port)) {
    if (Date.now() > until) throw new Error(`sipp does not listen on port ${options.port}: ${said.trim()}`);
    await Promise.race([ended, delay(20)]);
  }
  if (pid === undefined) return await ended;
  return { pid, port: options.port, stop: () => stop(child) };
}

/** True if a UDP socket has this port on 127.0.0.1: SIPp says nothing when it is ready. */
function listens(port: number): boolean {
  const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/udp', 'utf8').includes(` ${address} `);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await ended;
  clearTimeout(timer);
}
