import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DeathJudge, GAP_MS, type Sight } from '../../../src/switch/death.ts';
import { knock } from '../../../src/switch/knock.ts';
import { Pulse } from '../../../src/switch/pulse.ts';

const AFTER = { refused: 5_000, silent: 120_000 };
const times = (n: number, sight: Sight): Sight[] => Array.from({ length: n }, () => sight);

/** What is judged at the end of these sights, one each `every` ms. */
function judged(sights: readonly Sight[], every = 1_000, after = AFTER): string | undefined {
  const judge = new DeathJudge(after);
  return sights.reduce<string | undefined>((_, sight, i) => judge.saw(sight, i * every), undefined);
}

describe('a node is taken for dead', () => {
  it.each([
    ['once its host has refused for as long as that takes', times(6, 'refused'), 'refused'],
    ['not a moment sooner', times(5, 'refused'), undefined],
    ['not where one word came in between', [...times(4, 'refused'), 'alive', ...times(4, 'refused')], undefined],
    ['not as refused where one knock was lost', [...times(4, 'refused'), 'silent', ...times(5, 'refused')], undefined],
    ['once nothing has come for long', times(121, 'silent'), 'silent'],
    ['not a moment sooner', times(120, 'silent'), undefined],
    [
      'as silent, where it refused at times and was silent at others',
      Array.from({ length: 121 }, (_, i): Sight => (i % 3 === 0 ? 'silent' : 'refused')),
      'silent',
    ],
    ['not for a long time ago', [...times(121, 'silent'), 'alive'], undefined],
  ] as const)('%s: %#', (_, sights, expected) => {
    expect(judged(sights)).toBe(expected);
  });

  it('not because we did not look: two refusals before and after a sleep are no ten minutes of refusals', () => {
    const judge = new DeathJudge(AFTER);
    for (const at of [0, 1_000]) judge.saw('refused', at);
    expect(judge.saw('refused', 600_000)).toBeUndefined();
    expect(judge.saw('refused', 601_000)).toBeUndefined();
    // What is seen from here on counts.
    for (const at of [602_000, 603_000, 604_000]) expect(judge.saw('refused', at)).toBeUndefined();
    expect(judge.saw('refused', 605_000)).toBe('refused');
  });

  it('not from a single look, however short the time is that was asked for', () => {
    expect(judged(times(2, 'refused'), GAP_MS, { refused: 1_000, silent: 10_000 })).toBeUndefined();
    expect(judged(times(3, 'refused'), GAP_MS, { refused: 1_000, silent: 10_000 })).toBe('refused');
  });
});

describe('the pulse of a node', () => {
  /** A node, and what is told of it. */
  const patient = () => {
    const told: string[] = [];
    const is = { concerned: true, connected: true, sight: 'refused' as Sight, now: 0, knocks: 0 };
    const pulse = new Pulse({
      deadAfter: { refused: 3_000, silent: 10_000 },
      concerned: () => is.concerned,
      connected: () => is.connected,
      knock: async () => {
        is.knocks += 1;
        return is.sight;
      },
      onDead: (of, first) => told.push(`dead of ${of}${first ? '' : ' still'}`),
      onAlive: () => told.push('alive'),
      now: () => is.now,
    });
    const seconds = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i++) {
        is.now += 1_000;
        await pulse.look();
      }
    };
    return { told, is, pulse, seconds };
  };

  it('is not felt while a connection stands', async () => {
    const { told, is, seconds } = patient();
    await seconds(20);
    expect([told, is.knocks]).toEqual([[], 0]);
  });

  it('tells of the death once as the first time, and goes on telling; then that it is there again', async () => {
    const { told, is, pulse, seconds } = patient();
    is.connected = false;
    await seconds(5);
    expect(told).toEqual(['dead of refused', 'dead of refused still']);
    expect([pulse.dead, pulse.deaths]).toEqual([true, 1]);
    is.connected = true;
    await seconds(2);
    expect(told.at(-1)).toBe('alive');
    expect(pulse.dead).toBe(false);
  });

  it('says nothing where a connection was made while it knocked', async () => {
    const { told, is, seconds } = patient();
    is.connected = false;
    await seconds(3);
    const knocked = seconds(1);
    is.connected = true;
    await knocked;
    expect(told).toEqual([]);
  });

  it('is nobody’s business where nothing of the node is here; who takes it over judges from what he sees himself', async () => {
    const { told, is, seconds } = patient();
    is.connected = false;
    await seconds(3);
    is.concerned = false;
    await seconds(3);
    is.concerned = true;
    await seconds(3);
    expect(told).toEqual([]);
    await seconds(1);
    expect(told).toEqual(['dead of refused']);
  });
});

describe('a knock at a node’s doors', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((s) => new Promise((resolve) => s.close(resolve))));
  });

  /** A port that says this to whoever connects; `nothing`: connections stand. */
  const door = async (says: string): Promise<number> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      if (says !== 'nothing') socket.end(says);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  };
  const shut = async (): Promise<number> => {
    const port = await door('nothing');
    await new Promise((resolve) => servers.pop()?.close(resolve));
    return port;
  };
  const http = (status: number): string => `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
  const GREETING = 'Asterisk Call Manager/11.0.0\r\n';

  const at = (ari: number, ami: number) =>
    knock({ ari: `http://127.0.0.1:${ari}/ari`, ami: { host: '127.0.0.1', port: ami } }, 500);

  it('is refused only where both are shut', async () => {
    expect(await at(await shut(), await shut())).toBe('refused');
    expect(await at(await shut(), await door('nothing'))).toBe('silent');
    expect(await at(await door('nothing'), await shut())).toBe('silent');
  });

  it.each([200, 401, 404, 503])('is answered by REST with %i: it is there', async (status) => {
    expect(await at(await door(http(status)), await shut())).toBe('alive');
  });

  it('is answered by AMI’s greeting', async () => {
    expect(await at(await shut(), await door(GREETING))).toBe('alive');
  });

  it.each([502, 504])('is not answered by a proxy that says %i for it', async (status) => {
    expect(await at(await door(http(status)), await shut())).toBe('silent');
  });

  it('is not answered where connections are taken and nothing is said', async () => {
    expect(await at(await door('nothing'), await door('nothing'))).toBe('silent');
  });
});
