import { afterEach, describe, expect, it } from 'vitest';
import { AriClient, AriError, type CarrierName } from '../../../src/ari/index.ts';
import type { ScriptedRequest } from '../../support/scripted-ari.ts';
import { channel, gate, PASSWORD, type Scene, scene } from './harness.ts';

let at: Scene;
afterEach(() => at?.end());

/** The requests that tests send, without those of the connection itself. */
function sent(): ScriptedRequest[] {
  return at.server.requests.filter(
    (request) => !/^\/(asterisk\/ping|channels|bridges|applications\/app\/eventFilter)$/.test(request.path),
  );
}

describe.each(['http', 'websocket'] as const)('requests by %s', (carrier: CarrierName) => {
  it('give the parsed answer', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    at.server.script = (request) =>
      request.path === '/channels/c1' ? { status: 200, body: channel('c1') } : undefined;
    expect(await at.client.channels.get('c1')).toEqual(channel('c1'));
    expect(await at.client.channels.answer('c1')).toBeUndefined();
    expect(sent().map((request) => request.carrier)).toEqual([carrier, carrier]);
  });

  it('reject with the status and what Asterisk says', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    at.server.script = (request) =>
      request.path.startsWith('/channels/')
        ? { status: Number(request.path.slice(10, 13)), body: { message: `message ${request.path.slice(10, 13)}` } }
        : undefined;
    for (const [status, retryable] of [
      [400, false],
      [401, false],
      [404, false],
      [409, false],
      [412, false],
      [500, false],
      [503, true],
      [302, false],
    ] as const) {
      const error = await at.client.channels.mute(`${status}`, 'in').catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(AriError);
      expect(error).toMatchObject({
        node: 'node-1',
        method: 'POST',
        path: `/channels/${status}/mute`,
        kind: 'status',
        status,
        retryable,
        reason: `message ${status}`,
      });
    }
    expect(at.client.stats.requests.status).toBe(8);
  });

  it('reject when no answer comes in time, and take no harm from one that comes late', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    const late = gate();
    at.server.script = async (request) => {
      if (request.path !== '/channels/slow/answer') return undefined;
      await late.promise;
      return { status: 204 };
    };
    await expect(at.client.channels.answer('slow', { timeoutMs: 50 })).rejects.toMatchObject({
      kind: 'timeout',
      retryable: true,
    });
    late.open();
    await at.client.channels.answer('fast');
    expect(at.client.stats.requests).toMatchObject({ timeout: 1 });
    expect(at.client.stats).toMatchObject({ inFlightHttp: 0, inFlightWebSocket: 0 });
    expect(at.client.state).toBe('ready');
  });

  it('reject when aborted, before and after they were sent', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    at.server.script = (request) => (request.path === '/channels/slow/answer' ? 'hang' : undefined);
    await expect(at.client.channels.answer('never', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: 'aborted',
    });
    const abort = new AbortController();
    const slow = at.client.channels.answer('slow', { signal: abort.signal });
    await at.server.until(() => sent().length === 1);
    abort.abort();
    await expect(slow).rejects.toMatchObject({ kind: 'aborted', retryable: false });
    expect(sent().map((request) => request.path)).toEqual(['/channels/slow/answer']);
    expect(at.client.stats).toMatchObject({ inFlightHttp: 0, inFlightWebSocket: 0 });
  });

  it('reject when the connection is dropped with them under way', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    at.server.script = (request) =>
      request.path === '/channels/c1/answer' ? 'hang' : request.path === '/channels/c2/answer' ? 'drop' : undefined;
    const hanging = at.client.channels.answer('c1');
    await at.server.until(() => sent().length === 1);
    await expect(at.client.channels.answer('c2')).rejects.toMatchObject({ kind: 'connection', retryable: true });
    if (carrier === 'http') at.server.cutAll();
    await expect(hanging).rejects.toMatchObject({ kind: 'connection', retryable: true });
  });

  it('reject when the client is closed with them under way, and ever after', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    at.server.script = (request) => (request.path.endsWith('/answer') ? 'hang' : undefined);
    const outcomes = Promise.allSettled(Array.from({ length: 40 }, (_, n) => at.client.channels.answer(`c${n}`)));
    await at.server.until(() => sent().length > 0);
    await at.client.close();
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { kind: 'closed' } });
    await expect(at.client.channels.answer('c1')).rejects.toMatchObject({ kind: 'closed', retryable: false });
    expect(at.client.stats).toMatchObject({ inFlightHttp: 0, inFlightWebSocket: 0 });
  });

  it('find their own answer when answers come out of order', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    const gates = new Map(['a', 'b', 'c'].map((id) => [id, gate()]));
    at.server.script = async (request) => {
      const id = /^\/channels\/(\w)$/.exec(request.path)?.[1];
      if (id === undefined) return undefined;
      await gates.get(id)?.promise;
      return { status: 200, body: channel(id) };
    };
    const order: string[] = [];
    const requests = ['a', 'b', 'c'].map(async (id) => {
      const found = await at.client.channels.get(id);
      order.push(found.id);
      expect(found.id).toBe(id);
    });
    await at.server.until(() => sent().length === 3);
    for (const [index, id] of ['c', 'a', 'b'].entries()) {
      gates.get(id)?.open();
      const settled = requests['abc'.indexOf(id)];
      await settled;
      expect(order).toHaveLength(index + 1);
    }
    expect(order).toEqual(['c', 'a', 'b']);
  });

  it('reject an answer that is not JSON', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    at.server.script = (request) => (request.path === '/channels/c1' ? { status: 200, raw: '<html>' } : undefined);
    await expect(at.client.channels.get('c1')).rejects.toMatchObject({ kind: 'malformed' });
  });

  it('treat a repeated creation and the end of what is gone as done', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    at.server.script = (request) => {
      if (request.method === 'POST' && request.path === '/channels/create') {
        return { status: 409, body: { message: 'exists' } };
      }
      if (request.method === 'POST' && request.path === '/bridges/b1') return { status: 200, body: { id: 'b1' } };
      return request.method === 'DELETE' ? { status: 404, body: { message: 'not found' } } : undefined;
    };
    expect(await at.client.channels.create({ channelId: 'c1', endpoint: 'PJSIP/x', app: 'app' })).toEqual({
      existed: true,
    });
    expect(await at.client.bridges.create({ bridgeId: 'b1', type: 'mixing' })).toEqual({
      existed: false,
      value: { id: 'b1' },
    });
    expect(await at.client.channels.hangup('c1', 'busy')).toEqual({ gone: true });
    expect(await at.client.bridges.destroy('b1')).toEqual({ gone: true });
    expect(await at.client.playbacks.stop('p1')).toEqual({ gone: true });
    expect(sent().map((request) => `${request.method} ${request.uri}`)).toEqual([
      'POST /channels/create',
      'POST /bridges/b1',
      'DELETE /channels/c1?reason=busy',
      'DELETE /bridges/b1',
      'DELETE /playbacks/p1',
    ]);
    expect(sent()[1]?.body).toEqual({ type: 'mixing' });
  });

  it('escape what is given to them', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    await at.client.bridges.addChannel('b/1', ['c;1', 'ü&?']);
    await at.client.channels.setVariable('c1', 'A', '"\\\n\u2028"');
    expect(sent()[0]?.uri).toBe('/bridges/b%2F1/addChannel?channel=c%3B1%2C%C3%BC%26%3F');
    expect(sent()[1]?.body).toEqual({ variable: 'A', value: '"\\\n\u2028"' });
  });

  it('keep values out of errors', async () => {
    at = await scene({ carrier, carriers: { blocking: carrier } });
    await at.client.connect();
    at.server.script = (request) => (request.method === 'POST' ? { status: 404 } : undefined);
    const errors = await Promise.all([
      at.client.channels.dtmf('c1', '4711').catch(String),
      at.client.channels.dial('c1', { caller: '4711' }).catch(String),
    ]);
    expect(errors).toHaveLength(2);
    expect(errors.join()).not.toContain('4711');
    expect(errors.join()).not.toContain(PASSWORD);
  });
});

