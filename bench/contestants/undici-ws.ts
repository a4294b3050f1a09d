import { once } from 'node:events';
import { Pool } from 'undici';
import { WebSocket } from 'ws';
import { serve, surroundings } from './child.ts';
import { TwoLegs } from './two-legs.ts';

/** A script with no ARI library at all: a pool of HTTP connections and a WebSocket, no event filter. */
const APP = 'bench-undici-ws';
const { ari, first, second } = surroundings();
const authorization = `Basic ${Buffer.from(`${ari.username}:${ari.password}`).toString('base64')}`;
const root = new URL(ari.url);
const pool = new Pool(root.origin, { connections: 16 });

async function ask(method: 'POST' | 'DELETE', path: string): Promise<void> {
  const { statusCode, body } = await pool.request({
    method,
    path: `${root.pathname}${path}`,
    headers: { authorization },
  });
  await body.dump();
  if (statusCode >= 300) throw new Error(`${method} ${path.split('?')[0]} answered ${statusCode}`);
}

const legs = new TwoLegs(
  {
    create: (channel, endpoint) =>
      ask('POST', `/channels/create?app=${APP}&channelId=${channel}&endpoint=${encodeURIComponent(endpoint)}`),
    dial: (channel) => ask('POST', `/channels/${channel}/dial`),
    createBridge: (bridge) => ask('POST', `/bridges/${bridge}?type=mixing`),
    addChannel: (bridge, channel) => ask('POST', `/bridges/${bridge}/addChannel?channel=${channel}`),
    hangUp: (channel) => ask('DELETE', `/channels/${channel}`),
    destroyBridge: (bridge) => ask('DELETE', `/bridges/${bridge}`),
  },
  first,
  second,
);

interface ChannelEvent {
  readonly type: string;
  readonly channel: { readonly id: string; readonly state: string };
}

const socket = new WebSocket(`${ari.url.replace('http', 'ws')}/events?app=${APP}`, { headers: { authorization } });
socket.on('message', (data) => {
  const { type, channel } = JSON.parse(data.toString()) as ChannelEvent;
  if (type === 'StasisStart') legs.stasisStart(channel.id);
  else if (type === 'ChannelStateChange') legs.stateChange(channel.id, channel.state);
  else if (type === 'ChannelDestroyed') legs.destroyed(channel.id);
});
await once(socket, 'open');
serve({
  call: (id) => legs.call(id),
  close: async () => {
    socket.close();
    await pool.close();
  },
});
