import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeReach } from '../../../src/ports.ts';
import { GAP_MS } from '../../../src/switch/death.ts';
import { NodeDoor, Reachability, ReachJudge } from '../../../src/switch/reachability.ts';

const LEASE_MS = 3_000;

/** What is judged at each of these looks, one a second: `+` it was reached, `-` it was not. */
function judged(looks: string, judge = new ReachJudge(LEASE_MS), from = 0): NodeReach[] {
  return [...looks].map((look, i) => judge.saw(look === '+', from + i * 1_000));
}

const times = (n: number, reach: NodeReach): NodeReach[] => Array.from({ length: n }, () => reach);

describe('whether a node is reached', () => {
  it('is certain from the first look that is answered', () => {
    expect(judged('+++')).toEqual(times(3, 'steady'));
  });

  it('a loss that is shorter than a lease is none', () => {
    expect(judged('+---+')).toEqual(['steady', ...times(3, 'unsure'), 'steady']);
  });

  it('one that lasts as long is', () => {
    expect(judged('+-----')).toEqual(['steady', ...times(3, 'unsure'), 'cut', 'cut']);
  });

  it('it is back after the time of a lease, and steady only after five', () => {
    const looks = judged(`----${'+'.repeat(17)}`);
    expect(looks).toEqual([
      ...times(3, 'unsure'),
      'cut',
      ...times(3, 'unsure'),
      ...times(12, 'back'),
      ...times(2, 'steady'),
    ]);
  });

  it('what goes to and fro is never steady', () => {
    const judge = new ReachJudge(LEASE_MS);
    const swing = '----++++++++';
    const seen = Array.from({ length: 10 }, (_, i) => judged(swing, judge, i * swing.length * 1_000)).flat();
    expect(new Set(seen)).toEqual(new Set(['unsure', 'cut', 'back']));
  });

  it('nothing follows from not having looked', () => {
    const judge = new ReachJudge(LEASE_MS);
    for (const at of [0, 1_000]) judge.saw(false, at);
    expect(judge.saw(false, 2_000 + GAP_MS)).toBe('unsure');
    expect(judge.saw(false, 60_000)).toBe('unsure');
  });

  it('what was asked and not answered counts from when it was asked', () => {
    const judge = new ReachJudge(LEASE_MS);
    expect([1_000, 2_000, 3_000].map((at) => judge.saw(false, at, at - 1_000))).toEqual(['unsure', 'unsure', 'cut']);
  });

  it('a single look is not enough, however short a lease is', () => {
    const judge = new ReachJudge(1);
    expect([0, 10, 20].map((at) => judge.saw(false, at))).toEqual(['unsure', 'unsure', 'cut']);
  });
});

describe('the looks at a node', () => {
  it('a socket that stands says it, and otherwise it is asked; what has changed is told once', async () => {
    const told: NodeReach[] = [];
    const is = { stands: true, answers: false, asked: 0, now: 0 };
    const reachability = new Reachability({
      leaseMs: LEASE_MS,
      stands: () => is.stands,
      ask: async () => {
        is.asked += 1;
        return is.answers;
      },
      onChange: (reach) => told.push(reach),
      now: () => is.now,
    });
    const look = async (times: number): Promise<NodeReach | undefined> => {
      for (let i = 0; i < times; i++) {
        await reachability.look();
        is.now += 1_000;
      }
      return reachability.reach;
    };
    expect(reachability.reach).toBeUndefined();
    expect(await look(2)).toBe('steady');
    expect(is.asked).toBe(0);
    is.stands = false;
    expect(await look(6)).toBe('cut');
    expect(is.asked).toBe(6);
    is.answers = true;
    expect(await look(6)).toBe('back');
    is.stands = true;
    expect(await look(12)).toBe('steady');
    expect(told).toEqual(['cut', 'back', 'steady']);
  });
});

describe('a node that is asked', () => {
  let server: Server;
  let door: NodeDoor;
  afterEach(async () => {
    await door.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** A node that answers so. */
  const node = async (status: number) => {
    const asked: (string | undefined)[] = [];
    server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"ping":"pong"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const access = { url: `http://127.0.0.1:${port}/ari`, username: 'u', password: 'p', app: 'ringmaster' };
    door = new NodeDoor('pbx-1', access);
    return asked;
  };

  it('answers, and is asked for nothing but a ping', async () => {
    const asked = await node(200);
    expect([await door.answers(), await door.answers()]).toEqual([true, true]);
    expect(asked).toEqual(['/ari/asterisk/ping', '/ari/asterisk/ping']);
  });

  it('does not answer as it should', async () => {
    const asked = await node(503);
    expect([await door.answers(), await door.answers()]).toEqual([false, false]);
    expect(asked).toHaveLength(2);
  });

  it('refuses the credentials, and is left alone for a while', async () => {
    const asked = await node(401);
    expect([await door.answers(), await door.answers()]).toEqual([false, false]);
    expect(asked).toHaveLength(1);
  });
});
