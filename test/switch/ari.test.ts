import { randomUUID } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { Waiting } from '../../lab/waiting.ts';
import { AriClient, type AriClientOptions, type AriEvent, type AriState, type Resync } from '../../src/ari/index.ts';
import { testLab } from '../support/lab.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await testLab();
});

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A client of the lab's Asterisk under an application of its own, with what it heard. */
interface Listener {
  client: AriClient;
  events: AriEvent[];
  states: AriState[];
  resyncs: Resync[];
  /** the first event that fits, come or to come */
  event<T extends AriEvent['type']>(
    type: T,
    fits?: (event: Extract<AriEvent, { type: T }>) => boolean,
  ): Promise<Extract<AriEvent, { type: T }>>;
  until(ready: () => boolean): Promise<void>;
}

function listen(app: string, options: Partial<AriClientOptions> = {}): Listener {
  const { url, username, password } = lab.file.asterisk.ari;
  const events: AriEvent[] = [];
  const states: AriState[] = [];
  const resyncs: Resync[] = [];
  const { until, changed } = new Waiting();
  const client = new AriClient({
    node: 'lab',
    url,
    app,
    username,
    password,
    reconnectBaseMs: 10,
    ...options,
    onEvent: (event) => {
      events.push(event);
      changed();
    },
    onState: (state) => {
      states.push(state);
      changed();
    },
    onResync: (resync) => {
      resyncs.push(resync);
    },
  });
  cleanups.push(() => client.close());
  return {
    client,
    events,
    states,
    resyncs,
    until,
    event: async (type, fits = () => true) => {
      type Wanted = Extract<AriEvent, { type: typeof type }>;
      const find = () => events.find((event): event is Wanted => event.type === type && fits(event as Wanted));
      await until(() => find() !== undefined);
      const found = find();
      if (found === undefined) throw new Error(`${type} went away`);
      return found;
    },
  };
}

/** The standing telephone that answers, as an endpoint. */
function answering(n = 0): string {
  return `PJSIP/${lab.phone('agent', 'answers', n).dn}`;
}

const id = (kind: string) => `${kind}-${randomUUID()}`;

describe.each(['http', 'websocket'] as const)('against Asterisk, requests by %s', (carrier) => {
  it('creates, dials, bridges and hangs up two channels', async () => {
    const app = id('app');
    const { client, event, events } = listen(app, { carrier, disallow: ['ChannelVarset', 'ChannelDialplan'] });
    await client.connect();
    expect(client.hasWebSocketCarrier).toBe(carrier === 'websocket');
    const [a, b, bridge] = [id('a'), id('b'), id('bridge')];
    cleanups.push(() => client.bridges.destroy(bridge));
    for (const [n, channelId] of [a, b].entries()) {
      cleanups.push(() => client.channels.hangup(channelId));
      const endpoint = answering(n);
      const made = await client.channels.create({ channelId, endpoint, app, appArgs: 'x,y' });
      expect(made).toMatchObject({ existed: false, value: { id: channelId } });
      expect(await client.channels.create({ channelId, endpoint, app })).toEqual({ existed: true });
      const start = await event('StasisStart', (one) => one.channel.id === channelId);
      expect(start.args).toEqual(['x', 'y']);
      await client.channels.dial(channelId, { timeout: 20 });
      await event('ChannelStateChange', (one) => one.channel.id === channelId && one.channel.state === 'Up');
    }
    expect(await client.bridges.create({ bridgeId: bridge, type: 'mixing' })).toMatchObject({ existed: false });
    expect(await client.bridges.create({ bridgeId: bridge, type: 'mixing' })).toEqual({ existed: true });
    await client.bridges.addChannel(bridge, [a, b]);
    expect((await client.bridges.get(bridge)).channels.sort()).toEqual([a, b].sort());
    await client.channels.setVariable(a, 'COLOUR', 'blue "quoted"');
    expect(await client.channels.getVariable(a, 'COLOUR')).toBe('blue "quoted"');
    expect(await client.channels.hangup(a)).toEqual({ gone: false });
    await client.channels.hangup(b, 'normal');
    for (const channelId of [a, b]) {
      expect((await event('ChannelDestroyed', (one) => one.channel.id === channelId)).cause).toBe(16);
    }
    expect(await client.channels.hangup(a)).toEqual({ gone: true });
    expect(await client.bridges.destroy(bridge)).toEqual({ gone: false });
    expect(events.filter((one) => one.type === 'ChannelVarset' || one.type === 'ChannelDialplan')).toEqual([]);
    expect(client.stats).toMatchObject({
      unknownEvents: 0,
      unparsableFrames: 0,
      inFlightHttp: 0,
      inFlightWebSocket: 0,
    });
  });

  it('types the refusals: 404 nothing there, 409 not in an application, 412 wrong state', async () => {
    const app = id('app');
    const { client, event } = listen(app, { carrier });
    await client.connect();
    const channelId = id('c');
    cleanups.push(() => client.channels.hangup(channelId));
    await expect(client.channels.answer(channelId)).rejects.toMatchObject({
      name: 'AriError',
      node: 'lab',
      method: 'POST',
      path: `/channels/${channelId}/answer`,
      status: 404,
      retryable: false,
    });
    await client.channels.create({ channelId, endpoint: answering(), app });
    await event('StasisStart', (one) => one.channel.id === channelId);
    await expect(client.channels.ring(channelId)).rejects.toMatchObject({ status: 412 });
    await client.channels.hangup(channelId);
    await event('ChannelDestroyed', (one) => one.channel.id === channelId);

    const outside = id('outside');
    cleanups.push(() => client.channels.hangup(outside));
    await client.channels.originate({
      channelId: outside,
      endpoint: answering(),
      context: 'fallback',
      extension: 's',
      priority: 1,
    });
    await expect(client.channels.mute(outside)).rejects.toMatchObject({ status: 409 });
  });

  it('gets the SIP status of a busy endpoint with the end of its channel', async () => {
    const app = id('app');
    const { client, event } = listen(app, { carrier });
    await client.connect();
    const channelId = id('c');
    await client.channels.create({ channelId, endpoint: `PJSIP/${lab.phone('agent', 'busy').dn}`, app });
    await event('StasisStart', (one) => one.channel.id === channelId);
    await client.channels.dial(channelId);
    expect(await event('ChannelDestroyed', (one) => one.channel.id === channelId)).toMatchObject({
      cause: 17,
      tech_cause: 486,
    });
  });
});

