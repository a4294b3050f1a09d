import { createClient } from 'redis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { commitOf, company, newCall, newStore } from '../support/store-kit.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const ID = company('replica');
const PATIENCE = { timeout: 15_000, interval: 20 };

describe('an address that leads to a replica', () => {
  const redises: TestRedis[] = [];
  const stores: Store[] = [];
  let address: TcpProxy | undefined;

  afterEach(async () => {
    await Promise.all(stores.splice(0).map((s) => s.close()));
    await address?.stop();
    await Promise.all(redises.splice(0).map((r) => r.stop()));
  });

  const redis = async (): Promise<TestRedis> => {
    const started = await startRedis();
    redises.push(started);
    return started;
  };

  /** Tells a server directly. */
  const tell = async ({ url }: TestRedis, command: readonly string[]): Promise<void> => {
    const client = createClient({ url });
    await client.connect();
    await client.sendCommand(command);
    client.destroy();
  };

  const open = async (to: TestRedis) => {
    address = await TcpProxy.start('127.0.0.1', to.port);
    const made = newStore(`redis://127.0.0.1:${address.port}`, { heartbeatMs: 200 });
    stores.push(made.store);
    await made.store.connected();
    return { ...made, address };
  };

  const demote = (server: TestRedis, by: TestRedis): Promise<void> =>
    tell(server, ['REPLICAOF', '127.0.0.1', String(by.port)]);

  /** A change is stored again. */
  const stored = (store: Store): Promise<void> =>
    vi.waitFor(async () => {
      const made = newCall(ID);
      await store.calls.commit(commitOf(made));
      expect(await store.calls.load(ID, made.call.callID)).toBeDefined();
    }, PATIENCE);

  it('is looked up anew by both connections, though those that stand say nothing of it', async () => {
    const [old, next] = [await redis(), await redis()];
    const { store, told, address: name } = await open(old);
    await stored(store);
    await demote(old, next);
    name.lead('127.0.0.1', next.port);
    await expect(store.calls.commit(commitOf(newCall(ID)))).rejects.toThrow(StoreUnavailable);
    await stored(store);
    expect(told.down).toHaveLength(2);
    await vi.waitFor(() => expect(told.up).toHaveLength(4), PATIENCE);
  });

  it('is not used while it does: nothing is stored, and it is told; it is used again once it leads to a master', async () => {
    const [old, next] = [await redis(), await redis()];
    const { store, told } = await open(old);
    await demote(old, next);
    await expect(store.calls.commit(commitOf(newCall(ID)))).rejects.toThrow(StoreUnavailable);
    await vi.waitFor(() => expect(store.healthy).toBe(false), PATIENCE);
    expect(new Set(told.down)).toEqual(new Set(['ringmaster-commands', 'ringmaster-events']));
    await tell(old, ['REPLICAOF', 'NO', 'ONE']);
    await stored(store);
    expect(store.healthy).toBe(true);
  });
});