describe('choosing the carrier', () => {
  it('uses HTTP where the event socket leaves requests unanswered', async () => {
    at = await scene();
    at.server.restOverWebSocket = false;
    await at.client.connect();
    expect(at.client.hasWebSocketCarrier).toBe(false);
    await at.client.channels.answer('c1');
    expect(sent()).toMatchObject([{ carrier: 'http', path: '/channels/c1/answer' }]);
    expect(at.client.stats.requests.timeout).toBe(1);
  });

  it('finds out anew with each connection', async () => {
    at = await scene();
    at.server.restOverWebSocket = false;
    await at.client.connect();
    at.server.restOverWebSocket = true;
    at.server.cut();
    await at.until(() => at.resyncs.length === 2 && at.client.state === 'ready');
    expect(at.client.hasWebSocketCarrier).toBe(true);
  });

  it('refuses such a node when told to use the event socket', async () => {
    at = await scene({ carrier: 'websocket' });
    at.server.restOverWebSocket = false;
    await expect(at.client.connect(500)).rejects.toMatchObject({ kind: 'timeout' });
    expect(at.client.stats.connects).toBe(0);
  });

  it('fetches lists and files by HTTP, what the options say by HTTP, large bodies by HTTP, the rest on the socket', async () => {
    at = await scene({ carriers: { blocking: 'http' } });
    await at.client.connect();
    at.server.script = (request) =>
      request.path.endsWith('/file')
        ? { status: 200, raw: Buffer.from([0, 255, 1]) }
        : request.path === '/endpoints' || request.path === '/recordings/stored'
          ? { status: 200, body: [] }
          : undefined;
    await at.client.endpoints.list();
    await at.client.recordings.listStored();
    expect([...(await at.client.recordings.file('r1'))]).toEqual([0, 255, 1]);
    await at.client.bridges.addChannel('b1', 'c1');
    await at.client.channels.continue('c1', { context: 'x'.repeat(30_000) });
    await at.client.channels.ring('c1');
    expect(sent().map((request) => request.carrier)).toEqual(['http', 'http', 'http', 'http', 'http', 'websocket']);
  });

  it('goes over to HTTP above the depth of the socket', async () => {
    at = await scene({ websocketDepth: 2 });
    await at.client.connect();
    at.server.script = (request) => (request.path.endsWith('/ring') ? 'hang' : undefined);
    const rings = ['a', 'b', 'c'].map((id) => at.client.channels.ring(id, { timeoutMs: 100 }));
    const outcomes = await Promise.allSettled(rings);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(
      sent()
        .map((request) => request.carrier)
        .sort(),
    ).toEqual(['http', 'websocket', 'websocket']);
  });

  it('works by HTTP while there is no event socket', async () => {
    at = await scene();
    await at.client.channels.answer('c1');
    expect(sent()).toMatchObject([{ carrier: 'http' }]);
  });
});

