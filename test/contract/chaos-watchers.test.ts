import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toneSamples } from '../../lab/tones.ts';
import { FAULTS } from '../chaos/faults.ts';
import { faultsOf, named, partsOf } from '../chaos/plan.ts';
import { Recorded, Recordings } from '../chaos/recordings.ts';
import { type RedisClient, redisAt, Versions } from '../chaos/versions.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { commitOf, company, newCall, newStore } from '../support/store-kit.ts';

describe('versions of calls, as the chaos suite counts them', () => {
  const PREFIX = 'chaos-versions';
  const COMPANY = company('watched');
  let server: TestRedis;
  let redis: RedisClient;
  let versions: Versions;

  beforeAll(async () => {
    server = await startRedis();
    redis = redisAt(server.url);
    await redis.connect();
    versions = await Versions.open(redis, PREFIX, COMPANY);
  });

  afterAll(async () => {
    versions?.close();
    redis?.destroy();
    await server?.stop();
  });

  /** A call that was committed so often, and the id of its first event. */
  async function committed(times: number): Promise<{ callID: string; first: number }> {
    const { store } = newStore(server.url, { prefix: PREFIX });
    await store.connected();
    const made = newCall(COMPANY);
    const first = Number((await redis.get(`${PREFIX}:{${COMPANY}}:event-id`)) ?? '0') + 1;
    for (let version = 0; version < times; version += 1) {
      const events = version === 0 ? made.events : [];
      await store.calls.commit(commitOf(made, { version, events }));
    }
    await store.close();
    return { callID: made.call.callID, first };
  }

  const key = (callID: string): string => `${PREFIX}:{${COMPANY}}:call:${callID}`;

  test('a call that was stored in each version once is good', async () => {
    const { callID, first } = await committed(5);
    expect(await versions.judge(new Map([[callID, first]]))).toEqual([]);
    expect(versions).toMatchObject({ judged: 1, commits: 5, unknown: 0 });
  });

  test('a version that was left out, and one that was given twice, are found', async () => {
    const leftOut = await committed(3);
    await redis.hIncrBy(key(leftOut.callID), 'v', 1);
    const twice = await committed(3);
    await redis.hSet(key(twice.callID), 'v', '3');
    const found = await versions.judge(
      new Map([
        [leftOut.callID, leftOut.first],
        [twice.callID, twice.first],
      ]),
    );
    expect(found).toEqual([
      `call ${leftOut.callID} has version 4 and was written 3 times`,
      `call ${twice.callID} has version 3 and was written 4 times`,
    ]);
  });

  /** Redis tells nothing for a moment, as when it is started anew. */
  async function cutOff(): Promise<void> {
    const id = async () => String(await redis.sendCommand(['CLIENT', 'LIST', 'TYPE', 'pubsub'])).split(' ')[0];
    const before = await id();
    await redis.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
    await expect.poll(id).not.toSatisfy((now) => now === before || now === '');
  }

  test('a call that was live while nothing was told is not judged; one that begins afterwards is', async () => {
    const before = await committed(2);
    await redis.configSet('notify-keyspace-events', '');
    await redis.hSet(key(before.callID), 'v', '3');
    await cutOff();
    const { judged } = versions;
    await expect
      .poll(async () => {
        await versions.goOn();
        const one = await committed(4);
        expect(await versions.judge(new Map([[one.callID, one.first]]))).toEqual([]);
        return versions.judged;
      })
      .toBe(judged + 1);
    const { unknown } = versions;
    expect(await versions.judge(new Map([[before.callID, before.first]]))).toEqual([]);
    expect(versions).toMatchObject({ judged: judged + 1, unknown: unknown + 1 });
  });

  test('a call that Redis had lost, and that was written again, is not judged', async () => {
    const before = await committed(2);
    const counter = `${PREFIX}:{${COMPANY}}:event-id`;
    const newest = await redis.get(counter);
    await redis.set(counter, String(before.first - 1));
    await cutOff();
    await redis.hSet(key(before.callID), 'v', '2');
    await redis.set(counter, String(newest));
    await versions.goOn();
    const { unknown } = versions;
    expect(await versions.judge(new Map([[before.callID, before.first]]))).toEqual([]);
    expect(versions).toMatchObject({ unknown: unknown + 1 });
  });
});

