// npm run demo: one call that is answered and one that is busy, on a lab of its own, with the events as they happen.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { EventOf } from '../src/cti/events.ts';
import { startLabAnywhere } from './anywhere.ts';
import { RpcClient } from './demo/client.ts';
import { Program } from './demo/program.ts';
import { remainsOf } from './demo/remains.ts';
import { eventLine, line, seconds } from './demo/timeline.ts';
import { catchInterruption } from './interruption.ts';
import { type Lab, stopLab } from './lab.ts';
import { withLock } from './lock.ts';
import { Phone } from './phone/phone.ts';
import { agentTone, customerBehaviour, customerTone } from './standing.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const OFFSETS = [300, 400, 500, 600, 700, 800, 900];
const AGENT = '1018';
const ANSWERS = '91114001007';
const BUSY = '91114000486';

const interruption = catchInterruption();
const cleanUp: (() => void | Promise<void>)[] = [];
let program: Program | undefined;
let failures = 0;

function check(what: string, good: boolean): void {
  if (!good) failures += 1;
  console.log(`  ${good ? 'yes' : 'NO '}  ${what}`);
}

/** The phones of the story are this process's own, so that it can tell what each of them hears. */
async function openPhones(lab: Lab): Promise<{ agent: Phone; customer: Phone }> {
  const agent = await Phone.open({
    dn: AGENT,
    tone: agentTone(AGENT),
    behaviour: { name: 'answers', steps: [{ do: 'ring' }, { after: 700, do: 'answer' }] },
    register: { username: AGENT, password: lab.file.accounts.phonePassword, registrar: lab.file.asterisk.sip },
  });
  cleanUp.push(() => agent.close());
  const customer = await Phone.open({
    dn: 'customer',
    tone: customerTone,
    behaviour: (dialled) =>
      dialled === ANSWERS
        ? {
            name: 'answers',
            steps: [
              { after: 200, do: 'ring' },
              { after: 1200, do: 'answer' },
            ],
          }
        : customerBehaviour(dialled),
  });
  cleanUp.push(() => customer.close());
  return { agent, customer };
}

/** The lab's configuration, with the trunk leading to our own customer's phone. @returns its path */
function writeConfig(lab: Lab, customer: Phone): string {
  const settings = lab.settings();
  const trunks = settings.trunks.map((one) =>
    one.id === 'carrier-a' ? { ...one, endpoint: `PJSIP/carrier-a/sip:{number}@127.0.0.1:${customer.port}` } : one,
  );
  const path = join(lab.file.dir, 'demo.yaml');
  writeFileSync(path, stringify({ ...settings, trunks }), { mode: 0o600 });
  return path;
}

async function placeCall(client: RpcClient, otherDN: string, restart: () => void): Promise<string> {
  restart();
  const { callID } = await client.request('RequestMakeCall', { thisDN: AGENT, otherDN });
  return callID;
}

async function talk(client: RpcClient, phones: { agent: Phone; customer: Phone }, callID: string, now: () => number) {
  const [agent, customer] = await Promise.all([phones.agent.nextCall(), phones.customer.nextCall()]);
  await Promise.all([
    client.event('EventEstablished', callID, AGENT),
    client.event('EventEstablished', callID, ANSWERS),
  ]);
  const [agentHears, customerHears] = await Promise.all([
    agent.hears(customerTone(ANSWERS)),
    customer.hears(agentTone(AGENT)),
    delay(2000), // they talk
  ]);
  const tone = (hears: boolean, hz: number) => (hears ? `hears the other's tone, ${hz} Hz` : 'HEARS NOTHING');
  console.log(line(now(), '(measured)', AGENT, tone(agentHears, customerTone(ANSWERS))));
  console.log(line(now(), '(measured)', ANSWERS, tone(customerHears, agentTone(AGENT))));
  return agentHears && customerHears;
}

