import { type AmiClient, AmiError, mixMonitor, muteMixMonitor, stopMixMonitor } from '../ami/index.ts';
import { type AriClient, AriError, hasStatus } from '../ari/index.ts';
import type { Command, RecordingCommand } from '../calls/command.ts';
import type { Fact } from '../calls/input.ts';
import type { CallID } from '../cti/ids.ts';
import type { CommandFailed } from './performer.ts';

/** Whether a command is one of a recording. */
export const isRecordingCommand = (command: Command): command is RecordingCommand => command.do.endsWith('-recording');

type StartRecording = Extract<RecordingCommand, { do: 'start-recording' }>;

/** What one node can do for a recording. Every method rejects with an AmiError or AriError. */
export interface RecordingNode {
  /** Writes both directions of a channel to a file, at its end if there is one. */
  start(channel: string, name: string): Promise<void>;
  stop(channel: string): Promise<void>;
  /** Silence instead of what is said, or no longer. */
  silence(channel: string, silent: boolean): Promise<void>;
  /** Whether there is a file. */
  exists(name: string): Promise<boolean>;
}

/** Ms between two tries of what a lost connection to Asterisk kept from being done. */
const RETRY_MS = [100, 300, 1_000, 2_000, 5_000] as const;
/** Ms between two looks for the file: Asterisk says that it records before it has tried to open one. */
const CHECK_MS = [30, 100, 300, 1_000, 3_000, 8_000] as const;

/**
 * Ms between the end of a recording and its renewal: Asterisk forgets what it holds for a channel's recordings with the
 * first packet that comes or goes while there is none, and packets come every 20 ms.
 */
const RENEW_MS = 60;

/** One channel's recording commands, in order. */
interface Line {
  readonly commands: RecordingCommand[];
  /** Aborted when the channel has ended: nothing need be tried any more. */
  readonly gone: AbortController;
  /** The next look for the file. */
  check?: { readonly name: string; readonly timer: NodeJS.Timeout };
}

/**
 * Carries out the recording commands of a node's channels: in order for each channel, and apart from the commands that
 * make up the sound, so that nobody waits for a recording to hear the other.
 */
export class Recorder {
  readonly #node: RecordingNode;
  readonly #tell: (fact: Fact) => void;
  readonly #failed: CommandFailed;
  readonly #gate: () => Promise<void> | undefined;
  readonly #lines = new Map<string, Line>();

  /** @param gate asked before each try: where it answers a promise, that is waited for */
  constructor(
    node: RecordingNode,
    tell: (fact: Fact) => void,
    failed: CommandFailed,
    gate: () => Promise<void> | undefined = () => undefined,
  ) {
    this.#node = node;
    this.#tell = tell;
    this.#failed = failed;
    this.#gate = gate;
  }

  /** Channels with commands under way, or whose file has yet to be seen. */
  get busy(): number {
    return this.#lines.size;
  }

  perform(callID: CallID, command: RecordingCommand): void {
    let line = this.#lines.get(command.channel);
    if (!line) {
      line = { commands: [], gone: new AbortController() };
      this.#lines.set(command.channel, line);
    }
    line.commands.push(command);
    if (line.commands.length === 1) void this.#run(callID, command.channel, line);
  }

  /** The channel has ended, and with it its recording. */
  ended(channel: string): void {
    const line = this.#lines.get(channel);
    if (!line) return;
    clearTimeout(line.check?.timer);
    line.gone.abort();
    this.#lines.delete(channel);
  }

