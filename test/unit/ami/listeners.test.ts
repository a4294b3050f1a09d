import { describe, expect, it } from 'vitest';
import { AmiClient } from '../../../src/ami/index.ts';
import { clientOf, serve } from '../../support/ami-client.ts';

describe('AMI client: listeners', () => {
  it('keeps a faulty listener from the others and from the reader', async () => {
    const server = await serve();
    const client = clientOf(server);
    const problems: unknown[] = [];
    const seen: string[] = [];
    client.onProblem((_, error) => problems.push(error));
    client.onProblem(() => {
      throw new Error('even this one');
    });
    client.onEvent('Hangup', () => {
      throw new Error('thrown');
    });
    client.onEvent('Hangup', () => Promise.reject(new Error('rejected')));
    const stop = client.onEvent('Hangup', (event) => seen.push(event.get('Cause') ?? ''));
    client.onState(() => {
      throw new Error('state');
    });
    client.start();
    await client.ready();
    const faults = client.stats.handlerErrors;
    server.peers[0]?.send('Event: Hangup', 'Cause: 16');
    await client.action({ Action: 'Ping' });
    stop();
    server.peers[0]?.send('Event: Hangup', 'Cause: 17');
    await client.action({ Action: 'Ping' });
    expect(seen).toEqual(['16']);
    expect(problems.map(String)).toEqual(expect.arrayContaining(['Error: thrown', 'Error: rejected', 'Error: state']));
    // Two faults per Hangup, and for each the fault of the listener for faults.
    expect(client.stats.handlerErrors - faults).toBe(8);
    expect(client.state).toBe('ready');
  });

  it('refuses the name of an event that would change the filter', () => {
    const make = (): AmiClient =>
      new AmiClient({ node: 'n', host: 'h', port: 1, username: 'u', secret: 's', events: ['A),regex('] });
    expect(make).toThrow(TypeError);
  });
});
