import { AmiClient, type AmiMessage } from '../../src/ami/index.ts';
import { Deferred } from '../deferred.ts';
import type { CallTimes } from '../round.ts';
import { serve, surroundings } from './child.ts';

/**
 * The ceiling: Originate rings the first phone, and when it answers Asterisk's own Dial() rings the second and bridges
 * them. Two actions a call, and a dialplan in place of a controller.
 */
interface Call {
  readonly start: number;
  readonly done: Deferred<CallTimes>;
  answeredAt: number;
  bridgedAt: number;
  inBridge: number;
  ended: number;
}

const { ami, first } = surroundings();
const client = new AmiClient({ node: 'bench', ...ami, events: ['Newstate', 'BridgeEnter', 'Hangup'] });
/** By the first leg's channel id, which is also what Asterisk links both legs by. */
const calls = new Map<string, Call>();

function about(event: AmiMessage): [string, Call] | undefined {
  const id = event.get('Linkedid') ?? '';
  const call = calls.get(id);
  return call && [id, call];
}

client.onEvent('Newstate', (event) => {
  const [id, call] = about(event) ?? [];
  if (call && event.get('Uniqueid') === id && event.get('ChannelStateDesc') === 'Up')
    call.answeredAt = performance.now();
});
client.onEvent('BridgeEnter', (event) => {
  const [id, call] = about(event) ?? [];
  if (id === undefined || !call) return;
  call.inBridge += 1;
  if (call.inBridge !== 2) return;
  call.bridgedAt = performance.now();
  client.action({ Action: 'Hangup', Channel: id }).catch((error) => call.done.reject(error));
});
client.onEvent('Hangup', (event) => {
  const [id, call] = about(event) ?? [];
  if (id === undefined || !call) return;
  call.ended += 1;
  if (call.bridgedAt === 0) call.done.reject(new Error('a leg ended before both were in a bridge'));
  if (call.ended < 2) return;
  calls.delete(id);
  call.done.resolve({ setUp: call.bridgedAt - call.start, answerToBridge: call.bridgedAt - call.answeredAt });
});

async function make(id: string): Promise<CallTimes> {
  const call: Call = {
    start: performance.now(),
    done: new Deferred<CallTimes>(),
    answeredAt: 0,
    bridgedAt: 0,
    inBridge: 0,
    ended: 0,
  };
  calls.set(id, call);
  await client.action({
    Action: 'Originate',
    Channel: first,
    ChannelId: id,
    Context: 'bench',
    Exten: 'second',
    Priority: '1',
    Async: 'true',
    Timeout: '20000',
  });
  return await call.done.promise;
}

client.start();
await client.ready();
serve({ call: make, close: () => client.close() });
