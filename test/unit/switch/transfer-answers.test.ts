import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AriEvent } from '../../../src/ari/index.ts';
import { MAX_WAIT_MS, TransferAnswers } from '../../../src/switch/transfer-answers.ts';

/** REFER on the first line, or what Asterisk tells of the answer to it. */
const transfer = (state?: string, second: string | null = 'second'): AriEvent =>
  ({
    type: 'ChannelTransfer',
    ...(state !== undefined && { state }),
    referred_by: { source_channel: { id: 'first' } },
    refer_to: { requested_destination: {}, ...(second !== null && { destination_channel: { id: second } }) },
  }) as AriEvent;
const hangupRequest = (id: string) => ({ type: 'ChannelHangupRequest', channel: { id } }) as AriEvent;
const destroyed = (id: string) => ({ type: 'ChannelDestroyed', channel: { id } }) as AriEvent;

describe('the answer to an attended transfer and the end of the phone’s second line', () => {
  let answers: TransferAnswers;
  let done: string[];

  beforeEach(() => {
    vi.useFakeTimers();
    answers = new TransferAnswers();
    done = [];
  });

  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const answer = () => answers.answer('first', async () => void done.push('answer'));
  const end = (channel: string) => answers.end(channel, async () => void done.push(`end ${channel}`));
  /** Everything that does not wait for an event or a timer has happened. */
  const settled = () => vi.advanceTimersByTimeAsync(0);

  test('a line that we hang up has gone before the answer is sent', async () => {
    answers.saw(transfer());
    await end('second');
    const answered = answer();
    await settled();
    expect(done).toEqual(['end second']);
    answers.saw(destroyed('second'));
    await answered;
    expect(done).toEqual(['end second', 'answer']);
    expect(answers.size).toBe(0);
  });

  test('so has one that its phone hangs up', async () => {
    answers.saw(transfer());
    answers.saw(hangupRequest('second'));
    const answered = answer();
    await settled();
    expect(done).toEqual([]);
    answers.saw(destroyed('second'));
    await answered;
    expect(done).toEqual(['answer']);
  });

  test('a line is hung up only when the answer on its way has been told', async () => {
    answers.saw(transfer());
    await answer();
    const ended = end('second');
    await settled();
    expect(done).toEqual(['answer']);
    answers.saw(transfer('channel_declined'));
    await ended;
    expect(done).toEqual(['answer', 'end second']);
  });

  test('or when the line on which it was asked has gone, which Asterisk answers by itself', async () => {
    answers.saw(transfer());
    answers.saw(hangupRequest('first'));
    const ended = end('second');
    await settled();
    expect(done).toEqual([]);
    answers.saw(destroyed('first'));
    await ended;
    expect(done).toEqual(['end second']);
    expect(answers.size).toBe(0);
  });

  test('or at once where the answer was not taken', async () => {
    answers.saw(transfer());
    const gone = new Error('404');
    await expect(answers.answer('first', () => Promise.reject(gone))).rejects.toBe(gone);
    await end('second');
    expect(done).toEqual(['end second']);
  });

  test('neither waits for ever for the other', async () => {
    answers.saw(transfer());
    await end('second');
    const answered = answer();
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS);
    await answered;
    answers.saw(transfer());
    await answer();
    const ended = end('second');
    await vi.advanceTimersByTimeAsync(MAX_WAIT_MS);
    await ended;
    expect(done).toEqual(['end second', 'answer', 'answer', 'end second']);
  });

  test('a blind transfer, and every other channel, wait for nothing', async () => {
    answers.saw(transfer(undefined, null));
    expect(answers.size).toBe(0);
    await Promise.all([answer(), end('first'), end('other')]);
    expect(done).toEqual(['answer', 'end first', 'end other']);
  });

  test('lines whose end was missed are forgotten', async () => {
    answers.saw(transfer());
    answers.retain(new Set(['first', 'second']));
    expect(answers.size).toBe(1);
    answers.retain(new Set(['first']));
    expect(answers.size).toBe(0);
  });
});
