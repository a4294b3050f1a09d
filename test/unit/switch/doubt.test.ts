import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AmiClient } from '../../../src/ami/index.ts';
import type { Command } from '../../../src/calls/command.ts';
import type { CallID } from '../../../src/cti/ids.ts';
import { AsteriskSwitch } from '../../../src/switch/asterisk-switch.ts';
import { CANARY_EVENT } from '../../../src/switch/canary.ts';
import { Doubt } from '../../../src/switch/doubt.ts';
import { ScriptedAri, type ScriptedReply } from '../../support/scripted-ari.ts';

describe('a node of which nobody knows whether it has done everything', () => {
  let now = 0;
  let answers = true;
  const ask = vi.fn();
  let doubt: Doubt;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    now = 0;
    answers = true;
    ask.mockReset();
    doubt = new Doubt({ answers: () => answers, ask, now: () => now });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const pass = (ms: number): void => {
    now += ms;
    vi.advanceTimersByTime(ms);
  };

  it('is asked at once where it answers, and otherwise as soon as it does', () => {
    doubt.raise();
    expect(ask).toHaveBeenCalledTimes(1);
    doubt.settle();
    pass(60_000);
    answers = false;
    doubt.raise();
    pass(60_000);
    expect(ask).toHaveBeenCalledTimes(1);
    answers = true;
    doubt.look();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('is asked ever less often where that does not help', () => {
    const asked: number[] = [];
    ask.mockImplementation(() => {
      asked.push(now);
      doubt.settle();
      doubt.raise();
    });
    doubt.raise();
    for (let second = 0; second < 200; second += 1) pass(1_000);
    expect(asked).toEqual([0, 10_000, 30_000, 70_000, 150_000]);
  });

  it('is not asked again once it has told', () => {
    doubt.raise();
    doubt.settle();
    doubt.look();
    pass(1_000_000);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a switch whose node leaves something unanswered, its event socket standing', () => {
  const CALL = '0123456789abcdef0123456789abcdef000' as CallID;
  const CHANNEL = `${CALL}-1`;
  let server: ScriptedAri;
  let ami: AmiClient;
  let asterisk: AsteriskSwitch;
  let reply: ScriptedReply | undefined;
  let of: string;
  const failed: Command[] = [];
  let resyncs = 0;

  beforeEach(async () => {
    reply = undefined;
    failed.length = 0;
    resyncs = 0;
    server = await ScriptedAri.start();
    server.script = ({ method, path }) => {
      if (path.endsWith(of)) return reply;
      if (path === `/events/user/${CANARY_EVENT}`) {
        server.event('ChannelUserevent', { eventname: CANARY_EVENT, userevent: {} });
      }
      if (method !== 'GET') return undefined;
      if (path === '/asterisk/info' || path.startsWith('/applications/')) return { status: 200, body: {} };
      return undefined;
    };
    ami = new AmiClient({ node: 'a1', host: '127.0.0.1', port: 1, username: 'u', secret: 's' });
    asterisk = new AsteriskSwitch({
      node: 'a1',
      ari: { url: server.url, username: 'u', password: 'p', app: 'app' },
      ami,
      listener: {
        onFact: () => undefined,
        onCommandFailed: (_node, _callID, command) => void failed.push(command),
        onArrival: () => undefined,
        onResync: () => {
          resyncs += 1;
        },
        onHealth: () => undefined,
        onNodeDied: () => undefined,
        onPhones: () => undefined,
        onPhoneLost: () => undefined,
      },
      onError: () => undefined,
    });
  });
  afterEach(async () => {
    await asterisk.close();
    await ami.close();
    await server.stop();
  });

  const askedAnew = (): Promise<void> => vi.waitFor(() => expect(resyncs).toBe(2), { timeout: 15_000, interval: 5 });

  it('asks it what it has: a command', async () => {
    of = '/answer';
    reply = 'drop';
    await asterisk.start(10_000);
    const answer: Command = { do: 'answer', channel: CHANNEL };
    asterisk.perform(CALL, [answer]);
    await askedAnew();
    expect(failed).toEqual([answer]);
  });

  it('and a bridge that is not there: nobody is hung up for that', async () => {
    of = '/addChannel';
    reply = { status: 404, body: { message: 'Bridge not found' } };
    await asterisk.start(10_000);
    const place: Command = { do: 'place', channels: [CHANNEL], bridge: `${CALL}-b1` };
    asterisk.perform(CALL, [place]);
    await askedAnew();
    expect(failed).toEqual([place]);
    expect(server.requests.filter((r) => r.method === 'DELETE')).toEqual([]);
  });

  it('and a caller whose end would not be heard of', async () => {
    of = '/subscription';
    reply = 'drop';
    await asterisk.start(10_000);
    server.event('StasisStart', {
      args: ['inbound', '911140002000'],
      channel: { id: '1700000000.1', name: 'PJSIP/carrier-a-00000001', caller: { number: '1', name: '' } },
    });
    await askedAnew();
    const asked = server.requests.filter((r) => r.path.endsWith('/subscription'));
    expect(asked).toHaveLength(1);
  });

  it('and leaves it alone where a channel has gone', async () => {
    of = '/addChannel';
    reply = { status: 400, body: { message: 'Channel not found' } };
    await asterisk.start(10_000);
    asterisk.perform(CALL, [{ do: 'place', channels: [CHANNEL], bridge: `${CALL}-b1` }]);
    await vi.waitFor(() => expect(asterisk.idle).toBe(true), { timeout: 15_000, interval: 5 });
    await server.until(() => server.requests.some((r) => r.path.endsWith('/addChannel')));
    expect([failed, resyncs]).toEqual([[], 1]);
  });
});