  close(): void {
    for (const channel of [...this.#lines.keys()]) this.ended(channel);
  }

  async #run(callID: CallID, channel: string, line: Line): Promise<void> {
    for (;;) {
      const [command] = line.commands;
      if (!command || line.gone.signal.aborted) break;
      try {
        await this.#carryOut(callID, command, line);
      } catch (error) {
        if (!line.gone.signal.aborted) await this.#giveUp(callID, command, error, line);
      }
      line.commands.shift();
    }
    this.#forget(channel, line);
  }

  async #carryOut(callID: CallID, command: RecordingCommand, line: Line): Promise<void> {
    const { channel } = command;
    const { signal } = line.gone;
    switch (command.do) {
      case 'start-recording':
        // Two recordings into one file would spoil it: what may run already, from before a restart, ends first.
        await this.#again(async () => {
          await this.#stop(channel);
          await this.#node.start(channel, command.name);
        }, signal);
        this.#checkLater(callID, command, line, 0);
        return;
      case 'renew-recording':
        await this.#again(() => this.#stop(channel), signal);
        await elapse(RENEW_MS, signal);
        await this.#again(() => this.#node.start(channel, command.name), signal);
        return;
      case 'stop-recording':
        await this.#again(() => this.#stop(channel), signal);
        await this.#lastLook(channel, line);
        return;
      case 'pause-recording':
        await this.#again(() => this.#node.silence(channel, true), signal);
        return;
      case 'resume-recording':
        await this.#again(() => this.#node.silence(channel, false), signal);
        return;
    }
  }

  /** Tries until it is done, and not where the channel has been let go meanwhile: another instance may have it. */
  #again(attempt: () => Promise<void>, gone: AbortSignal): Promise<void> {
    return again(async () => {
      await this.#gate();
      gone.throwIfAborted();
      await attempt();
    }, gone);
  }

  /** Stops what a channel records; that nothing was recorded, or that the channel is gone, is as good. */
  async #stop(channel: string): Promise<void> {
    try {
      await this.#node.stop(channel);
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }

  /**
   * Nothing more can be done about a command. A recording that could not be silenced, or not be heard again, must not go
   * on: it is stopped.
   */
  async #giveUp(callID: CallID, command: RecordingCommand, error: unknown, line: Line): Promise<void> {
    const { channel } = command;
    // A channel that has gone meanwhile tells its end itself.
    if (!isNoSuchChannel(error)) this.#failed(callID, command, error);
    if (command.do === 'stop-recording') return;
    clearTimeout(line.check?.timer);
    delete line.check;
    if (command.do !== 'start-recording') {
      await this.#again(() => this.#stop(channel), line.gone.signal).catch((second) => {
        if (!line.gone.signal.aborted) this.#failed(callID, { do: 'stop-recording', channel }, second);
      });
    }
    this.#tell({
      kind: 'recording-failed',
      channel,
      ...(command.do === 'start-recording' && { nothingWritten: true }),
    });
  }

  /** Looks for the file: only what is there is said to be recorded, and a full or missing disk is found out. */
  #checkLater(callID: CallID, command: StartRecording, line: Line, n: number): void {
    line.check = {
      name: command.name,
      timer: setTimeout(() => {
        delete line.check;
        void this.#check(callID, command, line, n);
      }, CHECK_MS[n]),
    };
  }

  async #check(callID: CallID, command: StartRecording, line: Line, n: number): Promise<void> {
    const { channel, name } = command;
    const last = n + 1 >= CHECK_MS.length;
    // Where Asterisk cannot be asked to the last, the recording is taken for there: it said that it records.
    const there = await this.#node.exists(name).catch(() => last);
    if (line.gone.signal.aborted) return;
    if (there) this.#tell({ kind: 'recording-started', channel });
    else if (!last) this.#checkLater(callID, command, line, n + 1);
    else await this.#noFile(callID, command);
    this.#forget(channel, line);
  }

  async #noFile(callID: CallID, command: StartRecording): Promise<void> {
    const { channel } = command;
    this.#failed(callID, command, new Error('Asterisk says that it records, and there is no file'));
    await this.#stop(channel).catch((error: unknown) => {
      this.#failed(callID, { do: 'stop-recording', channel }, error);
    });
    this.#tell({ kind: 'recording-failed', channel, nothingWritten: true });
  }

  /** After a stop nothing more comes: what is there now is what was recorded. */
  async #lastLook(channel: string, line: Line): Promise<void> {
    if (line.check === undefined) return;
    const { name, timer } = line.check;
    clearTimeout(timer);
    delete line.check;
    const there = await this.#node.exists(name).catch(() => true);
    if (there) this.#tell({ kind: 'recording-started', channel });
  }

  /** A channel that nothing is to be done about any more. */
  #forget(channel: string, line: Line): void {
    const idle = line.commands.length === 0 && line.check === undefined;
    if (idle && this.#lines.get(channel) === line) this.#lines.delete(channel);
  }
}

/** Tries until it is done, or has been refused, or the channel is gone, or there is no point in going on. */
async function again(attempt: () => Promise<void>, gone: AbortSignal): Promise<void> {
  for (const wait of RETRY_MS) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!((error instanceof AmiError || error instanceof AriError) && error.retryable)) throw error;
    }
    await elapse(wait, gone);
  }
  await attempt();
}

/** Waits. @throws the signal's reason once it is aborted */
function elapse(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}

const isRefused = (error: unknown): boolean => error instanceof AmiError && error.code === 'refused';

const isNoSuchChannel = (error: unknown): boolean =>
  error instanceof AmiError && error.response?.get('Message') === 'No such channel';

/** Format of what Asterisk writes: see {@link asteriskRecordings}. */
const EXTENSION = 'raw';

/**
 * Recording by MixMonitor, which stays with a channel through all bridges, unlike a recording of ARI's. Its option `D`
 * writes both directions side by side, left what comes from the channel, right what goes to it, as signed 16-bit samples
 * at 8000 Hz without a header; `a` appends. The files are put where ARI can serve them: no disk need be shared.
 * (All seen on 22.10.1: a direction in which nothing comes is silence, as is what is muted.)
 */
export function asteriskRecordings(ami: AmiClient, ari: AriClient): RecordingNode {
  let spool: Promise<string> | undefined;
  const folder = async (): Promise<string> => {
    spool ??= ari.asterisk.getVariable('ASTSPOOLDIR');
    try {
      return `${await spool}/recording`;
    } catch (error) {
      spool = undefined;
      throw error;
    }
  };
  return {
    async start(channel, name) {
      await mixMonitor(ami, channel, { file: `${await folder()}/${name}.${EXTENSION}`, options: 'aD' });
    },
    stop: (channel) => stopMixMonitor(ami, channel),
    silence: (channel, silent) => muteMixMonitor(ami, channel, 'both', silent),
    async exists(name) {
      try {
        await ari.recordings.getStored(name);
        return true;
      } catch (error) {
        if (hasStatus(error, 404)) return false;
        throw error;
      }
    },
  };
}
