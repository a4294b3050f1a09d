import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { expectWhole, told } from '../support/call-events.ts';
import { testLab } from '../support/lab.ts';
import { metric, nothingLeft } from '../support/ringmaster.ts';
import { RingmasterProcess } from '../support/ringmaster-process.ts';
import { RpcClient } from '../support/rpc-client.ts';

const CALLS = 200;
const AT_ONCE = 20;
/** Standing phones that answer. */
const AGENTS = ['1001', '1002', '1003', '1004', '1005', '1006', '1007', '1008', '1009', '1010', '1015', '1016', '1017'];
/**
 * What the heap may grow by in 200 calls, bytes. A call that was kept would be some 10 KiB, two megabytes in all; from one
 * measurement to the next the heap differs by a tenth of that.
 */
const NOISE = 1024 * 1024;

const GC_ON_SIGNAL = fileURLToPath(new URL('../support/gc-on-signal.mjs', import.meta.url));

let lab: Lab;
let child: RingmasterProcess;
let client: RpcClient;
let base: string;

beforeAll(async () => {
  lab = await testLab();
  child = new RingmasterProcess(lab, { node: ['--expose-gc', '--import', GC_ON_SIGNAL] });
  const { http, ws } = await child.listening();
  base = http;
  client = await RpcClient.open(ws, lab.file.companies[0]?.keys[0]?.key);
  await client.call('Subscribe', {});
});

afterAll(async () => {
  await client?.close();
  await child?.stop();
});

/** One call from its request to its end, with everything that must be true of it. */
async function oneCall(n: number): Promise<void> {
  const agent = AGENTS[n % AGENTS.length] ?? '';
  const customer = `91114001${String(n).padStart(3, '0')}`;
  const { callID } = await client.call('RequestMakeCall', { referenceID: n + 1, thisDN: agent, otherDN: customer });
  await client.event('EventEstablished', (e) => e.callID === callID && e.thisDN === customer);
  await client.call('RequestReleaseCall', { callID, thisDN: agent });
  const events = await client.ended(callID);
  expectWhole(events);
  expect(told(events).slice(0, 6)).toEqual([
    `EventCallCreated(${agent})`,
    `EventDialing(${agent})`,
    `EventRinging(${customer})`,
    `EventOtherRinging(${agent})`,
    `EventEstablished(${agent})`,
    `EventEstablished(${customer})`,
  ]);
  expect(events.filter((e) => e.messageID === 'EventReleased').map((e) => e.connectionStatus)).toEqual([
    'Connected',
    'Connected',
  ]);
  for (const e of events.slice(0, 6)) expect(e.referenceID).toBe(n + 1);
}

/** Makes the calls, so many at once, and waits until nothing of them is left. @returns bytes in use afterwards */
async function allCalls(): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < CALLS) {
      next += 1;
      await oneCall(next - 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect(client.events.filter((e) => e.messageID === 'EventCallDeleted')).toHaveLength(CALLS);
  client.events.splice(0);
  await nothingLeft(lab, base, child.prefix);
  // What was written last is remembered for some seconds, in case Redis loses it.
  await expect.poll(() => metric(base, 'ringmaster_redis_remembered'), { timeout: 30_000 }).toBe(0);
  const collected = child.nextLogged('garbage collected');
  child.kill('SIGUSR2');
  return Number((await collected)['heapUsed']);
}

test('200 calls, 20 at a time, twice: all correct, nothing left, and no more memory in use than after the first', async () => {
  const first = await allCalls();
  const second = await allCalls();
  console.log(`heap in use after ${CALLS} calls: ${first}, after ${CALLS} more: ${second}`);
  expect(second - first).toBeLessThan(NOISE);
  expect(child.log.filter((line) => line.level >= 40)).toEqual([]);
}, 120_000);
