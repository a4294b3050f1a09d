import { describe, expect, it } from 'vitest';
import { command, listContacts } from '../../../src/ami/index.ts';
import { clientOf, failure, readyClient, serve } from '../../support/ami-client.ts';

describe('AMI client: actions', () => {
  it('matches answers by ActionID in whatever order they come', async () => {
    const server = await serve();
    const held: Array<() => void> = [];
    server.script = (action, peer) => {
      if (action.get('Action') !== 'Echo') return false;
      held.push(() =>
        peer.send('Response: Success', `ActionID: ${action.get('ActionID')}`, `Word: ${action.get('Word')}`),
      );
      if (held.length === 3) for (const answer of held.reverse()) answer();
      return true;
    };
    const client = await readyClient(server);
    const words = await Promise.all(['a', 'b', 'c'].map((Word) => client.action({ Action: 'Echo', Word })));
    expect(words.map((m) => m.get('Word'))).toEqual(['a', 'b', 'c']);
    expect(client.stats.pending).toBe(0);
  });

  it('rejects with what Asterisk says', async () => {
    const client = await readyClient(await serve());
    const error = await failure(client.action({ Action: 'Nope' }));
    expect(error).toMatchObject({ code: 'refused', action: 'Nope', node: 'pbx-1', retryable: false, sent: true });
    expect(error.response?.get('Message')).toBe('Invalid/unknown command');
  });

  it('sends nothing of an action that would inject headers', async () => {
    const server = await serve();
    const client = await readyClient(server);
    const error = await failure(client.action({ Action: 'Originate', CallerID: 'Eve\r\nApplication: System' }));
    expect(error).toMatchObject({ code: 'invalid-field', sent: false });
    await client.action({ Action: 'Ping' });
    expect(server.peers[0]?.received()).not.toMatch(/Originate|System/);
  });

  it('keeps its deadline, and an answer that comes later disturbs nothing', async () => {
    const server = await serve();
    const late: Array<() => void> = [];
    server.script = (action, peer) => {
      if (action.get('Action') !== 'Slow') return false;
      late.push(() => peer.send('Response: Success', `ActionID: ${action.get('ActionID')}`));
      return true;
    };
    const client = await readyClient(server);
    expect(await failure(client.action({ Action: 'Slow' }, { timeoutMs: 5 }))).toMatchObject({
      code: 'timeout',
      retryable: true,
      sent: true,
    });
    for (const answer of late) answer();
    await client.action({ Action: 'Ping' });
    expect(client.stats).toMatchObject({ timeouts: 1, unmatchedResponses: 1, pending: 0 });
  });

  it('refuses at once while not connected, and beyond its bound of actions', async () => {
    const server = await serve({ script: (action) => action.get('Action') === 'Hang' });
    const client = clientOf(server, { maxPending: 2 });
    expect(await failure(client.action({ Action: 'Ping' }))).toMatchObject({
      code: 'not-connected',
      sent: false,
      retryable: true,
    });
    client.start();
    await client.ready();
    const hanging = [1, 2].map(() => failure(client.action({ Action: 'Hang' })));
    expect(await failure(client.action({ Action: 'Ping' }))).toMatchObject({
      code: 'busy',
      sent: false,
      retryable: true,
    });
    await client.close();
    expect((await Promise.all(hanging)).map((e) => e.code)).toEqual(['closed', 'closed']);
    expect((await failure(client.action({ Action: 'Ping' }))).code).toBe('closed');
    expect((await failure(client.ready())).code).toBe('closed');
  });

  it('gathers a list up to its last event and hands none of it to the listeners', async () => {
    const server = await serve();
    server.script = (action, peer) => {
      if (action.get('Action') !== 'PJSIPShowContacts') return false;
      const id = `ActionID: ${action.get('ActionID')}`;
      peer.send('Response: Success', id, 'EventList: start', 'Message: follows');
      peer.send(
        'Event: ContactList',
        id,
        'Endpoint: 1001',
        'Uri: sip:1001@127.0.0.1',
        'Status: Reachable',
        'RoundtripUsec: 812',
      );
      peer.send('Event: Hangup', 'Channel: PJSIP/1');
      peer.send(
        'Event: ContactList',
        id,
        'Endpoint: 1002',
        'Uri: sip:1002@127.0.0.1',
        'Status: NonQualified',
        'RoundtripUsec: N/A',
      );
      peer.send('Event: ContactListComplete', id, 'EventList: Complete', 'ListItems: 2');
      return true;
    };
    const client = await readyClient(server);
    const names: string[] = [];
    client.onEvent('*', (event) => names.push(event.name));
    expect(await listContacts(client)).toEqual([
      { endpoint: '1001', uri: 'sip:1001@127.0.0.1', status: 'Reachable', roundTripUs: 812 },
      { endpoint: '1002', uri: 'sip:1002@127.0.0.1', status: 'NonQualified', roundTripUs: undefined },
    ]);
    expect(names).toEqual(['Hangup']);
  });

  it('takes an empty list for one though Asterisk calls it an error', async () => {
    const server = await serve();
    server.script = (action, peer) => {
      if (action.get('Action') !== 'PJSIPShowContacts') return false;
      peer.send('Response: Error', `ActionID: ${action.get('ActionID')}`, 'Message: No Contacts found', '');
      return true;
    };
    expect(await listContacts(await readyClient(server))).toEqual([]);
  });

  it('stops gathering at its bound and drops the rest of that list', async () => {
    const server = await serve();
    server.script = (action, peer) => {
      if (action.get('Action') !== 'Many') return false;
      const id = `ActionID: ${action.get('ActionID')}`;
      peer.send('Response: Success', id, 'EventList: start');
      for (let i = 0; i < 10; i += 1) peer.send('Event: Item', id);
      peer.send('Event: ManyComplete', id, 'EventList: Complete');
      return true;
    };
    const client = await readyClient(server);
    const names: string[] = [];
    client.onEvent('*', (event) => names.push(event.name));
    expect((await failure(client.list({ Action: 'Many' }, { maxItems: 4 }))).code).toBe('too-large');
    await client.action({ Action: 'Ping' });
    expect(names).toEqual([]);
    expect(client.stats.lateListEvents).toBe(6);
  });

  it('waits for the event that an action comes to', async () => {
    const server = await serve();
    server.script = (action, peer) => {
      if (action.get('Action') !== 'Originate') return false;
      const id = `ActionID: ${action.get('ActionID')}`;
      peer.send('Response: Success', id, 'Message: Originate successfully queued');
      peer.send('Event: OriginateResponse', id, 'Response: Failure', 'Reason: 5');
      return true;
    };
    const client = await readyClient(server);
    const { response, event } = await client.outcome({ Action: 'Originate', Async: true }, 'OriginateResponse');
    expect(response.get('Message')).toContain('queued');
    expect(event.get('Reason')).toBe('5');
  });

  it('takes a reply of 20,000 lines as it arrives', async () => {
    const server = await serve();
    server.script = (action, peer) => {
      if (action.get('Action') !== 'Command') return false;
      const lines = Array.from({ length: 20_000 }, (_, i) => `Output: channel ${i}`);
      peer.send(
        'Response: Success',
        `ActionID: ${action.get('ActionID')}`,
        'Message: Command output follows',
        ...lines,
      );
      return true;
    };
    const client = await readyClient(server);
    const before = client.stats.lines;
    const steps: number[] = [];
    // A turn of the event loop between two chunks shows how far the reader has come.
    let waiting = true;
    const look = (): void => {
      if (!waiting) return;
      steps.push(client.stats.lines - before);
      setImmediate(look);
    };
    look();
    const output = await command(client, 'core show channels');
    waiting = false;
    expect(output).toHaveLength(20_000);
    expect(steps.some((lines) => lines > 0 && lines < 20_000)).toBe(true);
  });

  it('refuses a reply larger than its bound and stays connected', async () => {
    const server = await serve();
    server.script = (action, peer) => {
      if (action.get('Action') !== 'Command') return false;
      peer.send(
        'Response: Success',
        `ActionID: ${action.get('ActionID')}`,
        ...Array.from({ length: 500 }, () => 'Output: abcdefgh'),
      );
      return true;
    };
    const client = await readyClient(server, { maxMessageBytes: 2_000 });
    expect((await failure(command(client, 'x'))).code).toBe('too-large');
    expect((await client.action({ Action: 'Ping' })).get('Ping')).toBe('Pong');
    expect(client.stats.connects).toBe(1);
  });
});
