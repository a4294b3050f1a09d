import ari from 'ari-client';
import { serve, surroundings } from './child.ts';
import { TwoLegs } from './two-legs.ts';

/** The peer that the marks are set against: a script on ari-client 2.2.0, as the package is. */
const APP = 'bench-ari-client';
const { ari: at, first, second } = surroundings();
const client = await ari.connect(new URL(at.url).origin, at.username, at.password);
const legs = new TwoLegs(
  {
    create: (channelId, endpoint) => client.channels.create({ channelId, endpoint, app: APP }),
    dial: (channelId) => client.channels.dial({ channelId }),
    createBridge: (bridgeId) => client.bridges.create({ bridgeId, type: 'mixing' }),
    addChannel: (bridgeId, channel) => client.bridges.addChannel({ bridgeId, channel }),
    hangUp: (channelId) => client.channels.hangup({ channelId }),
    destroyBridge: (bridgeId) => client.bridges.destroy({ bridgeId }),
  },
  first,
  second,
);
client.on('StasisStart', ({ channel }) => legs.stasisStart(channel.id));
client.on('ChannelStateChange', ({ channel }) => legs.stateChange(channel.id, channel.state));
client.on('ChannelDestroyed', ({ channel }) => legs.destroyed(channel.id));
await client.start(APP);
serve({
  call: (id) => legs.call(id),
  close: async () => client.stop(),
});
