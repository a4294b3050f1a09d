import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Lab } from '../../lab/lab.ts';
import { header } from '../../lab/phone/message.ts';
import type { Phone } from '../../lab/phone/phone.ts';
import {
  AmiClient,
  type AmiClientOptions,
  AmiError,
  type AmiMessage,
  type AmiState,
  command,
  coreStatus,
  listContacts,
  listDeviceStates,
  mixMonitor,
  muteMixMonitor,
  pjsipNotify,
  stopMixMonitor,
} from '../../src/ami/index.ts';
import { loadConfig } from '../../src/config.ts';
import { about, BareAri, openAgentPhone, testLab } from '../support/lab.ts';

/** The AMI client against a real Asterisk. */
describe('AMI', () => {
  let lab: Lab;
  const clients: AmiClient[] = [];
  const closing: Array<() => Promise<unknown>> = [];
  /** A user of the test's own, with the classes that the service's user rightly lacks. */
  const tester = { username: 'tester', secret: randomBytes(12).toString('hex') };
  let managerConf = '';
  let before = '';

  beforeAll(async () => {
    lab = await testLab();
    managerConf = join(lab.file.asterisk.folder, 'etc', 'manager.conf');
    before = readFileSync(managerConf, 'utf8');
    appendFileSync(
      managerConf,
      `\n[${tester.username}]\nsecret = ${tester.secret}\npermit = 127.0.0.1/255.255.255.255\nread = all\nwrite = all\n`,
    );
    await lab.rasterisk('manager reload');
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    for (const close of closing.splice(0).reverse()) await close();
  });

  afterAll(async () => {
    writeFileSync(managerConf, before);
    await lab.rasterisk('manager reload');
  });

  function clientOf(options: Partial<AmiClientOptions> = {}): AmiClient {
    const client = new AmiClient({
      node: 'pbx-1',
      ...lab.file.asterisk.ami,
      reconnectMinMs: 50,
      reconnectMaxMs: 500,
      ...options,
    });
    clients.push(client);
    return client;
  }

  async function readyClient(options: Partial<AmiClientOptions> = {}): Promise<AmiClient> {
    const client = clientOf(options);
    client.start();
    await client.ready({ timeoutMs: 10_000 });
    return client;
  }

  const failure = (promise: Promise<unknown>): Promise<AmiError> =>
    promise.then(
      () => Promise.reject(new Error('it should have failed')),
      (error) => (error instanceof AmiError ? error : Promise.reject(error)),
    );

  const nextEvent = (client: AmiClient, name: string, wanted: (event: AmiMessage) => boolean = () => true) =>
    new Promise<AmiMessage>((resolve) => {
      const stop = client.onEvent(name, (event) => {
        if (!wanted(event)) return;
        stop();
        resolve(event);
      });
    });

  const nextState = (client: AmiClient, wanted: AmiState): Promise<void> =>
    new Promise((resolve) => {
      const stop = client.onState((state) => {
        if (state !== wanted) return;
        stop();
        resolve();
      });
    });

  /** A leg of a telephone of the test's own, ringing. */
  async function ringingLeg(dn: string): Promise<{ ari: BareAri; channelId: string; phone: Phone }> {
    const phone = await openAgentPhone(lab, dn);
    closing.push(() => phone.close());
    const ari = await BareAri.open(lab);
    closing.push(() => ari.close());
    const channelId = `ami-test-${randomBytes(6).toString('hex')}`;
    await ari.ask('POST', '/channels/create', { endpoint: `PJSIP/${dn}`, app: lab.file.asterisk.ari.app, channelId });
    closing.push(() => ari.ask('DELETE', `/channels/${channelId}`));
    await ari.event('StasisStart', about(channelId));
    await ari.ask('POST', `/channels/${channelId}/dial?timeout=20`);
    return { ari, channelId, phone };
  }

  test('logs in with a filter, is told that Asterisk has booted, and keeps the connection with Pings', async () => {
    const client = clientOf({ events: ['FullyBooted', 'ContactStatus'], pingIntervalMs: 20 });
    const booted = nextEvent(client, 'FullyBooted');
    client.start();
    await client.ready();
    expect((await booted).get('Status')).toBe('Fully Booted');
    expect(client.stats.filtersRefused).toBe(0);
    expect((await client.action({ Action: 'Ping' })).get('Ping')).toBe('Pong');
    const status = await coreStatus(client);
    expect(status.startup).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(status.currentCalls).toBeGreaterThanOrEqual(0);
  });

  test('logs in by challenge', async () => {
    const client = await readyClient({ auth: 'md5' });
    expect((await client.action({ Action: 'Ping' })).ok).toBe(true);
  });

  test.each(['plain', 'md5'] as const)('says so when the secret is wrong (%s)', async (auth) => {
    const client = clientOf({ auth, secret: 'not the secret' });
    client.start();
    const error = await failure(client.ready({ timeoutMs: 10_000 }));
    expect(error).toMatchObject({ code: 'login-refused', node: 'pbx-1' });
    expect(error.message).toContain('Authentication failed');
    expect(error.message).not.toContain('not the secret');
  });

  test('runs a command for a user who may, and not for the service’s own', async () => {
    const allowed = await readyClient(tester);
    const output = await command(allowed, 'core show version');
    expect(output.join('\n')).toMatch(/^Asterisk \d+\./);
    const modules = await command(allowed, 'module show');
    expect(modules.length).toBeGreaterThan(100);
    const unknown = await failure(command(allowed, 'no such thing'));
    expect(unknown.response?.output.join()).toContain("No such command 'no such thing'");
    expect(await failure(command(await readyClient(), 'core show version'))).toMatchObject({ code: 'refused' });
  });

  test('gathers lists: contacts and device states', async () => {
    const phone = await openAgentPhone(lab, '1018');
    closing.push(() => phone.close());
    const client = await readyClient();
    const contact = (await listContacts(client)).find((one) => one.endpoint === '1018');
    expect(contact?.uri).toContain(`:${phone.port}`);
    expect((await listDeviceStates(client)).get('PJSIP/1018')).toBe('NOT_INUSE');
    const endpoints = await client.list({ Action: 'PJSIPShowEndpoints' });
    expect(String(endpoints.items.length)).toBe(endpoints.complete.get('ListItems'));
  });

  test('hears of a contact that registers, and of nothing that it did not ask for', async () => {
    const client = await readyClient({ events: ['ContactStatus'] });
    const names = new Set<string>();
    client.onEvent('*', (event) => names.add(event.name));
    const created = nextEvent(
      client,
      'ContactStatus',
      (event) => event.get('AOR') === '1019' && event.get('ContactStatus') !== 'Removed',
    );
    const phone = await openAgentPhone(lab, '1019');
    closing.push(() => phone.close());
    expect((await created).get('URI')).toContain(`:${phone.port}`);
    const removed = nextEvent(client, 'ContactStatus', (event) => event.get('AOR') === '1019');
    await phone.unregister();
    expect((await removed).get('ContactStatus')).toBe('Removed');
    expect([...names]).toEqual(['ContactStatus']);
  });

  test('sends a NOTIFY whose headers arrive as they were written', async () => {
    const { phone } = await ringingLeg('1018');
    const call = await phone.nextCall();
    call.ring();
    const client = await readyClient();
    const odd = 'a,b "c" (d [e\\f; g=h';
    await pjsipNotify(client, { endpoint: '1018' }, [
      ['Event', 'talk'],
      ['X-Note', odd],
    ]);
    const { message } = await call.waitFor('talk');
    expect(message && header(message, 'X-Note')).toBe(odd);
    expect(message && header(message, 'Event')).toBe('talk');
    expect(await failure(pjsipNotify(client, { endpoint: 'nobody' }, [['Event', 'talk']]))).toMatchObject({
      code: 'refused',
    });
  });

  test('records a channel with MixMonitor, silences the recording and stops it', async () => {
    const { ari, channelId, phone } = await ringingLeg('1018');
    const call = await phone.nextCall();
    await call.answer();
    await ari.event('ChannelStateChange', (event) => about(channelId)(event) && JSON.stringify(event).includes('"Up"'));
    const { body } = await ari.ask('GET', `/channels/${channelId}`);
    const channel = String((body as { name: string }).name);
    const client = await readyClient({ events: ['MixMonitorStart', 'MixMonitorMute', 'MixMonitorStop'] });
    const [started, muted, stopped] = ['Start', 'Mute', 'Stop'].map((what) => nextEvent(client, `MixMonitor${what}`));
    const id = await mixMonitor(client, channel, { file: `${channelId}.wav` });
    expect(id).toMatch(/^0x[0-9a-f]+$/);
    expect((await started)?.get('Channel')).toBe(channel);
    await muteMixMonitor(client, channel, 'both', true);
    expect((await muted)?.get('State')).toBe('1');
    await stopMixMonitor(client, channel, id);
    expect((await stopped)?.get('Channel')).toBe(channel);
    expect(await failure(mixMonitor(client, channel, { file: 'x.wav,,touch /tmp/x' }))).toMatchObject({
      code: 'invalid-field',
    });
    expect(await failure(mixMonitor(client, 'PJSIP/none', { file: 'x.wav' }))).toMatchObject({ code: 'refused' });
  });

  test('takes lines as long and messages as many-lined as Asterisk does, and sends none that are longer', async () => {
    const client = await readyClient(tester);
    const event = nextEvent(client, 'UserEvent', (one) => one.get('UserEvent') === 'long');
    await client.action({ Action: 'UserEvent', UserEvent: 'long', X: 'y'.repeat(1_019) });
    expect((await event).get('X')).toBe('y'.repeat(1_019));
    expect(
      await failure(client.action({ Action: 'UserEvent', UserEvent: 'long', X: 'y'.repeat(1_020) })),
    ).toMatchObject({ code: 'invalid-field' });
    const most = Array.from({ length: 125 }, (_, i) => `v${i}`);
    expect((await client.action({ Action: 'UserEvent', UserEvent: 'many', V: most })).ok).toBe(true);
  });

  test('connects again when the connection is cut, and knows the loss', async () => {
    const relay = await openRelay(lab.file.asterisk.ami.port);
    closing.push(() => relay.close());
    const client = await readyClient({ port: relay.port });
    const again = nextState(client, 'ready');
    relay.hold();
    const lost = failure(client.action({ Action: 'Ping' }));
    relay.cut();
    expect(await lost).toMatchObject({ code: 'connection-lost', retryable: true, sent: true });
    relay.release();
    await again;
    expect((await client.action({ Action: 'Ping' })).get('Ping')).toBe('Pong');
    expect(client.stats).toMatchObject({ connects: 2, disconnects: 1 });
  });

  test('notices a connection on which nothing comes any more', async () => {
    const relay = await openRelay(lab.file.asterisk.ami.port);
    closing.push(() => relay.close());
    const client = await readyClient({ port: relay.port, pingIntervalMs: 50, pingTimeoutMs: 500 });
    const waiting = nextState(client, 'waiting');
    relay.hold();
    await waiting;
    expect(client.lastError?.message).toContain('no answer to a Ping');
    const again = nextState(client, 'ready');
    relay.release();
    await again;
    expect(client.state).toBe('ready');
  });

  test('is told when Asterisk stops and, connected again, that it has booted', async () => {
    const client = await readyClient({ events: ['FullyBooted', 'Shutdown'] });
    const before = await coreStatus(client);
    const shutdown = nextEvent(client, 'Shutdown');
    const waiting = nextState(client, 'waiting');
    const restarted = lab.restartAsterisk();
    const booted = waiting.then(() => nextEvent(client, 'FullyBooted'));
    expect((await shutdown).get('Shutdown')).toBeDefined();
    expect((await booted).get('Status')).toBe('Fully Booted');
    await restarted;
    await client.ready({ timeoutMs: 30_000 });
    const after = await coreStatus(client);
    expect(after.startup >= before.startup).toBe(true);
    expect(client.stats.connects).toBe(2);
  });
});

test('the lab’s own configuration is one that the service takes', async () => {
  const lab = await testLab();
  const config = loadConfig(join(lab.file.dir, 'ringmaster.yaml'), {});
  expect(config.nodes[0]?.ami).toMatchObject({
    port: lab.file.asterisk.ami.port,
    username: lab.file.asterisk.ami.username,
  });
});

/** Something between client and Asterisk that can stop passing bytes on, and cut the connection. */
async function openRelay(target: number) {
  const sockets = new Set<Socket>();
  let held = false;
  const server: Server = createServer((near) => {
    const far = dial({ host: '127.0.0.1', port: target });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!held) to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => {
      held = true;
    },
    release: () => {
      held = false;
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
