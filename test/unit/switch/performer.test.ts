import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { Fact } from '../../../src/calls/input.ts';
import type { CallID } from '../../../src/cti/ids.ts';
import { Performer, type Task } from '../../../src/switch/performer.ts';
import type { ScriptedReply } from '../../support/scripted-ari.ts';
import { gate, type Scene, scene } from '../ari/harness.ts';

const CALL = '0123456789abcdef0123456789abcdef000' as CallID;
const FIRST = `${CALL}-1`;
const SECOND = `${CALL}-2`;
const BRIDGE = `${CALL}-b1`;

/** What the core asks for when the first party has answered: a bridge, the first in it, the second rung into it. */
const RING_SECOND: readonly Task[] = [
  { do: 'create-bridge', bridge: BRIDGE },
  { do: 'place', channels: [FIRST], bridge: BRIDGE },
  { do: 'dial', channel: SECOND, endpoint: 'PJSIP/1001', ringTimeout: 20, bridge: BRIDGE },
];

describe('a leg that is dialled into a new bridge', () => {
  let at: Scene;
  let performer: Performer;
  let facts: Fact[];
  let failures: unknown[];
  let bridge: ReturnType<typeof gate>;
  let create: ScriptedReply;

  beforeEach(async () => {
    at = await scene();
    facts = [];
    failures = [];
    bridge = gate();
    create = { status: 200, body: { id: SECOND } };
    at.server.script = async ({ method, path }) => {
      if (path === '/channels/create') return create;
      if (method === 'POST' && path === `/bridges/${BRIDGE}`) {
        await bridge.promise;
        return { status: 200, body: { id: BRIDGE } };
      }
      return undefined;
    };
    await at.client.connect();
    at.server.requests.length = 0;
    performer = new Performer(
      at.client,
      'app',
      async () => undefined,
      (fact) => facts.push(fact),
      (_, command, error) => failures.push([command, error]),
    );
  });

  afterEach(() => at.end());

  const asked = (): string[] => at.server.requests.map(({ method, path }) => `${method} ${path}`);
  /** Channels that were to be put in the bridge, by request. */
  const joined = (): string[] =>
    at.server.requests.flatMap(
      ({ uri }) => decodeURIComponent(/addChannel\?channel=([^&]*)/.exec(uri)?.[1] ?? '') || [],
    );
  const untilAsked = (request: string): Promise<void> => at.server.until(() => asked().includes(request));

  test('is created while the bridge is being made, and dialled only once both are there', async () => {
    performer.perform(CALL, RING_SECOND);
    await untilAsked('POST /channels/create');
    performer.entered(SECOND);
    // An answer to a later request: whatever the performer would have sent by now has been sent.
    await at.client.asterisk.ping();
    expect(
      asked()
        .filter((one) => one !== 'GET /asterisk/ping')
        .sort(),
    ).toEqual([`POST /bridges/${BRIDGE}`, 'POST /channels/create']);

    bridge.open();
    await untilAsked(`POST /channels/${SECOND}/dial`);
    expect(asked().slice(-2)).toEqual([`POST /bridges/${BRIDGE}/addChannel`, `POST /channels/${SECOND}/dial`]);
    expect(joined()).toEqual([`${FIRST},${SECOND}`]);
    expect(failures).toEqual([]);
    expect(facts).toEqual([]);
  });

  test.each([
    ['two may talk in', {}, 'mixing,dtmf_events'],
    ['mixes always', { mixesAlways: true }, 'video_sfu'],
  ] as const)('a bridge that %s has a technology that fits', async (_, kind, type) => {
    bridge.open();
    performer.perform(CALL, [{ do: 'create-bridge', bridge: BRIDGE, ...kind }]);
    await untilAsked(`POST /bridges/${BRIDGE}`);
    expect(at.server.requests.map(({ body }) => body)).toEqual([{ type }]);
    expect(failures).toEqual([]);
  });

  test('is hung up and never dialled where that is asked for while it waits for its bridge', async () => {
    performer.perform(CALL, RING_SECOND);
    await untilAsked('POST /channels/create');
    performer.perform(CALL, [{ do: 'hang-up', channel: SECOND, q850: 16 }]);
    await untilAsked(`DELETE /channels/${SECOND}`);
    performer.ended(SECOND);
    bridge.open();
    performer.perform(CALL, [{ do: 'destroy-bridge', bridge: BRIDGE }]);
    await untilAsked(`DELETE /bridges/${BRIDGE}`);
    expect(asked()).not.toContain(`POST /channels/${SECOND}/dial`);
    expect(joined()).toEqual([FIRST]);
    expect([...performer.underWay()]).toEqual([]);
    expect(failures).toEqual([]);
  });

  test('is held where that is asked for, and dialled when that is', async () => {
    const held = RING_SECOND.map((task): Task => (task.do === 'dial' ? { ...task, hold: true } : task));
    performer.perform(CALL, held);
    await untilAsked('POST /channels/create');
    performer.entered(SECOND);
    bridge.open();
    await vi.waitFor(() => expect(facts).toHaveLength(1), { timeout: 15_000, interval: 5 });
    expect(facts).toEqual([{ kind: 'leg-made', channel: SECOND }]);
    expect(joined()).toEqual([`${FIRST},${SECOND}`]);
    expect(asked()).not.toContain(`POST /channels/${SECOND}/dial`);
    performer.perform(CALL, [{ do: 'send-dial', channel: SECOND, ringTimeout: 20 }]);
    await untilAsked(`POST /channels/${SECOND}/dial`);
    performer.perform(CALL, [{ do: 'destroy-bridge', bridge: BRIDGE }]);
    await untilAsked(`DELETE /bridges/${BRIDGE}`);
    expect([facts.length, failures]).toEqual([1, []]);
  });

  test('is told nothing of where nobody knows whether its dial went out: the node is asked what it has', async () => {
    performer.perform(
      CALL,
      RING_SECOND.map((task): Task => (task.do === 'dial' ? { ...task, hold: true } : task)),
    );
    await untilAsked('POST /channels/create');
    performer.entered(SECOND);
    bridge.open();
    await vi.waitFor(() => expect(facts).toHaveLength(1), { timeout: 15_000, interval: 5 });
    await at.server.stop();
    performer.perform(CALL, [{ do: 'send-dial', channel: SECOND, ringTimeout: 20 }]);
    await vi.waitFor(() => expect(performer.busy).toBe(0), { timeout: 15_000, interval: 5 });
    expect([facts.length, failures]).toEqual([1, []]);
  });

  test('is told as lost with its node where Asterisk can be asked nothing any more', async () => {
    performer.perform(CALL, RING_SECOND);
    await untilAsked('POST /channels/create');
    performer.entered(SECOND);
    await at.server.stop();
    bridge.open();
    await vi.waitFor(() => expect(facts).toEqual([{ kind: 'leg-ended', channel: SECOND, nodeDied: true }]));
  });

  test('is told once as not started where Asterisk refuses to create it', async () => {
    create = { status: 500, body: { error: 'Allocation failed' } };
    performer.perform(CALL, RING_SECOND);
    await untilAsked('POST /channels/create');
    bridge.open();
    performer.perform(CALL, [{ do: 'destroy-bridge', bridge: BRIDGE }]);
    await untilAsked(`DELETE /bridges/${BRIDGE}`);
    expect(facts).toEqual([{ kind: 'leg-ended', channel: SECOND, notStarted: 'unavailable' }]);
    expect(joined()).toEqual([FIRST]);
    expect(asked()).not.toContain(`POST /channels/${SECOND}/dial`);
    expect(failures).toEqual([]);
  });

  test('is rung also where the one who waits for it has gone', async () => {
    const healthy = at.server.script;
    at.server.script = (request) =>
      request.uri.includes(FIRST) ? { status: 400, body: { message: 'Channel not found' } } : healthy(request);
    performer.perform(CALL, RING_SECOND);
    await untilAsked('POST /channels/create');
    performer.entered(SECOND);
    bridge.open();
    await untilAsked(`POST /channels/${SECOND}/dial`);
    expect(joined().slice(0, 2)).toEqual([`${FIRST},${SECOND}`, SECOND]);
  });

  test.each([500, 503])(
    'a command that Asterisk refuses (%s) is told by the object that was handed over',
    async (status) => {
      at.server.script = ({ path }) => (path.endsWith('/mute') ? { status } : undefined);
      const mute: Task = { do: 'mute', channel: FIRST };
      performer.perform(CALL, [mute, { do: 'destroy-bridge', bridge: BRIDGE }]);
      await untilAsked(`DELETE /bridges/${BRIDGE}`);
      expect(failures).toHaveLength(1);
      const [[command, error]] = failures as [[unknown, unknown]];
      expect(command).toBe(mute);
      expect(error).toMatchObject({ status });
    },
  );
});
