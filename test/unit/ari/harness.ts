import { Waiting } from '../../../lab/waiting.ts';
import { AriClient, type AriClientOptions, type AriEvent, type AriState, type Resync } from '../../../src/ari/index.ts';
import { ScriptedAri } from '../../support/scripted-ari.ts';

/** A client of a scripted server, everything it tells recorded. */
export interface Scene {
  server: ScriptedAri;
  client: AriClient;
  states: AriState[];
  events: AriEvent[];
  errors: unknown[];
  resyncs: Resync[];
  /** resolves when the condition holds; looked at after everything the client tells */
  until(ready: () => boolean): Promise<void>;
  end(): Promise<void>;
}

/** Password in every scene, to look for where it must not be. */
export const PASSWORD = 'pass-word-not-to-be-seen';

/** Short times, so that what must time out does so soon. */
const FAST = {
  pingMs: 60,
  deadMs: 300,
  probeTimeoutMs: 100,
  reconnectBaseMs: 5,
  reconnectCapMs: 20,
  requestTimeoutMs: 5_000,
  handshakeTimeoutMs: 200,
} as const;

/** Starts a server and makes a client of it, not yet connected. */
export async function scene(options: Partial<AriClientOptions> = {}): Promise<Scene> {
  const server = await ScriptedAri.start();
  const states: AriState[] = [];
  const events: AriEvent[] = [];
  const errors: unknown[] = [];
  const resyncs: Resync[] = [];
  const { until, changed } = new Waiting();
  const client = new AriClient({
    node: 'node-1',
    url: server.url,
    app: 'app',
    username: 'user',
    password: PASSWORD,
    ...FAST,
    ...options,
    onEvent: (event, receivedAt) => {
      events.push(event);
      try {
        options.onEvent?.(event, receivedAt);
      } finally {
        changed();
      }
    },
    onResync: async (resync) => {
      resyncs.push(resync);
      changed();
      await options.onResync?.(resync);
    },
    onState: (state, previous) => {
      states.push(state);
      options.onState?.(state, previous);
      changed();
    },
    onError: (error) => {
      errors.push(error);
      options.onError?.(error);
      changed();
    },
  });
  return {
    server,
    client,
    states,
    events,
    errors,
    resyncs,
    until,
    end: async () => {
      await client.close();
      await server.stop();
    },
  };
}

/** Something settled from outside. */
export function gate(): { promise: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** A channel as Asterisk shows it. */
export function channel(id: string): Record<string, unknown> {
  return { id, name: `PJSIP/x-${id}`, state: 'Up' };
}
