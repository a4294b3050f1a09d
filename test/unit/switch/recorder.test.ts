import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AmiError, AmiMessage } from '../../../src/ami/index.ts';
import { AriError } from '../../../src/ari/index.ts';
import type { RecordingCommand } from '../../../src/calls/command.ts';
import type { Fact } from '../../../src/calls/input.ts';
import type { CallID } from '../../../src/cti/ids.ts';
import { Recorder, type RecordingNode } from '../../../src/switch/recorder.ts';

const CALL = '0123456789abcdef0123456789abcdef000' as CallID;
const CHANNEL = `${CALL}-2`;
const NAME = 'ringmaster/acme/ab/abc';
const START: RecordingCommand = { do: 'start-recording', channel: CHANNEL, name: NAME };
const command = (verb: 'stop' | 'pause' | 'resume'): RecordingCommand => ({
  do: `${verb}-recording`,
  channel: CHANNEL,
});

const away = (): AmiError => new AmiError('n', 'MixMonitor', 'not-connected', 'no connection');
const refused = (): AmiError => new AmiError('n', 'StopMixMonitor', 'refused', 'Could not stop monitoring channel');

/** A node that answers what the test says, and notes what it was asked. */
class ScriptedNode implements RecordingNode {
  readonly asked: string[] = [];
  /** Answers of the next requests, by what is asked; the last one stays. */
  readonly answers = new Map<string, (Error | boolean)[]>();

  start = (): Promise<void> => this.#answer('start').then(() => undefined);
  stop = (): Promise<void> => this.#answer('stop').then(() => undefined);
  silence = (_: string, silent: boolean): Promise<void> =>
    this.#answer(silent ? 'silence' : 'sound').then(() => undefined);
  exists = (): Promise<boolean> => this.#answer('exists');

  async #answer(what: string): Promise<boolean> {
    this.asked.push(what);
    const answers = this.answers.get(what) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return answer ?? true;
  }
}

