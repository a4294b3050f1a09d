import { randomBytes } from 'node:crypto';
import type { Lab } from '../../lab/lab.ts';
import { metric, type Settings } from './ringmaster.ts';
import { RingmasterProcess } from './ringmaster-process.ts';
import { RpcClient } from './rpc-client.ts';

/** One of several processes on the same nodes and the same Redis keys. */
export class Instance {
  readonly process: RingmasterProcess;
  readonly http: string;
  readonly #ws: string;
  readonly #key: string | undefined;
  readonly #clients: RpcClient[] = [];

  private constructor(process: RingmasterProcess, at: { http: string; ws: string }, key: string | undefined) {
    this.process = process;
    this.http = at.http;
    this.#ws = at.ws;
    this.#key = key;
  }

  static async start(lab: Lab, change: (settings: Settings) => void, prefix?: string): Promise<Instance> {
    const process = new RingmasterProcess(lab, { change, ...(prefix !== undefined && { prefix }) });
    try {
      return new Instance(process, await process.listening(), lab.file.companies[0]?.keys[0]?.key);
    } catch (error) {
      // One that is left behind would take the lab's application from those that come after it.
      await process.stop();
      throw error;
    }
  }

  async client(): Promise<RpcClient> {
    const client = await RpcClient.open(this.#ws, this.#key);
    this.#clients.push(client);
    return client;
  }

  /** A client that hears all events from now on. */
  async subscriber(): Promise<RpcClient> {
    const client = await this.client();
    await client.call('Subscribe', {});
    return client;
  }

  /** Waits until it serves the calls of this shard. */
  async served(shard = 'ringmaster@pbx-1'): Promise<void> {
    await this.process.logged('the shard is served', (line) => line['shard'] === shard);
  }

  /** Waits until it serves the calls of this shard for so many times. */
  async servedAgain(times = 2, shard = 'ringmaster@pbx-1'): Promise<void> {
    const isIt = (line: { readonly [field: string]: unknown }) => line['shard'] === shard;
    await this.process.logged(
      'the shard is served',
      (line, before) => isIt(line) && before.filter(isIt).length + 1 >= times,
    );
  }

  /** A metric's value; the sum where it has labels. */
  metric(name: string): Promise<number> {
    return metric(this.http, name);
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#clients.splice(0).map((client) => client.close()));
    await this.process.stop();
  }
}

/** Two instances of which the first owns everything. */
export interface Instances {
  readonly owner: Instance;
  readonly standby: Instance;
  readonly prefix: string;
  stop(): Promise<void>;
}

/** Starts two instances that can ask each other, one after the other. @param more what else is different from the lab's settings */
export async function instances(
  lab: Lab,
  more: (settings: Settings, whose: 'owner' | 'standby') => void,
): Promise<Instances> {
  const secret = randomBytes(24).toString('hex');
  const changeOf =
    (whose: 'owner' | 'standby') =>
    (settings: Settings): void => {
      settings['cluster'] = { peers: { secret } };
      more(settings, whose);
    };
  const owner = await Instance.start(lab, changeOf('owner'));
  try {
    const { prefix } = owner.process;
    const standby = await Instance.start(lab, changeOf('standby'), prefix);
    const stop = async (): Promise<void> => {
      await Promise.all([owner.stop(), standby.stop()]);
    };
    return { owner, standby, prefix, stop };
  } catch (error) {
    await owner.stop();
    throw error;
  }
}