async function story(lab: Lab): Promise<void> {
  const phones = await openPhones(lab);
  const { file } = lab;
  console.log('starting Ringmaster …');
  const config = writeConfig(lab, phones.customer);
  if (interruption.signal !== undefined) return; // the lab is being taken down: start nothing on it any more
  program = Program.start(config, join(file.dir, 'ringmaster.log'));
  await program.ready(file.rpc.base);
  const key = file.companies[0]?.keys[0]?.key ?? '';
  let began = Date.now();
  const now = (): number => Date.now() - began;
  const restart = (): void => {
    began = Date.now();
  };
  const client = await RpcClient.open(file.rpc.ws, key, (event) => console.log(eventLine(now(), event)));
  cleanUp.push(() => client.close());
  await client.request('Subscribe', {});

  console.log(`\nAgent ${AGENT} calls customer ${ANSWERS}, who answers\n`);
  const first = await placeCall(client, ANSWERS, restart);
  const heard = await talk(client, phones, first, now);
  console.log(line(now(), 'RequestReleaseCall', AGENT, 'the agent hangs up'));
  await client.request('RequestReleaseCall', { callID: first, thisDN: AGENT });
  const firstEnd = await client.event('EventCallDeleted', first);
  const firstReleased = await client.event('EventReleased', first, ANSWERS);

  console.log(`\nAgent ${AGENT} calls customer ${BUSY}, who is busy\n`);
  const second = await placeCall(client, BUSY, restart);
  const secondReleased = await client.event('EventReleased', second, BUSY);
  await client.event('EventCallDeleted', second);

  const { calls } = await client.request('RequestListCalls', {});
  const remains = await remainsOf(lab);
  const code = await program.stop();
  console.log('\nIn the end\n');
  check(`both heard each other in the first call`, heard);
  check(outcome('first', firstReleased, firstEnd), firstReleased.connectionStatus === 'Connected');
  check(outcome('second', secondReleased), secondReleased.connectionStatus === 'Busy');
  check('Ringmaster lists no call', calls.length === 0);
  check('Asterisk has no channel and no bridge', remains.channels === 0 && remains.bridges === 0);
  check('Redis has no live call and no timer', remains.redisKeys.length === 0);
  check('Ringmaster ended in order on SIGTERM', code === 0);
}

function outcome(which: string, released: EventOf<'EventReleased'>, end?: EventOf<'EventCallDeleted'>): string {
  const { connectionStatus, sipCode, billsec } = released;
  const took = end ? `, billed ${billsec} s, ${seconds(end.endUepoch - end.startUepoch)} in all` : '';
  return `the ${which} call ended as ${connectionStatus}${sipCode === undefined ? '' : ` (SIP ${sipCode})`}${took}`;
}

/** Everything that was begun is ended, whatever became of the story. */
async function takeDown(dir: string): Promise<void> {
  for (const end of cleanUp.reverse()) await end();
  await program?.kill();
  await stopLab(dir, { remove: true });
}

async function main(): Promise<void> {
  const dir = join(HERE, '.run-demo');
  try {
    const lab = await startLabAnywhere({ dir, offsets: OFFSETS, progress: (text) => console.log(text) });
    if (interruption.signal !== undefined) return;
    await Promise.race([story(lab), interruption.happened]);
  } catch (error) {
    if (interruption.signal !== undefined) return; // what breaks while it is being taken down is no news
    failures += 1;
    console.error(`\ndemo: ${(error as Error).message}`);
    if (program) console.error(`\nthe end of Ringmaster's log:\n${program.lastWords}`);
  } finally {
    await takeDown(dir);
  }
}

await withLock(HERE, () => console.log('waiting for another demo of this checkout …'), main);
if (interruption.signal === undefined)
  console.log(failures === 0 ? '\nAll is well; nothing is left running.' : '\nIt failed.');
process.exit(failures === 0 && interruption.signal === undefined ? 0 : 1);
