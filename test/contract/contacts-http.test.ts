import { afterEach, describe, expect, it } from 'vitest';
import { CALLBACK, ContactCentre, CUSTOMER } from '../support/contact-centre.ts';
import { ACME } from '../support/contacts-harness.ts';

describe('contacts', () => {
  const centre = new ContactCentre();
  const { begin, ask, post, get, becomes, login } = centre;

  afterEach(() => centre.close());

  it('every reason of a discard', async () => {
    await begin();
    const with_ = (change: Record<string, string>): string => {
      const fields = { name: 'Ann', title: 'A', mediaAddress: CUSTOMER, ...change };
      return `<Contact>${Object.entries(fields)
        .map(([k, v]) => `<${k}>${v}</${k}>`)
        .join('')}</Contact>`;
    };
    const reason = async (feed: string, body: string, kind = 'callback') => {
      const { status, statusReason } = await get(await post(feed, body, kind));
      expect(status).toBe('Discarded');
      return statusReason;
    };
    expect(await reason('back', '<Contact><name>Ann</name></Contact>')).toBe('NOTIFICATION_INVALID_NEW_TASK_MESSAGE');
    expect(await reason('closed', CALLBACK)).toBe('NOTIFICATION_MEDIA_ROUTING_DISABLED');
    expect(await reason('unmapped', CALLBACK)).toBe('NOTIFICATION_NO_SCRIPT');
    expect(await reason('unknown', CALLBACK)).toBe('NOTIFICATION_INVALID_SCRIPT_SELECTOR');
    expect(await reason('work', CALLBACK)).toBe('NOTIFICATION_INVALID_SCRIPT_SELECTOR');
    expect(await reason('choose', with_({ scriptSelector: 'other' }))).toBe('NOTIFICATION_INVALID_SCRIPT_SELECTOR');
    expect(await reason('lost', CALLBACK)).toBe('NOTIFICATION_INVALID_MRD_ID');
    expect(await reason('back', with_({ name: 'n'.repeat(101) }))).toBe('NOTIFICATION_INVALID_VALUES');
    expect(await reason('back', with_({ mediaAddress: 'not a number' }))).toBe('NOTIFICATION_INVALID_VALUES');
    expect(await reason('back', with_({ mediaAddress: '1001' }))).toBe('NOTIFICATION_INVALID_VALUES');
    await post('few', CALLBACK);
    expect(await reason('few', CALLBACK)).toBe('NOTIFICATION_RATE_LIMITED');
    await post('rare', CALLBACK);
    expect(await reason('rare', CALLBACK)).toBe('NOTIFICATION_RATE_LIMITED');
    expect((await ask('POST', '/ccp/rest/callback/feed/rare', CALLBACK)).status).toBe(429);
    centre.phones.serving = false;
    expect(await reason('back', CALLBACK)).toBe('NOTIFICATION_CCE_CONNECTION_LOST');
    centre.phones.serving = true;
    const chosen = await post('choose', with_({ scriptSelector: 'sales' }));
    await becomes(chosen, 'Queued EXTERNALLY_HANDLED');
    expect(centre.phones.dialled).toEqual([]);
  });

  describe('what is sent and answered', () => {
    it('is XML, or JSON where it is asked for', async () => {
      await begin();
      const xml = await ask('POST', '/ccp/rest/callback/feed/back', CALLBACK, { accept: '*/*' });
      expect(xml.text).toMatch(
        /^<\?xml version="1.0" encoding="UTF-8"\?><Contact><status>Queued<\/status><statusReason>EXTERNALLY_HANDLED<\/statusReason><statusTimestamp>\d{13}<\/statusTimestamp><estimatedWaitTime>-?\d+<\/estimatedWaitTime><\/Contact>$/,
      );
      const sent = JSON.stringify({ name: 'Ann', title: 'A', mediaAddress: CUSTOMER, tags: ['x'], variables: [] });
      const json = { 'content-type': 'application/json', accept: '*/*' };
      const posted = await ask('POST', '/ccp/rest/callback/feed/back', sent, json);
      expect([posted.status, posted.json().status]).toEqual([201, 'Queued']);
      expect((await ask('GET', posted.location, undefined, { accept: 'text/xml' })).text).toContain('<status>Queued');
      expect(
        (await ask('GET', posted.location, undefined, { accept: 'application/json;q=0.9, text/xml' })).text,
      ).toContain('<Contact>');
    });

    it('hostile and broken bodies get their status, and nothing comes of them', async () => {
      await begin();
      await login('a1', '1001');
      const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
      const xml: Readonly<Record<string, string>> = {
        'no XML': 'hello',
        empty: '',
        'cut off': CALLBACK.slice(0, -5),
        'an entity': CALLBACK.replace('Ann &amp; Co', '&company;'),
        'a declared entity': `<!DOCTYPE Contact [<!ENTITY company "x">]>${CALLBACK.slice(39)}`,
        'an external entity': `<!DOCTYPE Contact [<!ENTITY x SYSTEM "file:///etc/passwd">]><Contact>&x;</Contact>`,
        'an external DTD': '<!DOCTYPE Contact SYSTEM "http://127.0.0.1/x.dtd"><Contact/>',
        'billion laughs': `<!DOCTYPE Contact [<!ENTITY l0 "l">${laughs}]><Contact><name>&l9;</name></Contact>`,
        'a stylesheet': `<?xml-stylesheet href="http://127.0.0.1/"?><Contact/>`,
        'too deep': `<Contact>${'<a>'.repeat(20)}${'</a>'.repeat(20)}</Contact>`,
        'far too deep': `<Contact>${'<a>'.repeat(5_000)}${'</a>'.repeat(5_000)}</Contact>`,
        'too many elements': `<Contact>${'<a>1</a>'.repeat(2_000)}</Contact>`,
        'another root': '<Order><name>Ann</name></Order>',
        'two roots': '<Contact/><Contact/>',
        'a prototype': '<__proto__><name>Ann</name></__proto__>',
      };
      for (const [what, body] of Object.entries(xml)) {
        const { status, text } = await ask('POST', '/ccp/rest/callback/feed/back', body);
        expect([what, status]).toEqual([what, 400]);
        expect(text).not.toContain('root:');
      }
      const json = { 'content-type': 'application/json' };
      for (const body of [
        '{',
        '',
        `{"a":${'['.repeat(50)}${']'.repeat(50)}}`,
        `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      ]) {
        expect((await ask('POST', '/ccp/rest/callback/feed/back', body, json)).status).toBe(400);
      }
      for (const body of [
        '[]',
        'null',
        '7',
        '{"name":1,"title":"A","mediaAddress":"911140001234"}',
        '{"name":"Ann","title":"A","mediaAddress":["911140001234"]}',
        '{"name":"Ann","title":"A","mediaAddress":"911140001234","variables":{"a":"b"}}',
      ]) {
        const answer = await ask('POST', '/ccp/rest/callback/feed/back', body, json);
        expect([body, answer.status, answer.json().statusReason]).toEqual([
          body,
          201,
          'NOTIFICATION_INVALID_NEW_TASK_MESSAGE',
        ]);
      }
      for (const [body, reason] of [
        [
          '<Contact><name>A</name><name>B</name><title>A</title><mediaAddress>911140001234</mediaAddress></Contact>',
          'TWICE',
        ],
        ['<Contact><name><b>A</b></name><title>A</title><mediaAddress>911140001234</mediaAddress></Contact>', 'NESTED'],
      ]) {
        const answer = await ask('POST', '/ccp/rest/callback/feed/back', body);
        expect([reason, answer.json().statusReason]).toEqual([reason, 'NOTIFICATION_INVALID_NEW_TASK_MESSAGE']);
      }
      expect((await ask('POST', '/ccp/rest/callback/feed/back', 'a=b', { 'content-type': 'text/csv' })).status).toBe(
        415,
      );
      const large = `<Contact><name>${'n'.repeat(20_000_000)}</name></Contact>`;
      expect((await ask('POST', '/ccp/rest/callback/feed/back', large)).status).toBe(413);
      expect(centre.phones.dialled).toEqual([]);
      expect(centre.process.contacts.tickets(ACME)).toEqual([]);
    });

    it('strangers are turned away, and ids of the other kind are unknown', async () => {
      await begin();
      const location = await post('back', CALLBACK);
      const from = (remoteAddress: string) =>
        centre.process.http.inject({ method: 'GET', url: location, remoteAddress });
      expect((await from('192.0.2.1')).statusCode).toBe(403);
      expect((await from('127.0.0.1')).statusCode).toBe(200);
      expect((await ask('GET', location.replace('callback', 'task'))).status).toBe(404);
      expect((await ask('DELETE', location.replace('callback', 'task'))).status).toBe(404);
      expect((await ask('GET', '/ccp/rest/callback/contact/nothing')).status).toBe(404);
      expect((await ask('GET', '/ccp/rest/task/agent/a1')).status).toBe(401);
      const word = `${location.replace('callback', 'task')}/accept`;
      const json = { 'content-type': 'application/json', authorization: 'agent' };
      expect((await ask('POST', word, '{"agentID":"a1"}', json)).status).toBe(404);
      expect((await ask('POST', word, '{}', json)).status).toBe(400);
    });
  });
});
