import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DigitSender, MAX_WAITING } from '../../../src/switch/digits.ts';

vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}));

describe('digits on their way to a channel', () => {
  let sent: string[];
  let sender: DigitSender;
  let fails: Error | undefined;

  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    fails = undefined;
    sender = new DigitSender(async (channel, digits) => {
      if (fails) throw fails;
      sent.push(`${channel} ${digits}`);
    });
  });

  afterEach(() => {
    expect(sender.busy).toBe(0);
    vi.useRealTimers();
  });

  test('go out a few at a time, the next when those before have been played', async () => {
    const done = sender.send('a', '12345678');
    expect(sent).toEqual(['a 123']);
    await vi.advanceTimersByTimeAsync(3 * 130 - 1);
    expect(sent).toEqual(['a 123']);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual(['a 123', 'a 456']);
    await vi.runAllTimersAsync();
    await done;
    expect(sent).toEqual(['a 123', 'a 456', 'a 78']);
  });

  test('of two requests follow each other, of two channels go side by side', async () => {
    void sender.send('a', '1234');
    void sender.send('b', '9');
    void sender.send('a', '567');
    expect(sent).toEqual(['a 123', 'b 9']);
    await vi.runAllTimersAsync();
    expect(sent.filter((s) => s.startsWith('a'))).toEqual(['a 123', 'a 456', 'a 7']);
  });

  test('end with their channel', async () => {
    const done = sender.send('a', '123456');
    sender.drop('a');
    await vi.runAllTimersAsync();
    await done;
    expect(sent).toEqual(['a 123']);
  });

  test('that Asterisk does not take are told of, and those behind them are dropped', async () => {
    fails = new Error('no');
    await expect(sender.send('a', '1234')).rejects.toBe(fails);
    fails = undefined;
    void sender.send('a', '7');
    await vi.runAllTimersAsync();
    expect(sent).toEqual(['a 7']);
  });

  test('of a second request that are dropped behind those of the first are told of too', async () => {
    const first = sender.send('a', '123456');
    const second = sender.send('a', '789');
    fails = new Error('no');
    const told = Promise.allSettled([first, second]);
    await vi.runAllTimersAsync();
    expect((await told).map((t) => t.status)).toEqual(['rejected', 'rejected']);
    expect(sent).toEqual(['a 123']);
  });

  test('are so many and no more', async () => {
    void sender.send('a', '1'.repeat(MAX_WAITING));
    // Three of them are out already.
    await expect(sender.send('a', '2222')).rejects.toThrow('too many');
    sender.drop('a');
    await vi.runAllTimersAsync();
  });
});
