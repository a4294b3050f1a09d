import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AGENT, CUSTOMER } from '../support/office.ts';
import { COLLEAGUE, NO_READER, RecordingOffice, STANDING } from '../support/recording-office.ts';
import { Refused } from '../support/rpc-client.ts';
import { fetchFile } from '../support/wav.ts';

describe('a recorded call', () => {
  const office = new RecordingOffice({ mode: 'onRequest', earlyMedia: false });
  const { talk, bothEstablished, deleted } = office;

  beforeAll(() => office.open());
  afterEach(office.afterTest);
  afterAll(() => office.close());

  test('refusals leave the call as it was', async () => {
    const { callID } = await office.client.call('RequestMakeCall', { thisDN: AGENT, otherDN: CUSTOMER });
    const agent = await office.phone(AGENT).nextCall();
    await agent.answer();
    const customer = await office.customerPhone.nextCall();
    const refusal = async (method: string, more = {}) =>
      (await office.client.refusal(method, { callID, ...more })).message;
    expect(await refusal('RequestStartRecording')).toBe('InvalidAgentState');
    await customer.answer();
    await bothEstablished(callID);
    expect(await refusal('RequestStopRecording')).toBe('InvalidAgentState');
    expect(await refusal('RequestPauseRecording')).toBe('InvalidAgentState');
    expect(await refusal('RequestResumeRecording')).toBe('InvalidAgentState');
    expect(await refusal('RequestStartRecording', { thisDN: COLLEAGUE })).toBe('NotFoundParty');
    expect(await refusal('RequestStartRecording', { callID: `${'0'.repeat(32)}000` })).toBe('NotFoundCallID');
    const other = await office.rm.client('other');
    expect((await other.refusal('RequestStartRecording', { callID })).message).toBe('NotFoundCallID');
    await office.client.call('RequestStartRecording', { callID });
    expect(await refusal('RequestStartRecording')).toBe('InvalidAgentState');
    expect(await refusal('RequestResumeRecording')).toBe('InvalidAgentState');
    await office.client.call('RequestPauseRecording', { callID });
    expect(await refusal('RequestPauseRecording')).toBe('InvalidAgentState');
    await agent.hangUp();
    await deleted(callID);
  });

  test('a recording is served to its own company alone, and to keys that may read', async () => {
    const { callID, agent } = await talk(true);
    await delay(400);
    await agent.hangUp();
    const { recordUrl = '' } = await deleted(callID);
    const status = async (url: string, key?: string) => (await fetchFile(url, key)).status;
    const reader = office.rm.key('reader');
    const whole = await fetchFile(recordUrl, reader);
    expect(whole.status).toBe(200);
    expect(whole.headers).toMatchObject({ 'content-type': 'audio/wav', 'cache-control': 'no-store' });
    expect(await status(recordUrl)).toBe(401);
    expect(await status(recordUrl, 'no-such-key-at-all-0000')).toBe(401);
    expect(await status(recordUrl, NO_READER)).toBe(403);
    expect(await status(recordUrl, office.rm.key('other'))).toBe(404);
    expect(await status(`${recordUrl}.wav`, reader)).toBe(200);
    for (const name of ['0'.repeat(32), 'x', '..%2f..%2fetc%2fpasswd', `..%2f${recordUrl.slice(-32)}`, '%00']) {
      expect([name, await status(`${office.rm.base}/recordings/${name}`, reader)]).toEqual([name, 404]);
    }
    const head = await fetchFile(recordUrl, reader, {}, 'HEAD');
    expect([head.status, head.headers['content-length']]).toEqual([200, String(whole.bytes.length)]);
    const part = await fetchFile(recordUrl, reader, { range: 'bytes=40-1043' });
    expect([part.status, part.headers['content-range']]).toEqual([206, `bytes 40-1043/${whole.bytes.length}`]);
    expect(part.bytes.equals(whole.bytes.subarray(40, 1044))).toBe(true);
    const tail = await fetchFile(recordUrl, reader, { range: 'bytes=-100' });
    expect(tail.bytes.equals(whole.bytes.subarray(-100))).toBe(true);
    expect(await fetchFile(recordUrl, reader, { range: `bytes=${whole.bytes.length}-` })).toMatchObject({
      status: 416,
      headers: { 'content-range': `bytes */${whole.bytes.length}` },
    });
  });

  test('starts and ends that meet leave nothing behind, and a file that a call names is there, whole', async () => {
    const calls = 50;
    const byRequest = (i: number) => i % 2 === 1;
    const ended = { named: 0, unnamed: 0 };
    const one = async (i: number): Promise<void> => {
      const { callID } = await office.client.call('RequestMakeCall', {
        thisDN: STANDING,
        otherDN: CUSTOMER,
        recording: !byRequest(i),
      });
      await bothEstablished(callID);
      const asked = ['RequestStartRecording', 'RequestPauseRecording', 'RequestStopRecording']
        .filter((_, n) => (n === 0 ? byRequest(i) : i % (n + 2) === 0))
        .map((method) => office.client.ask(method, { callID }).catch(expectRefusal));
      if (i % 5 !== 0) await delay(i * 4);
      await office.client.call('RequestReleaseCall', { callID, thisDN: STANDING });
      await Promise.all(asked);
      const { recordUrl } = await deleted(callID);
      ended[recordUrl === undefined ? 'unnamed' : 'named'] += 1;
      if (recordUrl === undefined) return;
      const now = await fetchFile(recordUrl, office.rm.key('reader'));
      await delay(200);
      const later = await fetchFile(recordUrl, office.rm.key('reader'));
      expect([now.status, now.bytes.length]).toEqual([200, later.bytes.length]);
    };
    const answering = (async () => {
      for (let i = 0; i < calls; i += 1) void (await office.customerPhone.nextCall()).answer();
    })();
    const numbers = Array.from({ length: calls }, (_, i) => i);
    for (let from = 0; from < calls; from += 10) await Promise.all(numbers.slice(from, from + 10).map(one));
    await answering;
    expect(ended.named).toBeGreaterThan(calls / 4);
  });

  const expectRefusal = (error: unknown): void => {
    expect(error).toBeInstanceOf(Refused);
    expect(['InvalidAgentState', 'NotFoundCallID']).toContain((error as Refused).message);
  };
});
