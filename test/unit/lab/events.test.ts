import { describe, expect, test } from 'vitest';
import { CallLog } from '../../../lab/phone/events.ts';

describe('what happened to a call', () => {
  test('is handed out even to those who ask late', async () => {
    const log = new CallLog();
    log.add({ name: 'answered' });
    expect((await log.waitFor('answered', 10)).name).toBe('answered');
    expect((await log.waitFor('answered', 10)).name).toBe('answered');
  });

  test('each digit is handed out once, in order', async () => {
    const log = new CallLog();
    const first = log.waitFor('dtmf', 1000);
    log.add({ name: 'dtmf', detail: '1' });
    log.add({ name: 'dtmf', detail: '2' });
    expect((await first).detail).toBe('1');
    expect((await log.waitFor('dtmf', 10)).detail).toBe('2');
    await expect(log.waitFor('dtmf', 10)).rejects.toThrow("no 'dtmf'");
  });

  test('who waits for what can no longer come is told so, with what did come', async () => {
    const log = new CallLog();
    log.add({ name: 'ringing' });
    const answered = log.waitFor('answered', 10_000);
    log.add({ name: 'ended' });
    await expect(answered).rejects.toThrow("no 'answered': the call ended; what happened: ringing, ended");
    await expect(log.waitFor('talk', 10_000)).rejects.toThrow('the call has ended');
  });
});
