import { afterEach, describe, expect, it } from 'vitest';
import { AriError } from '../../../src/ari/index.ts';
import { channel, gate, PASSWORD, type Scene, scene } from './harness.ts';

let at: Scene;
afterEach(() => at.end());

describe('connecting', () => {
  it('goes from connecting through resyncing to ready, and to closed once', async () => {
    at = await scene();
    expect(at.client.state).toBe('idle');
    await at.client.connect();
    expect(at.states).toEqual(['connecting', 'resyncing', 'ready']);
    const first = at.client.close();
    expect(at.client.close()).toBe(first);
    await first;
    expect(at.states).toEqual(['connecting', 'resyncing', 'ready', 'closed']);
    await expect(at.client.connect()).rejects.toMatchObject({ kind: 'closed' });
  });

  it('sends the credentials in the header alone, and sets the filter on each connection', async () => {
    at = await scene({ disallow: ['ChannelVarset'], carrier: 'http' });
    await at.client.connect();
    const header = `Basic ${Buffer.from(`user:${PASSWORD}`).toString('base64')}`;
    expect(at.server.upgrades.map((upgrade) => upgrade.url)).toEqual(['/ari/events?app=app&subscribeAll=false']);
    expect(at.server.upgrades[0]?.headers.authorization).toBe(header);
    for (const request of at.server.requests) {
      expect(request.headers.authorization).toBe(header);
      expect(request.uri).not.toContain(PASSWORD);
    }
    const filters = () => at.server.requests.filter((request) => request.path === '/applications/app/eventFilter');
    expect(filters()).toHaveLength(1);
    expect(filters()[0]?.body).toEqual({ disallowed: [{ type: 'ChannelVarset' }] });
    at.server.cut();
    await at.until(() => at.resyncs.length === 2 && at.client.state === 'ready');
    expect(filters()).toHaveLength(2);
  });

  it('asks again for the filter while the application is not registered yet', async () => {
    at = await scene({ carrier: 'http' });
    let asked = 0;
    at.server.script = (request) => {
      if (!request.path.endsWith('/eventFilter')) return undefined;
      asked += 1;
      return asked < 3 ? { status: 404, body: { message: 'Application not found' } } : undefined;
    };
    await at.client.connect();
    expect(asked).toBe(3);
  });

  it('reports refused credentials without showing them, and goes on trying', async () => {
    at = await scene();
    at.server.upgrade = (attempt) => (attempt < 3 ? 401 : 'accept');
    await at.client.connect();
    expect(at.server.upgrades).toHaveLength(3);
    expect(at.errors).toHaveLength(2);
    expect(at.errors[0]).toMatchObject({ name: 'AriError', node: 'node-1', status: 401 });
    expect(JSON.stringify(at.errors) + at.errors.map(String).join()).not.toContain(PASSWORD);
    expect(at.client.stats).toMatchObject({ reconnects: 2, disconnects: 2, connects: 1 });
  });

  it('waits out an Asterisk that is booting, hangs in the handshake, or breaks off during the resync', async () => {
    at = await scene();
    at.server.upgrade = (attempt) => (attempt === 1 ? 503 : attempt === 2 ? 'hang' : 'accept');
    let lists = 0;
    at.server.script = (request) => {
      if (request.path !== '/channels') return undefined;
      lists += 1;
      return lists === 1 ? { status: 503, body: { message: 'Asterisk not booted' } } : lists === 2 ? 'drop' : undefined;
    };
    await at.client.connect();
    expect(at.server.upgrades).toHaveLength(5);
    expect(at.errors.map((error) => (error instanceof AriError ? error.status : error))).toEqual([
      503,
      undefined,
      undefined,
      undefined,
    ]);
    expect(at.states.filter((state) => state === 'stale')).toEqual([]);
  });

  it('rejects connect() at its time and connects all the same later', async () => {
    at = await scene();
    at.server.upgrade = (attempt) => (attempt < 4 ? 'hang' : 'accept');
    await expect(at.client.connect(50)).rejects.toMatchObject({ kind: 'timeout' });
    await at.until(() => at.client.state === 'ready');
    await expect(at.client.whenReady(50)).resolves.toBeUndefined();
  });

  it('connects anew when the node does not become ready in time', async () => {
    at = await scene({ resyncTimeoutMs: 60 });
    let lists = 0;
    at.server.script = (request) => {
      if (request.path !== '/bridges') return undefined;
      lists += 1;
      return lists === 1 ? 'hang' : undefined;
    };
    await at.client.connect();
    expect(at.server.connections).toBe(2);
  });

  it('settles whenReady when it is closed', async () => {
    at = await scene();
    at.server.upgrade = () => 'hang';
    const ready = at.client.connect();
    await at.server.until(() => at.server.upgrades.length === 1);
    await at.client.close();
    await expect(ready).rejects.toMatchObject({ kind: 'closed' });
  });
});

