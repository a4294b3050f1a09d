import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A process of the lab that outlives the command that started it, known by its pid file. */
export interface Daemon {
  /** For messages: `Asterisk`, `Redis`, `the phones`. */
  readonly name: string;
  readonly pidFile: string;
  /** A part of the command line that only this process has: a pid alone may by now be somebody else's. */
  readonly marker: string;
}

/** The pid of the daemon if it runs. */
export function runningPid(daemon: Daemon): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(daemon.pidFile, 'utf8'));
  } catch {
    return undefined; // no pid file: it was never started, or was stopped in order
  }
  return Number.isInteger(pid) && pid > 1 && isProcess(pid, daemon.marker) ? pid : undefined;
}

function isProcess(pid: number, marker: string): boolean {
  try {
    // A process that has ended but was not yet reaped has an empty command line.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(marker);
  } catch {
    return false; // gone
  }
}

/**
 * Starts a daemon in a session of its own, with its output appended to a log file.
 * @returns its pid, and a promise that rejects should it end while someone still waits for it to become ready
 * @throws Error if the command cannot be started
 */
export async function startDaemon(
  daemon: Daemon,
  command: readonly [string, ...string[]],
  options: { log: string; cwd?: string; env?: NodeJS.ProcessEnv },
): Promise<{ pid: number; ended: Promise<never> }> {
  mkdirSync(dirname(options.log), { recursive: true });
  mkdirSync(dirname(daemon.pidFile), { recursive: true });
  const log = openSync(options.log, 'a', 0o600);
  const [file, ...args] = command;
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', log, log],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
  });
  closeSync(log);
  const ended = new Promise<never>((_, reject) => {
    child.once('error', (cause) => reject(new Error(`${daemon.name} cannot be started: ${cause.message}`, { cause })));
    child.once('exit', (code, signal) =>
      reject(new Error(`${daemon.name} ended with ${signal ?? code} while it started:\n${tail(options.log)}`)),
    );
  });
  ended.catch(() => {}); // the promise matters only to whoever waits for readiness
  if (child.pid === undefined) return await ended;
  writeFileSync(daemon.pidFile, `${child.pid}\n`, { mode: 0o600 });
  child.unref();
  return { pid: child.pid, ended };
}

/**
 * Ends a daemon: asks, waits, then kills. Does nothing if it does not run.
 * @param grace how long to wait after the first signal, milliseconds
 */
export async function stopDaemon(
  daemon: Daemon,
  { signal = 'SIGTERM' as NodeJS.Signals, grace = 5000 } = {},
): Promise<void> {
  const pid = runningPid(daemon);
  if (pid !== undefined) {
    kill(pid, signal);
    if (!(await gone(pid, daemon.marker, grace))) {
      kill(pid, 'SIGKILL');
      if (!(await gone(pid, daemon.marker, 5000))) throw new Error(`${daemon.name} (pid ${pid}) does not end`);
    }
  }
  rmSync(daemon.pidFile, { force: true });
}

/** Not our child as a rule, so the kernel tells nobody of its end: look. */
async function gone(pid: number, marker: string, within: number): Promise<boolean> {
  const until = Date.now() + within;
  while (isProcess(pid, marker)) {
    if (Date.now() > until) return false;
    await delay(20);
  }
  return true;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // ESRCH: it has just ended by itself
  }
}

/** The last lines of a log file, for an error message. */
export function tail(file: string, lines = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return `(no log at ${file})`;
  }
}

/** What a command wrote to its standard output. @throws Error with its standard error if it fails or takes too long */
export function run(
  command: readonly [string, ...string[]],
  options: { timeout?: number; env?: NodeJS.ProcessEnv; onLine?: (line: string) => void } = {},
): Promise<string> {
  const [file, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.env ?? process.env,
      ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: 'SIGKILL' }),
    });
    let out = '';
    let err = '';
    const take = (chunk: Buffer): string => {
      const text = chunk.toString();
      if (options.onLine) for (const line of text.split('\n')) if (line.trim() !== '') options.onLine(line.trimEnd());
      return text;
    };
    child.stdout.on('data', (chunk: Buffer) => {
      out += take(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err = (err + take(chunk)).slice(-4000);
    });
    child.once('error', (cause) => reject(new Error(`${file}: ${cause.message}`, { cause })));
    child.once('close', (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${file} ended with ${signal ?? code}: ${(err || out).trim()}`));
    });
  });
}
