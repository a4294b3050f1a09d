/** The part of ari-client 2.2.0 that the benchmark uses; the package has no types of its own. */
declare module 'ari-client' {
  interface Client {
    channels: {
      create(options: { channelId: string; endpoint: string; app: string }): Promise<unknown>;
      dial(options: { channelId: string }): Promise<unknown>;
      hangup(options: { channelId: string }): Promise<unknown>;
    };
    bridges: {
      create(options: { bridgeId: string; type: string }): Promise<unknown>;
      addChannel(options: { bridgeId: string; channel: string }): Promise<unknown>;
      destroy(options: { bridgeId: string }): Promise<unknown>;
    };
    on(
      event: 'StasisStart' | 'ChannelStateChange' | 'ChannelDestroyed',
      listener: (event: { channel: { id: string; state: string } }) => void,
    ): void;
    start(app: string): Promise<void>;
    stop(): void;
  }
  const ari: { connect(url: string, username: string, password: string): Promise<Client> };
  export default ari;
}
