import { describe, expect, it } from 'vitest';
import { AmiClient } from '../../../src/ami/index.ts';
import { clientOf, failure, open, readyClient, serve, until } from '../../support/ami-client.ts';

describe('AMI client: losing the connection', () => {
  it('rejects what was under way when the connection goes in the middle of a list, and connects again', async () => {
    const server = await serve();
    let cut = true;
    server.script = (action, peer) => {
      if (action.get('Action') !== 'CoreShowChannels') return false;
      const id = `ActionID: ${action.get('ActionID')}`;
      peer.send('Response: Success', id, 'EventList: start');
      peer.send('Event: CoreShowChannel', id, 'Channel: PJSIP/1');
      if (cut) {
        // Half a message, then the end: nothing of it may show up on the next connection.
        peer.socket.write('Event: CoreShowChannel\r\nChannel: PJSIP/stale');
        peer.socket.end();
      } else {
        peer.send('Event: CoreShowChannelsComplete', id, 'EventList: Complete', 'ListItems: 1');
      }
      return true;
    };
    const client = await readyClient(server);
    const again = until(client, 'ready');
    const waiting = until(client, 'waiting');
    expect(await failure(client.list({ Action: 'CoreShowChannels' }))).toMatchObject({
      code: 'connection-lost',
      retryable: true,
      sent: true,
    });
    expect(await waiting).toMatchObject({ code: 'connection-lost' });
    cut = false;
    await again;
    const list = await client.list({ Action: 'CoreShowChannels' });
    expect(list.items.map((item) => item.get('Channel'))).toEqual(['PJSIP/1']);
    expect(client.stats).toMatchObject({ connects: 2, disconnects: 1, pending: 0 });
  });

  it('notices a switch that no longer answers', async () => {
    const server = await serve();
    const client = await readyClient(server, { pingIntervalMs: 5, pingTimeoutMs: 20 });
    await server.until(() => server.count('Ping') >= 2);
    server.script = (action) => action.get('Action') === 'Ping';
    const reason = await until(client, 'waiting');
    expect(reason?.message).toContain('no answer to a Ping');
    server.script = undefined;
    await until(client, 'ready');
    expect(server.peers.length).toBeGreaterThanOrEqual(2);
  });

  it('goes on trying while nothing listens, waiting longer and never beyond the bound', async () => {
    const server = await serve();
    const { port } = server;
    await server.close();
    const draws: number[] = [];
    const client = new AmiClient({
      node: 'pbx-1',
      host: '127.0.0.1',
      port,
      username: 'rm',
      secret: 's',
      reconnectMinMs: 1,
      reconnectMaxMs: 4,
      random: () => {
        draws.push(draws.length);
        return 1;
      },
    });
    open.push(client);
    client.start();
    for (let tries = 0; tries < 8; tries += 1) {
      expect(await until(client, 'waiting')).toMatchObject({ code: 'connection-lost', retryable: true });
    }
    expect(draws.length).toBeGreaterThanOrEqual(7);
  });

  it('closes at any time, more than once, and tries no more', async () => {
    const server = await serve();
    const client = clientOf(server);
    const ready = failure(client.ready());
    client.start();
    await Promise.all([client.close(), client.close()]);
    expect(client.state).toBe('closed');
    expect((await ready).code).toBe('closed');
    client.start();
    expect(client.state).toBe('closed');
  });

  it('survives garbage', async () => {
    const server = await serve();
    const client = await readyClient(server);
    server.peers[0]?.socket.write(Buffer.from([0xff, 0x00, 0x0a, 0x0a, 0x3a, 0x0d, 0x0a, 0x0a, 0xc3, 0x28, 0x0a]));
    server.peers[0]?.socket.write('\r\n\r\nWhat: ever\r\n\r\nEvent\r\n\r\n');
    expect((await client.action({ Action: 'Ping' })).get('Ping')).toBe('Pong');
    expect(client.stats.malformedLines).toBeGreaterThanOrEqual(3);
    expect(client.stats.connects).toBe(1);
  });
});