describe('recordings, as the chaos suite measures them', () => {
  const RATE = 8000;
  let folder: string;
  let recordings: Recordings;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringmaster-recordings-'));
    recordings = new Recordings(folder, { completeMs: 300 });
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A stereo file with the customer's tone for so many seconds, and then silence. */
  function write(uuid: string, speaks: number, silent: number): Buffer {
    const tone = toneSamples(700);
    const bytes = Buffer.alloc((speaks + silent) * RATE * 4);
    for (let i = 0; i < speaks * RATE; i += 1) bytes.writeInt16LE(tone[i % tone.length] ?? 0, i * 4);
    mkdirSync(join(folder, uuid.slice(0, 2)), { recursive: true });
    writeFileSync(join(folder, uuid.slice(0, 2), `${uuid}.raw`), bytes);
    return bytes;
  }

  /** A call that is recorded from its beginning, and whose customer has spoken for so many seconds when it ends. */
  function recorded(seconds: number): { call: Recorded; uuid: string } {
    const uuid = randomBytes(16).toString('hex');
    const call = new Recorded(`call-${uuid}`, uuid, { sentMs: seconds * 1000 }, { asked: 0, done: 0 });
    recordings.add(call);
    return { call, uuid };
  }

  const whole = (bytes: Buffer) => async () => ({ status: 200, bytes: Buffer.alloc(bytes.length + 44) });

  test('a file as long as the call, with the customer in it but for a pause, is good', async () => {
    const { call, uuid } = recorded(20);
    call.step(false, { asked: 5_000, done: 5_000 });
    call.step(true, { asked: 15_000, done: 15_000 });
    const bytes = write(uuid, 10, 10);
    expect(await recordings.judge(new Map([[call.callID, uuid]]), whole(bytes))).toEqual([]);
  });

  test.each([
    ['a file that is too short', 10, 0, /it lasts 10\.0 s, not 20\.0 to 20\.0/],
    ['a customer who is not in it', 10, 10, /the customer is heard for 10\.0 s, not 20\.0 to 20\.0/],
  ])('%s is found', async (_, speaks, silent, expected) => {
    const { call, uuid } = recorded(20);
    const bytes = write(uuid, speaks, silent);
    const found = await recordings.judge(new Map([[call.callID, uuid]]), whole(bytes));
    expect(found.join('\n')).toMatch(expected);
  });

  test('what was said in a pause, a file too many and a file that is not there are found', async () => {
    const { call, uuid } = recorded(20);
    call.step(false, { asked: 5_000, done: 5_000 });
    const bytes = write(uuid, 20, 0);
    write('stray', 1, 0);
    const missing = recorded(3);
    const found = await recordings.judge(new Map([[call.callID, uuid]]), whole(bytes));
    expect(found).toEqual([
      expect.stringContaining('the customer is heard for 20.0 s, not 5.0 to 5.0'),
      'recording stray.raw is a second one, or of no call',
      `recording ${missing.uuid} has no file`,
    ]);
  });

  test('what Asterisk’s own standstill explains is not found', async () => {
    const { call, uuid } = recorded(2);
    const goesOn = recordings.standstill();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    goesOn();
    const bytes = write(uuid, 0, 0);
    const found = await recordings.judge(new Map([[call.callID, uuid]]), whole(bytes));
    expect(found.filter((one) => one.includes(uuid))).toEqual([]);
  });
});

describe('the plan of a run', () => {
  test('every fault comes once before any comes again, in the same order for the same seed, in both worlds', () => {
    const faults = faultsOf(7, 2 * FAULTS.length);
    expect(faults).toEqual(faultsOf(7, 2 * FAULTS.length));
    expect(new Set(faults.slice(0, FAULTS.length)).size).toBe(FAULTS.length);
    const [one, two] = partsOf(faults);
    for (const part of [one, two]) expect(new Set(part?.faults).size).toBe(FAULTS.length);
    expect([one?.shards, two?.shards]).toEqual([1, 2]);
  });

  test('a fault that there is not is refused by name', () => {
    expect(named(['kill -9', 'rolling restart']).map((f) => f.name)).toEqual(['kill -9', 'rolling restart']);
    expect(() => named(['kill -9', 'flood'])).toThrow(/no fault is called 'flood': kill -9; /);
  });
});
