import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import type { RecordingFiles } from '../../src/ports.ts';
import { ACME } from '../support/rpc-doubles.ts';
import { Harness, KEYS } from '../support/rpc-harness.ts';

const UUID = '0123456789abcdef0123456789abcdef';

describe('GET /recordings', () => {
  let harness: Harness;

  afterEach(() => harness.stop());

  const start = async (open: RecordingFiles['open']): Promise<void> => {
    harness = await Harness.start({ recordings: { open } });
  };
  const get = (key: string = KEYS.reader, more: RequestInit = {}): Promise<Response> =>
    fetch(harness.url(`/recordings/${UUID}`), { ...more, headers: { authorization: `Bearer ${key}` } });

  /** Zeros without end, as slowly as they are read. */
  const endless = (): Readable =>
    new Readable({
      read(n) {
        this.push(Buffer.alloc(n));
      },
    });

  test('asks for the recording under the key’s own company alone', async () => {
    const asked: string[] = [];
    await start(async (companyId, uuid) => {
      asked.push(`${companyId} ${uuid}`);
      return companyId === ACME ? { size: 8, samples: Readable.from([Buffer.alloc(3), Buffer.alloc(5)]) } : undefined;
    });
    const found = await get();
    expect([found.status, (await found.arrayBuffer()).byteLength]).toEqual([200, 52]);
    expect((await get(KEYS.other)).status).toBe(404);
    expect(asked).toEqual([`${ACME} ${UUID}`, expect.not.stringContaining(ACME)]);
    expect((await fetch(harness.url(`/recordings/${UUID}`))).status).toBe(401);
    expect(asked).toHaveLength(2);
  });

  test('says so where the node cannot be asked, and logs it', async () => {
    await start(() => Promise.reject(new Error('no route to the node')));
    const answer = await get();
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain('no route');
    await harness.logs.line('a recording could not be asked for');
  });

  test('a client that goes away ends the sending, and its place is free again', async () => {
    const source = endless();
    const closed = new Promise((resolve) => source.once('close', resolve));
    await start(async () => ({ size: 1e9, samples: source }));
    const asked = httpGet(harness.url(`/recordings/${UUID}`), {
      headers: { authorization: `Bearer ${KEYS.reader}` },
      agent: false,
    });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    answer.on('error', () => undefined);
    asked.destroy();
    await closed;
    expect(source.destroyed).toBe(true);
  });

  test('sends sixteen at once, and asks those beyond to come again', async () => {
    await start(async () => ({ size: 1e9, samples: endless() }));
    const leaving = new AbortController();
    const answers = await Promise.all(Array.from({ length: 16 }, () => get(KEYS.full, { signal: leaving.signal })));
    expect(answers.map((a) => a.status)).toEqual(answers.map(() => 200));
    const refused = await get();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    leaving.abort();
    await Promise.all(answers.map((a) => a.arrayBuffer().catch(() => undefined)));
  });

  test('counts against the key’s rate', async () => {
    await start(async () => undefined);
    const statuses = [await get(KEYS.few), await get(KEYS.few), await get(KEYS.few)].map((a) => a.status);
    expect(statuses).toEqual([404, 404, 429]);
  });

  test('a source that breaks off breaks the answer off: a part is never taken for the whole', async () => {
    await start(async () => ({
      size: 100,
      samples: new Readable({
        read() {
          this.destroy(new Error('the node is gone'));
        },
      }),
    }));
    const answer = await get().catch((error: unknown) => error);
    const body = answer instanceof Response ? await answer.arrayBuffer().catch((error: unknown) => error) : answer;
    expect(body).toBeInstanceOf(Error);
  });
});
