import { expect, it } from 'vitest';
import { Keys } from '../../../src/store/keys.ts';
import type { RedisConnection } from '../../../src/store/redis-connection.ts';
import { EventTail } from '../../../src/store/tail.ts';

/** A connection that stands, and answers as it is told to. */
const connection = (command: RedisConnection['command']): RedisConnection =>
  ({ connected: () => Promise.resolve(), close: () => undefined, command }) as unknown as RedisConnection;

it('a tail that is closed as Redis answers its first question ends', async () => {
  let answer: (pong: string) => void = () => undefined;
  const pong = new Promise<string>((resolve) => {
    answer = resolve;
  });
  let asked: () => void = () => undefined;
  const question = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const reading = connection(() => Promise.resolve(1));
  const asking = connection(() => {
    asked();
    return pong;
  });
  const tail = new EventTail(reading, asking, new Keys('t'), {
    onHeard: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  await question;
  answer('PONG');
  tail.close();
  expect(await tail.done).toBeUndefined();
});