describe('limits', () => {
  it('refuses more requests than may be under way', async () => {
    at = await scene({ carrier: 'http', maxInFlight: 3 });
    at.server.script = (request) => (request.path.endsWith('/ring') ? 'hang' : undefined);
    const rings = ['a', 'b', 'c', 'd'].map((id) => at.client.channels.ring(id, { timeoutMs: 100 }));
    const outcomes = await Promise.allSettled(rings);
    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.kind : 'ok'))).toEqual([
      'timeout',
      'timeout',
      'timeout',
      'overload',
    ]);
  });

  it('gives up an answer above the size limit', async () => {
    at = await scene({ carrier: 'http', maxResponseBytes: 1_000 });
    at.server.script = (request) =>
      request.path === '/channels/c1' ? { status: 200, raw: JSON.stringify('x'.repeat(200_000)) } : undefined;
    await expect(at.client.channels.get('c1')).rejects.toMatchObject({ kind: 'too-large', retryable: false });
    await at.client.channels.answer('c1');
    expect(at.client.stats.inFlightHttp).toBe(0);
  });

  it('follows no redirect', async () => {
    at = await scene({ carrier: 'http' });
    at.server.script = (request) =>
      request.path === '/channels/c1' ? { status: 302, headers: { location: '/ari/channels/c2' } } : undefined;
    await expect(at.client.channels.get('c1')).rejects.toMatchObject({ status: 302 });
    expect(sent().map((request) => request.path)).toEqual(['/channels/c1']);
  });

  it('never sends a request whose time was over before a connection was free', async () => {
    at = await scene({ carrier: 'http', connections: 1 });
    const first = gate();
    at.server.script = async (request) => {
      if (request.path === '/channels/first/ring') await first.promise;
      return undefined;
    };
    const ring = at.client.channels.ring('first');
    await at.server.until(() => sent().length === 1);
    await expect(at.client.channels.ring('second', { timeoutMs: 20 })).rejects.toMatchObject({ kind: 'timeout' });
    first.open();
    await ring;
    await at.client.channels.ring('third');
    expect(sent().map((request) => request.path)).toEqual(['/channels/first/ring', '/channels/third/ring']);
  });

  it('rejects at once while nothing listens', async () => {
    at = await scene({ carrier: 'http' });
    await at.server.stop();
    await expect(at.client.channels.ring('c1')).rejects.toMatchObject({ kind: 'connection', retryable: true });
  });

  it('tells the latency of each request', async () => {
    const seen: string[] = [];
    at = await scene({
      onLatency: (carrier, method, outcome, ms) => seen.push(`${carrier} ${method} ${outcome} ${ms >= 0}`),
    });
    await at.client.connect();
    seen.length = 0;
    await at.client.channels.ring('c1');
    await expect(at.client.channels.get('c1')).rejects.toMatchObject({ status: 404 });
    expect(seen).toEqual(['websocket POST ok true', 'websocket GET status true']);
  });
});

describe('options', () => {
  const plain = {
    node: 'n',
    url: 'http://127.0.0.1/ari',
    app: 'app',
    username: 'user',
    password: PASSWORD,
    onEvent: () => undefined,
  };

  it.each([['ftp://127.0.0.1/ari'], ['http://user:secret@127.0.0.1/ari'], ['http://127.0.0.1/ari?api_key=x']])(
    'refuses the URL %s',
    (url) => {
      expect(() => new AriClient({ ...plain, url })).toThrow(TypeError);
    },
  );

  it('refuses to filter the answers out', () => {
    expect(() => new AriClient({ ...plain, disallow: ['RESTResponse'] })).toThrow(TypeError);
  });
});
