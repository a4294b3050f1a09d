import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AriClient } from '../../../src/ari/index.ts';
import { Dialler } from '../../../src/switch/dialling.ts';

const CALL = '0123456789abcdef0123456789abcdef000';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('a listening channel that is answered for later than it may take to enter fails alone, and not the process', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  let answer: () => void = () => undefined;
  const channels = {
    snoop: () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
  };
  const dialler = new Dialler({ channels } as unknown as AriClient, 'app', () => undefined);
  const snoop = dialler.snoop({
    do: 'snoop',
    snoop: `${CALL}-s1`,
    of: `${CALL}-1`,
    listener: `${CALL}-3`,
    bridge: `${CALL}-b3`,
    whisper: false,
  });
  const outcome = snoop.catch((error: Error) => error.message);
  await vi.advanceTimersByTimeAsync(6_000);
  // A rejection that nobody waits for is told once the microtasks are through.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
  answer();
  expect(await outcome).toBe('the channel did not enter the application');
});