describe('a recorder', () => {
  let node: ScriptedNode;
  let facts: Fact[];
  let failures: string[];
  let recorder: Recorder;

  beforeEach(() => {
    vi.useFakeTimers();
    node = new ScriptedNode();
    facts = [];
    failures = [];
    recorder = new Recorder(
      node,
      (fact) => facts.push(fact),
      (callID, command) => failures.push(`${callID === CALL ? 'this call' : callID}: ${command.do}`),
    );
  });
  afterEach(() => vi.useRealTimers());

  const perform = async (...commands: RecordingCommand[]): Promise<void> => {
    for (const one of commands) recorder.perform(CALL, one);
    await vi.advanceTimersByTimeAsync(0);
  };
  const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  test('ends what may run already, begins, looks for the file, and says so once it is there', async () => {
    node.answers.set('stop', [refused()]);
    node.answers.set('exists', [false, true]);
    await perform(START);
    await later(30);
    expect(node.asked).toEqual(['stop', 'start', 'exists']);
    expect(facts).toEqual([]);
    await later(60_000);
    expect(node.asked).toEqual(['stop', 'start', 'exists', 'exists']);
    expect(facts).toEqual([{ kind: 'recording-started', channel: CHANNEL }]);
    expect([failures, recorder.busy]).toEqual([[], 0]);
  });

  test('tries again where the node’s REST, of which it asks the folder, does not answer', async () => {
    const silent = {
      node: 'n',
      method: 'GET',
      path: '/asterisk/variable',
      kind: 'timeout',
      reason: 'no response',
    } as const;
    node.answers.set('start', [new AriError(silent), true]);
    await perform(START);
    await later(60_000);
    expect(node.asked.filter((a) => a === 'start')).toHaveLength(2);
    expect(facts).toEqual([{ kind: 'recording-started', channel: CHANNEL }]);
    expect(failures).toEqual([]);
  });

  test('carries out one command after the other', async () => {
    await perform(START, command('pause'), command('resume'), command('stop'));
    expect(node.asked).toEqual(['stop', 'start', 'silence', 'sound', 'stop', 'exists']);
    expect(facts).toEqual([{ kind: 'recording-started', channel: CHANNEL }]);
    expect(recorder.busy).toBe(0);
  });

  test('renews a recording with a pause between its end and its beginning, and what follows waits for it', async () => {
    await perform(START);
    await later(100);
    node.asked.length = 0;
    await perform({ do: 'renew-recording', channel: CHANNEL, name: NAME }, command('pause'));
    expect(node.asked).toEqual(['stop']);
    await later(60);
    expect(node.asked).toEqual(['stop', 'start', 'silence']);
    expect([facts.length, failures, recorder.busy]).toEqual([1, [], 0]);
  });

  test('waits while it is in doubt whose the calls are, and leaves alone what has been let go', async () => {
    let sure = (): void => undefined;
    const doubt = new Promise<void>((resolve) => {
      sure = resolve;
    });
    let inDoubt = true;
    const doubting = () => {
      const told = (fact: Fact): void => void facts.push(fact);
      return new Recorder(
        node,
        told,
        () => failures.push('failed'),
        () => (inDoubt ? doubt : undefined),
      );
    };
    const [kept, lost] = [doubting(), doubting()];
    kept.perform(CALL, command('pause'));
    lost.perform(CALL, command('resume'));
    await later(60_000);
    expect(node.asked).toEqual([]);
    lost.close();
    inDoubt = false;
    sure();
    await later(0);
    expect(node.asked).toEqual(['silence']);
    expect([failures, kept.busy, lost.busy]).toEqual([[], 0, 0]);
  });

  test('tries again while Asterisk cannot be reached', async () => {
    node.answers.set('start', [away(), away(), true]);
    await perform(START);
    expect(facts).toEqual([]);
    await later(1_000);
    expect(facts).toEqual([{ kind: 'recording-started', channel: CHANNEL }]);
    expect(failures).toEqual([]);
  });

  test('gives up in the end: it is logged with the call, and told', async () => {
    node.answers.set('start', [away()]);
    await perform(START);
    await later(60_000);
    expect(failures).toEqual(['this call: start-recording']);
    expect(facts).toEqual([{ kind: 'recording-failed', channel: CHANNEL, nothingWritten: true }]);
    expect(recorder.busy).toBe(0);
  });

  test('what is to be paused and cannot be is stopped', async () => {
    await perform(START);
    node.answers.set('silence', [refused()]);
    await perform(command('pause'));
    expect(node.asked).toEqual(['stop', 'start', 'silence', 'stop']);
    expect(failures).toEqual(['this call: pause-recording']);
    expect(facts.at(-1)).toEqual({ kind: 'recording-failed', channel: CHANNEL });
  });

  test('a file that never comes is found out: the recording is stopped, logged, and told', async () => {
    node.answers.set('exists', [false]);
    await perform(START);
    await later(4_000);
    expect([facts, failures]).toEqual([[], []]);
    await later(60_000);
    expect(node.asked.filter((what) => what !== 'exists')).toEqual(['stop', 'start', 'stop']);
    expect(failures).toEqual(['this call: start-recording']);
    expect(facts.at(-1)).toEqual({ kind: 'recording-failed', channel: CHANNEL, nothingWritten: true });
    expect(recorder.busy).toBe(0);
  });

  test('a file that cannot be looked for is taken for there', async () => {
    node.answers.set('exists', [away()]);
    await perform(START);
    await later(60_000);
    expect([facts.length, failures]).toEqual([1, []]);
  });

  test('a channel that ends meanwhile ends all of it, without a word', async () => {
    node.answers.set('start', [away()]);
    await perform(START, command('pause'));
    recorder.ended(CHANNEL);
    await later(60_000);
    expect([facts, failures, recorder.busy]).toEqual([[], [], 0]);
    expect(node.asked).not.toContain('silence');
  });

  test('a channel that is gone already is no failure to log, and the recording is told to have failed', async () => {
    const answer = new AmiMessage([
      ['Response', 'Error'],
      ['Message', 'No such channel'],
    ]);
    node.answers.set('start', [new AmiError('n', 'MixMonitor', 'refused', 'No such channel', answer)]);
    await perform(START);
    expect(failures).toEqual([]);
    expect(facts).toEqual([{ kind: 'recording-failed', channel: CHANNEL, nothingWritten: true }]);
  });
});
