import { afterEach } from 'vitest';
import { AmiClient, type AmiClientOptions, AmiError, type AmiState } from '../../src/ami/index.ts';
import { ScriptedAmi, type ScriptedAmiOptions } from './scripted-ami.ts';

/** Closed after each test, the last opened first. */
export const open: Array<{ close: () => Promise<void> }> = [];

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

/** A scripted server for one test. */
export async function serve(options: ScriptedAmiOptions = {}): Promise<ScriptedAmi> {
  const server = await ScriptedAmi.listen(options);
  open.push(server);
  return server;
}

/** A client of that server, not started, with waits too short to notice. */
export function clientOf(server: ScriptedAmi, options: Partial<AmiClientOptions> = {}): AmiClient {
  const client = new AmiClient({
    node: 'pbx-1',
    host: '127.0.0.1',
    port: server.port,
    username: 'rm',
    secret: 'right secret',
    reconnectMinMs: 1,
    reconnectMaxMs: 5,
    ...options,
  });
  open.push(client);
  return client;
}

/** The same, logged in. */
export async function readyClient(server: ScriptedAmi, options: Partial<AmiClientOptions> = {}): Promise<AmiClient> {
  const client = clientOf(server, options);
  client.start();
  await client.ready();
  return client;
}

/** Resolves, with the reason, when the client next enters a state. */
export const until = (client: AmiClient, state: AmiState): Promise<AmiError | undefined> =>
  new Promise((resolve) => {
    const stop = client.onState((now, reason) => {
      if (now !== state) return;
      stop();
      resolve(reason);
    });
  });

/** The AmiError that a promise is expected to end in. */
export const failure = (promise: Promise<unknown>): Promise<AmiError> =>
  promise.then(
    () => Promise.reject(new Error('it should have failed')),
    (error) => (error instanceof AmiError ? error : Promise.reject(error)),
  );
