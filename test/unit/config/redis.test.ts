import { describe, expect, it } from 'vitest';
import { bad, changed, good } from '../../support/config.ts';

const withRedis = (redis: string): string => changed('trunks:', `redis: ${redis}\ntrunks:`);
const NODES = '["10.0.0.5:26379", "sentinel-b:26379", "[fd00::7]:26380"]';

describe('redis.sentinel', () => {
  it('names the sentinels and how the servers are reached; nothing else need be said', () => {
    const { config, warnings } = good(withRedis(`{ sentinel: { name: mymaster, nodes: ${NODES} } }`));
    expect(config.redis.sentinel).toEqual({
      name: 'mymaster',
      nodes: [
        { host: '10.0.0.5', port: 26_379 },
        { host: 'sentinel-b', port: 26_379 },
        { host: 'fd00::7', port: 26_380 },
      ],
      data: { db: 0 },
    });
    expect(warnings).toEqual([]);
  });

  it('has user, password and TLS for the sentinels and for the servers apart', () => {
    const own = 'username: s, password: "hush", tls: { caFile: /ca.pem }';
    const data = 'data: { username: r, password: "quiet", db: 3, tls: {} }';
    const { config } = good(withRedis(`{ sentinel: { name: m, nodes: ${NODES}, ${own}, ${data} } }`));
    expect(config.redis.sentinel).toMatchObject({
      username: 's',
      password: 'hush',
      tls: { caFile: '/ca.pem', insecure: false },
      data: { username: 'r', password: 'quiet', db: 3, tls: { insecure: false } },
    });
  });

  it.each([
    [
      'beside a url',
      `{ url: "redis://h", sentinel: { name: m, nodes: ${NODES} } }`,
      'redis.url',
      /beside redis.sentinel/,
    ],
    ['without a name', `{ sentinel: { nodes: ${NODES} } }`, 'redis.sentinel.name', /is missing/],
    ['without a node', '{ sentinel: { name: m, nodes: [] } }', 'redis.sentinel.nodes', /at least 1/],
    ['with no port', '{ sentinel: { name: m, nodes: [a] } }', 'redis.sentinel.nodes[0]', /not an address and a port/],
    ['with port 70000', '{ sentinel: { name: m, nodes: ["a:70000"] } }', 'redis.sentinel.nodes[0]', /over 65535/],
    [
      'with one twice',
      '{ sentinel: { name: m, nodes: ["a:1", "b:1", "a:1"] } }',
      'redis.sentinel.nodes[2]',
      /already at/,
    ],
    ['with a misspelt key', `{ sentinel: { nam: m, name: m, nodes: ${NODES} } }`, 'redis.sentinel.nam', /not a key/],
  ])('is refused %s', (_, redis, key, message) => {
    const [problem] = bad(withRedis(redis));
    expect(problem?.key).toBe(key);
    expect(problem?.message).toMatch(message);
  });

  it('what is no address is told once', () => {
    expect(bad(withRedis('{ sentinel: { name: m, nodes: [nowhere] } }')).map((p) => p.message)).toEqual([
      'is not an address and a port',
    ]);
  });

  it('with fewer than three sentinels draws a warning', () => {
    const { warnings } = good(withRedis('{ sentinel: { name: m, nodes: ["a:26379", "b:26379"] } }'));
    expect(warnings.map((w) => [w.key, w.message])).toEqual([
      ['redis.sentinel.nodes', 'with fewer than three sentinels there is no fail-over once one is away'],
    ]);
  });
});