describe('losing the connection', () => {
  it('becomes stale, connects anew and hands on the lists again', async () => {
    at = await scene();
    await at.client.connect();
    at.server.channels = [channel('c1')];
    at.server.cut();
    await at.until(() => at.resyncs.length === 2 && at.client.state === 'ready');
    expect(at.states).toEqual(['connecting', 'resyncing', 'ready', 'stale', 'resyncing', 'ready']);
    expect(at.resyncs[1]?.channels).toEqual([channel('c1')]);
    expect(at.resyncs[0]?.channels).toEqual([]);
  });

  it('notices a half-open socket, on which neither events nor pongs come', async () => {
    at = await scene();
    await at.client.connect();
    at.server.freeze();
    await at.until(() => at.resyncs.length === 2 && at.client.state === 'ready');
    expect(at.client.stats.watchdogExpiries).toBe(1);
    expect(at.states).toContain('stale');
  });

  it('keeps a silent connection whose pings are answered', async () => {
    at = await scene({ pingMs: 20, deadMs: 200 });
    await at.client.connect();
    const before = at.client.stats.lastTrafficAt;
    await expect(at.client.request('GET', '/channels/slow', { timeoutMs: 500 })).rejects.toMatchObject({ status: 404 });
    at.server.script = (request) => (request.path === '/bridges/slow' ? 'hang' : undefined);
    // Longer than deadMs without an event or an answer: only pongs keep it.
    await expect(at.client.request('GET', '/bridges/slow', { timeoutMs: 600 })).rejects.toMatchObject({
      kind: 'timeout',
    });
    expect(at.client.stats).toMatchObject({ watchdogExpiries: 0, disconnects: 0 });
    expect(at.client.state).toBe('ready');
    expect(at.client.stats.lastTrafficAt).toBeGreaterThanOrEqual(before);
  });

  it('stops when another client takes over, and takes over again when told to', async () => {
    at = await scene();
    await at.client.connect();
    at.server.event('ApplicationReplaced');
    await at.until(() => at.client.state === 'replaced');
    expect(at.events.map((event) => event.type)).toEqual(['ApplicationReplaced']);
    await expect(at.client.whenReady(1)).rejects.toMatchObject({ kind: 'timeout' });
    expect(at.server.connections).toBe(1);
    // Requests still work, by HTTP.
    await at.client.channels.answer('c1');
    expect(at.server.requests.at(-1)).toMatchObject({ carrier: 'http', uri: '/channels/c1/answer' });
    await at.client.connect();
    expect(at.server.connections).toBe(2);
  });
});

describe('a gate', () => {
  it('holds the event socket up, since it would take the application from whoever has it', async () => {
    const first = gate();
    let shut = false;
    at = await scene({ gate: () => (shut ? first.promise : undefined) });
    await at.client.connect();
    shut = true;
    at.server.closeEventSocket();
    await at.until(() => at.client.state === 'stale');
    await expect(at.client.whenReady(100)).rejects.toMatchObject({ kind: 'timeout' });
    expect(at.server.connections).toBe(1);
    shut = false;
    first.open();
    await at.client.whenReady();
    expect(at.server.connections).toBe(2);
  });

  it('holds up what changes something, and nothing else: a user event is no change', async () => {
    const first = gate();
    let shut = false;
    at = await scene({ gate: () => (shut ? first.promise : undefined) });
    await at.client.connect();
    shut = true;
    at.server.script = () => ({ status: 204 });
    let done = false;
    const changing = at.client.channels.answer('c1').then(() => {
      done = true;
    });
    await at.client.events.user('canary', 'app');
    await at.client.channels.get('c1');
    expect(done).toBe(false);
    first.open();
    await changing;
    expect(at.server.requests.map((r) => r.path).filter((p) => /canary|c1/.test(p))).toEqual([
      '/events/user/canary',
      '/channels/c1',
      '/channels/c1/answer',
    ]);
  });

  it('that opens when the client has been closed opens no event socket', async () => {
    const first = gate();
    at = await scene({ gate: () => first.promise });
    const refused = expect(at.client.connect()).rejects.toMatchObject({ kind: 'closed' });
    await at.client.close();
    first.open();
    await refused;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(at.server.connections).toBe(0);
  });
});

