import { afterEach, beforeEach, expect, test } from 'vitest';
import { Canary } from '../../../src/switch/canary.ts';
import { type Scene, scene } from '../ari/harness.ts';

let at: Scene;
let canary: Canary;
let failing: string | undefined;
let changes: boolean[];
let silences: string[];

beforeEach(async () => {
  at = await scene();
  failing = undefined;
  changes = [];
  silences = [];
  at.server.script = async ({ method, path }) => {
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
    onChange: (answers) => changes.push(answers),
    onSilent: (resource) => silences.push(resource),
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

test.each(['asterisk', 'channels', 'bridges', 'applications'])(
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

test('nothing is known once the connection has gone', async () => {
  await canary.round();
  canary.forget();
  expect(canary.answers).toBe(false);
});
