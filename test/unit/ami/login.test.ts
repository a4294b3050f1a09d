import { describe, expect, it } from 'vitest';
import type { AmiState } from '../../../src/ami/index.ts';
import { clientOf, failure, readyClient, serve, until } from '../../support/ami-client.ts';
import { selfSigned } from '../../support/self-signed.ts';

describe('AMI client: logging in', () => {
  it('passes through its states and is ready when the filter is set', async () => {
    const server = await serve({ pieceBytes: 1 });
    const client = clientOf(server, { events: ['ContactStatus', 'FullyBooted'] });
    const states: AmiState[] = [];
    client.onState((state) => states.push(state));
    const booted = new Promise<AmiState>((resolve) => client.onEvent('FullyBooted', () => resolve(client.state)));
    client.start();
    await client.ready();
    expect(states).toEqual(['connecting', 'authenticating', 'ready']);
    expect(server.actions.map((a) => a.get('Action'))).toEqual(['Login', 'Filter', 'Filter']);
    expect(server.actions[0]?.get('Events')).toBe('on');
    expect(server.actions[1]?.get('MatchCriteria')).toBe('action(include),name(ContactStatus)');
    // The event came before the client was ready, and is told only when handlers may act on it.
    expect(await booted).toBe('ready');
  });

  it('asks for no events where none are wanted', async () => {
    const server = await serve();
    await readyClient(server, { events: [] });
    expect(server.actions.map((a) => [a.get('Action'), a.get('Events')])).toEqual([['Login', 'off']]);
  });

  it('rejects on a wrong secret, says why without it, and waits before the next try', async () => {
    const server = await serve();
    const client = clientOf(server, { secret: 'a wrong one' });
    client.start();
    const error = await failure(client.ready());
    expect(error).toMatchObject({ code: 'login-refused', node: 'pbx-1', retryable: false });
    expect(error.message).toContain('Authentication failed');
    expect(error.message).not.toContain('a wrong one');
    expect(client.state).toBe('waiting');
    // The wait after a refusal is 30 s however short the ordinary one: whoever asks now is told at once.
    expect((await failure(client.ready())).code).toBe('login-refused');
    expect(server.count('Login')).toBe(1);
    expect(client.stats.loginsRefused).toBe(1);
  });

  it('tries again after a refusal and gets in when the secret has been put right', async () => {
    const server = await serve();
    let refuse = true;
    server.script = (action, peer) => {
      if (!refuse || action.get('Action') !== 'Login') return false;
      peer.send('Response: Error', `ActionID: ${action.get('ActionID')}`, 'Message: Authentication failed');
      return true;
    };
    const client = clientOf(server, { refusedRetryMs: 1 });
    client.start();
    await failure(client.ready());
    refuse = false;
    await until(client, 'ready');
    expect(client.stats.connects).toBe(1);
  });

  it('answers a challenge instead of sending the secret', async () => {
    const server = await serve();
    server.script = (action, peer) => {
      const id = `ActionID: ${action.get('ActionID')}`;
      if (action.get('Action') === 'Challenge') peer.send('Response: Success', id, 'Challenge: 840415273');
      else if (action.get('Action') === 'Login') peer.send('Response: Success', id);
      else return false;
      return true;
    };
    const client = await readyClient(server, { auth: 'md5', secret: 'mysecret' });
    expect(client.state).toBe('ready');
    // printf 840415273mysecret | md5sum
    expect(server.actions[1]?.get('Key')).toBe('72ee2809cbf69e9bdb27bdd924cda8e3');
    expect(server.peers[0]?.received()).not.toContain('mysecret');
  });

  it('does not take another service for Asterisk', async () => {
    const server = await serve({ greeting: 'SSH-2.0-OpenSSH_9.2' });
    const client = clientOf(server);
    client.start();
    expect(await until(client, 'waiting')).toMatchObject({ code: 'protocol' });
    expect(server.actions).toHaveLength(0);
  });

  it('gives up a connection that is never greeted and tries the next', async () => {
    const server = await serve({ greeting: undefined });
    const client = clientOf(server, { loginTimeoutMs: 20 });
    client.start();
    await server.until(() => server.peers.length >= 3);
    expect(client.lastError?.code).toBe('timeout');
    expect((await failure(client.ready({ timeoutMs: 5 }))).code).toBe('timeout');
  });

  it('filters by itself where Asterisk will not', async () => {
    const server = await serve();
    server.script = (action, peer) => {
      if (action.get('Action') !== 'Filter') return false;
      peer.send('Response: Error', `ActionID: ${action.get('ActionID')}`, 'Message: Permission denied');
      return true;
    };
    const client = clientOf(server, { events: ['Wanted'] });
    const problems: string[] = [];
    const names: string[] = [];
    client.onProblem((what) => problems.push(what));
    const wanted = new Promise((resolve) => client.onEvent('Wanted', resolve));
    client.onEvent('*', (event) => names.push(event.name));
    client.start();
    await client.ready();
    server.peers[0]?.send('Event: Unwanted');
    server.peers[0]?.send('Event: Wanted');
    await wanted;
    expect(names).toEqual(['Wanted']);
    expect(problems).toEqual(['filter']);
    expect(client.stats).toMatchObject({ filtersRefused: 1, events: 1 });
    // An older Asterisk knows patterns only: that was tried as well.
    expect(server.actions.map((a) => a.get('Filter'))).toContain('Event: Wanted');
  });

  it('speaks TLS, and to nobody whose certificate it does not trust', async () => {
    const tls = selfSigned('pbx.test');
    const server = await serve({ tls });
    const trusting = await readyClient(server, { tls: { ca: tls.cert, servername: 'pbx.test' } });
    expect((await trusting.action({ Action: 'Ping' })).get('Ping')).toBe('Pong');
    const stranger = clientOf(server, { tls: { servername: 'pbx.test' } });
    stranger.start();
    expect(await until(stranger, 'waiting')).toMatchObject({ code: 'connection-lost' });
    const misled = clientOf(server, { tls: { ca: tls.cert, servername: 'other.test' } });
    misled.start();
    expect(await until(misled, 'waiting')).toMatchObject({ code: 'connection-lost' });
    expect(server.count('Login')).toBe(1);
  });
});