describe('resync', () => {
  it('holds events back until the lists are handed on, then delivers what is newer', async () => {
    const handing = gate();
    at = await scene({ onResync: () => handing.promise });
    const listed = gate();
    at.server.channels = [channel('c1')];
    at.server.script = async (request) => {
      if (request.path !== '/channels') return undefined;
      at.server.event('ChannelStateChange', { channel: channel('c1'), timestamp: '2026-01-01T12:00:00.400+0000' });
      at.server.event('ChannelDtmfReceived', { channel: channel('c1'), timestamp: '2026-01-01T12:00:00.400+0000' });
      at.server.event('ChannelStateChange', { channel: channel('c2'), timestamp: '2026-01-01T12:00:00.400+0000' });
      at.server.event('ChannelStateChange', { channel: channel('c1'), timestamp: '2026-01-01T12:00:00.600+0000' });
      await listed.promise;
      return undefined;
    };
    const ready = at.client.connect();
    await at.server.until(() => at.server.requests.some((request) => request.path === '/channels'));
    listed.open();
    await at.until(() => at.resyncs.length === 1);
    expect(at.events).toEqual([]);
    expect(at.client.stats.bufferedEvents).toBe(4);
    handing.open();
    await ready;
    expect(at.events.map((event) => ('channel' in event ? `${event.type} ${event.channel?.id}` : event.type))).toEqual([
      'ChannelDtmfReceived c1',
      'ChannelStateChange c2',
      'ChannelStateChange c1',
    ]);
    expect(at.client.stats).toMatchObject({ staleEvents: 1, bufferedEvents: 0 });
  });

  it('connects anew rather than hold back more than its limit', async () => {
    const first = gate();
    let resyncs = 0;
    at = await scene({
      maxBufferedEvents: 10,
      onResync: () => {
        resyncs += 1;
        return resyncs === 1 ? first.promise : undefined;
      },
    });
    const ready = at.client.connect();
    await at.until(() => at.resyncs.length === 1);
    for (let n = 0; n < 11; n++) at.server.event('ChannelDtmfReceived', { channel: channel('c1') });
    await ready;
    expect(at.client.stats).toMatchObject({ bufferOverflows: 1, connects: 1, bufferedEvents: 0 });
    expect(at.resyncs[0]?.signal.aborted).toBe(true);
    first.open();
    await at.client.request('GET', '/asterisk/ping');
    expect(at.events).toEqual([]);
    expect(at.client.state).toBe('ready');
  });

  it('connects anew when the owner cannot take the lists', async () => {
    let resyncs = 0;
    at = await scene({
      onResync: () => {
        resyncs += 1;
        if (resyncs === 1) throw new Error('store is down');
      },
    });
    await at.client.connect();
    expect(resyncs).toBe(2);
    expect(String(at.errors[0])).toContain('store is down');
  });
});

describe('events', () => {
  it('come in order, once each, whatever stands between them', async () => {
    at = await scene();
    await at.client.connect();
    at.server.event('ChannelDtmfReceived', { digit: '1', channel: channel('c1') });
    at.server.raw('{"type":"ChannelDtmf');
    at.server.raw('[1,2]');
    at.server.raw('null');
    at.server.event('EventOfTomorrow', { novelty: 1 });
    at.server.event('constructor');
    at.server.event('ChannelDtmfReceived', { digit: '1', channel: channel('c1') });
    await at.until(() => at.events.length === 4);
    expect(at.events.map((event) => (event.type === 'UnknownEvent' ? event.unknownType : event.type))).toEqual([
      'ChannelDtmfReceived',
      'EventOfTomorrow',
      'constructor',
      'ChannelDtmfReceived',
    ]);
    expect(at.events[1]).toMatchObject({ type: 'UnknownEvent', raw: { novelty: 1, application: 'app' } });
    expect(at.client.stats).toMatchObject({ unparsableFrames: 3, unknownEvents: 2 });
    expect(at.client.stats.events['ChannelDtmfReceived']).toBe(2);
    // Counted each time, told once a minute.
    expect(at.errors).toHaveLength(1);
    expect(at.client.state).toBe('ready');
  });

  it('go on after a handler has thrown', async () => {
    at = await scene({
      onEvent: (event) => {
        if (event.type === 'ChannelHold') throw new Error('handler broke');
      },
    });
    await at.client.connect();
    at.server.event('ChannelHold', { channel: channel('c1') });
    at.server.event('ChannelUnhold', { channel: channel('c1') });
    await at.until(() => at.events.length === 2);
    expect(at.errors.map(String)).toEqual(['Error: handler broke']);
    expect(at.client.stats.handlerErrors).toBe(1);
    expect(at.client.state).toBe('ready');
  });

  it('that exceed the frame limit cost the connection, not the process', async () => {
    at = await scene({ maxFrameBytes: 10_000 });
    await at.client.connect();
    at.server.event('ChannelUserevent', { userevent: 'x'.repeat(20_000) });
    await at.until(() => at.resyncs.length === 2 && at.client.state === 'ready');
    expect(at.events).toEqual([]);
    expect(String(at.errors[0])).toContain('Max payload size exceeded');
  });
});
