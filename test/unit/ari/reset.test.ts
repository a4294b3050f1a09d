import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AriClient } from '../../../src/ari/index.ts';
import { ScriptedAri } from '../../support/scripted-ari.ts';

/** A network to a scripted node that sees how the client's connections end. */
describe('connections that are given up', () => {
  let node: ScriptedAri;
  let network: Server;
  let client: AriClient;
  /** How each connection of the client's ended. */
  let ends: string[];
  let silent: boolean;

  beforeEach(async () => {
    ends = [];
    silent = false;
    node = await ScriptedAri.start();
    const far = new URL(node.url);
    const open = (near: Socket): void => {
      const to = connect(Number(far.port), far.hostname);
      near.on('data', (data) => silent || to.write(data));
      to.on('data', (data) => silent || near.write(data));
      near.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
      near.on('end', () => ends.push('closed'));
      near.on('close', () => to.destroy());
      to.on('close', () => near.destroy());
      to.on('error', () => near.destroy());
    };
    network = createServer(open);
    await new Promise<void>((resolve) => network.listen(0, '127.0.0.1', resolve));
    client = new AriClient({
      node: 'node-1',
      url: `http://127.0.0.1:${(network.address() as AddressInfo).port}/ari`,
      app: 'app',
      username: 'user',
      password: 'word',
      pingMs: 60,
      deadMs: 300,
      onEvent: () => undefined,
    });
    await client.connect();
  });

  afterEach(async () => {
    await client.close();
    await node.stop();
    await new Promise((resolve) => network.close(resolve));
  });

  /** A request that is not answered; over a connection of its own, as those of lists are. */
  const ask = (): Promise<void> => {
    node.script = ({ path }) => (path === '/channels' ? 'hang' : undefined);
    const asked = node.requests.length;
    client.request('GET', '/channels').catch(() => undefined);
    return vi.waitFor(() => expect(node.requests.length).toBeGreaterThan(asked));
  };

  it('are reset, so that nothing that was sent arrives later', async () => {
    await ask();
    await client.close(true);
    await vi.waitFor(() => expect(ends.length).toBeGreaterThan(1));
    expect(new Set(ends)).toEqual(new Set(['ECONNRESET']));
  });

  it('are closed in order where nothing is to be taken back', async () => {
    await ask();
    await client.close();
    await vi.waitFor(() => expect(ends.length).toBeGreaterThan(1));
    expect(new Set(ends)).toEqual(new Set(['closed']));
  });

  it('an event socket over which nothing comes is reset too', async () => {
    silent = true;
    await vi.waitFor(() => expect(ends).toContain('ECONNRESET'), { timeout: 5_000 });
  });
});
