import { afterEach, beforeEach, expect, test } from 'vitest';
import { CANARY_EVENT, Canary } from '../../../src/switch/canary.ts';
import { type Scene, scene } from '../ari/harness.ts';

let at: Scene;
let canary: Canary;
let failing: string | undefined;
let changes: boolean[];
let silences: string[];
let deaf: number;
/** The application is on the socket. */
let active: boolean;

beforeEach(async () => {
  at = await scene({ onEvent: (event) => event.type === 'ChannelUserevent' && canary.heard() });
  failing = undefined;
  changes = [];
  silences = [];
  deaf = 0;
  active = true;
  at.server.script = async ({ method, path }) => {
    if (method === 'POST' && path === `/events/user/${CANARY_EVENT}`) {
      if (failing === 'events') return { status: 500, body: { message: 'broken' } };
      if (active) at.server.event('ChannelUserevent', { eventname: CANARY_EVENT, userevent: {} });
      return undefined;
    }
    if (method !== 'GET') return undefined;
    if (failing !== undefined && path.startsWith(`/${failing}/`)) return { status: 500, body: { message: 'broken' } };
    if (path.startsWith('/channels/') || path.startsWith('/bridges/')) {
      return { status: 404, body: { message: 'not found' } };
    }
    if (path.startsWith('/applications/')) return { status: 200, body: { name: 'app' } };
    return undefined;
  };
  await at.client.connect();
  canary = new Canary({
    ari: at.client,
    app: 'app',
    patienceMs: 400,
    onChange: (answers) => changes.push(answers),
    onSilent: (resource) => silences.push(resource),
    onDeaf: () => {
      deaf += 1;
    },
  });
});

afterEach(async () => {
  canary.close();
  await at.end();
});

test('a node of which every part answers is well, "no such channel" being an answer', async () => {
  await canary.round();
  expect(canary.answers).toBe(true);
  expect(changes).toEqual([true]);
});

test.each(['asterisk', 'channels', 'bridges', 'applications', 'events'])(
  'one that fails in %s alone is not',
  async (resource) => {
    await canary.round();
    failing = resource;
    await canary.round();
    await canary.round();
    expect(canary.answers).toBe(false);
    expect(canary.silent).toEqual([resource]);
    expect(silences).toEqual([resource]);
    failing = undefined;
    await canary.round();
    expect(changes).toEqual([true, false, true]);
  },
);

test('one whose socket stands while no event comes over it is not, and is told as deaf in the second round', async () => {
  await canary.round();
  active = false;
  await canary.round();
  expect([canary.silent, deaf]).toEqual([['events'], 0]);
  await canary.round();
  expect(deaf).toBe(1);
  active = true;
  await canary.round();
  expect([canary.answers, deaf]).toEqual([true, 1]);
});

test('a node that is deaf and answers nothing else either is left to those who watch that', async () => {
  active = false;
  failing = 'asterisk';
  for (let i = 0; i < 3; i += 1) await canary.round();
  expect(deaf).toBe(0);
});

test('nothing is known once the connection has gone', async () => {
  await canary.round();
  canary.forget();
  expect(canary.answers).toBe(false);
});