describe('against Asterisk, the connection', () => {
  it('comes back after a cut with the lists, and with the events of what lives on', async () => {
    const { url } = lab.file.asterisk.ari;
    const there = new URL(url);
    const proxy = await TcpProxy.start(there.hostname, Number(there.port));
    cleanups.push(() => proxy.stop());
    const app = id('app');
    const { client, event, until, states, resyncs } = listen(app, { url: `http://127.0.0.1:${proxy.port}/ari` });
    await client.connect();
    const [channelId, bridgeId] = [id('c'), id('bridge')];
    cleanups.push(
      () => client.channels.hangup(channelId),
      () => client.bridges.destroy(bridgeId),
    );
    await client.bridges.create({ bridgeId, type: 'mixing' });
    await client.channels.create({
      channelId,
      endpoint: answering(),
      app,
      variables: { TAG: { value: 'kept', report_events: true } },
    });
    await event('StasisStart', (one) => one.channel.id === channelId);
    await client.channels.dial(channelId);
    await event('ChannelStateChange', (one) => one.channel.id === channelId && one.channel.state === 'Up');

    const cutOff = client.channels.getVariable(channelId, 'TAG');
    proxy.cut();
    await cutOff.catch((error: unknown) => expect(error).toMatchObject({ kind: 'connection', retryable: true }));
    await until(() => states.includes('stale'));
    await client.whenReady();
    expect(resyncs).toHaveLength(2);
    const found = resyncs[1]?.channels.find((one) => one.id === channelId);
    expect(found).toMatchObject({ state: 'Up', channelvars: { TAG: 'kept' } });
    expect(found?.dialplan).toMatchObject({ app_name: 'Stasis' });
    expect(resyncs[1]?.bridges.map((one) => one.id)).toContain(bridgeId);
    await client.channels.hangup(channelId);
    await event('ChannelDestroyed', (one) => one.channel.id === channelId);
  });

  it('yields to a second client of the same application, which keeps the channels', async () => {
    const app = id('app');
    const first = listen(app);
    await first.client.connect();
    const channelId = id('c');
    cleanups.push(() => first.client.channels.hangup(channelId));
    await first.client.channels.create({ channelId, endpoint: answering(), app });
    await first.event('StasisStart', (one) => one.channel.id === channelId);
    const second = listen(app);
    await second.client.connect();
    await first.until(() => first.client.state === 'replaced');
    expect(second.resyncs[0]?.channels.map((one) => one.id)).toContain(channelId);
    await second.client.channels.hangup(channelId);
    await second.event('ChannelDestroyed', (one) => one.channel.id === channelId);
    expect(first.client.state).toBe('replaced');
    expect(second.states).toEqual(['connecting', 'resyncing', 'ready']);
  });

  it('is refused with wrong credentials, and says so', async () => {
    const errors: unknown[] = [];
    const { client } = listen(id('app'), { password: 'wrong', onError: (error) => errors.push(error) });
    await expect(client.connect(300)).rejects.toMatchObject({ kind: 'timeout' });
    expect(errors).toMatchObject([{ status: 401, retryable: false }]);
    await expect(client.asterisk.ping()).rejects.toMatchObject({ status: 401 });
  });

  it('fetches a recording by HTTP, whatever carries the rest', async () => {
    const app = id('app');
    const { client, event } = listen(app);
    await client.connect();
    const [channelId, bridgeId, name] = [id('c'), id('bridge'), id('recording')];
    cleanups.push(
      () => client.channels.hangup(channelId),
      () => client.bridges.destroy(bridgeId),
    );
    await client.channels.create({ channelId, endpoint: answering(), app });
    await event('StasisStart', (one) => one.channel.id === channelId);
    await client.channels.dial(channelId);
    await event('ChannelStateChange', (one) => one.channel.id === channelId && one.channel.state === 'Up');
    // A dialled channel cannot be recorded itself: Asterisk keeps it in a hidden bridge, also once it is answered.
    await client.channels.record(channelId, { name: `${name}-refused`, format: 'wav' });
    expect((await event('RecordingFailed')).recording).toMatchObject({ name: `${name}-refused`, state: 'failed' });
    await client.bridges.create({ bridgeId, type: 'mixing' });
    await client.bridges.addChannel(bridgeId, channelId);
    await client.bridges.record(bridgeId, { name, format: 'wav' });
    await event('RecordingStarted', (one) => one.recording.name === name);
    await client.recordings.stop(name);
    await event('RecordingFinished', (one) => one.recording.name === name);
    cleanups.push(() => client.recordings.deleteStored(name));
    const bytes = await client.recordings.file(name);
    expect(Buffer.from(bytes).subarray(0, 4).toString()).toBe('RIFF');
  });
});
