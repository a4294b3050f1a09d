import { describe, expect, test } from 'vitest';
import { answerChallenge, isProven } from '../../../lab/phone/digest.ts';
import {
  cseq,
  header,
  headerValues,
  parseAddress,
  parseMessage,
  parseUri,
  serialiseMessage,
} from '../../../lab/phone/message.ts';
import { answerDirection, buildSdp, parseSdp } from '../../../lab/phone/sdp.ts';

const INVITE = [
  'INVITE sip:1001@127.0.0.1:5070 SIP/2.0',
  'v: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1',
  'Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK0',
  'From: "O\\"Neill, A" <sip:+911140001000@127.0.0.1;user=phone>;tag=abc',
  'To: <sip:1001@127.0.0.1>',
  'i: call-1',
  'CSeq: 7 INVITE',
  'Subject: one',
  ' two',
  'Content-Length: 5',
  '',
  'v=0\r\nmore than it said',
].join('\r\n');

describe('a SIP message', () => {
  test('is read: compact names, folded lines, the body by its length', () => {
    const message = parseMessage(INVITE);
    expect(message).toMatchObject({
      kind: 'request',
      method: 'INVITE',
      uri: 'sip:1001@127.0.0.1:5070',
      body: 'v=0\r\n',
    });
    expect(header(message, 'Call-ID')).toBe('call-1');
    expect(header(message, 'subject')).toBe('one two');
    expect(headerValues(message, 'Via').map((via) => via.slice(12, 26))).toEqual(
      ['127.0.0.1:5060', '10.0.0.1:5060;'].map((x) => x.slice(0, 14)),
    );
    expect(cseq(message)).toEqual({ number: 7, method: 'INVITE' });
  });

  test('is the same after it was written and read again', () => {
    const message = parseMessage(INVITE);
    const again = parseMessage(serialiseMessage(message));
    expect(header(again, 'from')).toBe(header(message, 'from'));
    expect(again.body).toBe(message.body);
    expect(header(again, 'content-length')).toBe('5');
  });

  test('that is none is refused with the reason', () => {
    expect(() => parseMessage('hello')).toThrow('no empty line');
    expect(() => parseMessage('GET / HTTP/1.1\r\n\r\n')).toThrow('not a SIP start line');
    expect(() => parseMessage('SIP/2.0 200 OK\r\nbad line\r\n\r\n')).toThrow('not a header');
  });

  test('addresses give name, number and tag', () => {
    const from = parseAddress(header(parseMessage(INVITE), 'from'));
    expect(from.name).toBe('O"Neill, A');
    expect(from.params.get('tag')).toBe('abc');
    expect(parseUri(from.uri)).toEqual({ user: '+911140001000', host: '127.0.0.1', port: 5060 });
    const bare = parseAddress('sip:1001@127.0.0.1:5071;tag=x');
    expect([bare.uri, bare.params.get('tag')]).toEqual(['sip:1001@127.0.0.1:5071', 'x']);
  });
});

describe('digest authentication', () => {
  const who = { username: 'carrier-a', password: 'a, "quoted" one' };

  test('RFC 2617, 3.5: the example of the standard', () => {
    const answer = answerChallenge(
      'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
      'GET',
      '/dir/index.html',
      { username: 'Mufasa', password: 'Circle Of Life' },
    );
    expect(answer).toContain('response="670fd8c2df070c60b045671b8b24ff02"');
  });

  test('an answer with qop is proven, and only for its password, its nonce and its method', () => {
    const answer = answerChallenge(
      'Digest realm="carrier, b", nonce="n1", qop="auth,auth-int"',
      'INVITE',
      'sip:1@h',
      who,
    );
    expect(isProven(answer, 'INVITE', 'n1', who)).toBe(true);
    expect(isProven(answer, 'INVITE', 'n1', { ...who, password: 'other' })).toBe(false);
    expect(isProven(answer, 'INVITE', 'n2', who)).toBe(false);
    expect(isProven(answer, 'BYE', 'n1', who)).toBe(false);
  });
});

describe('SDP', () => {
  test('is read back as it was written', () => {
    expect(parseSdp(buildSdp('127.0.0.1', 4000, 'sendonly', 2))).toEqual({
      host: '127.0.0.1',
      port: 4000,
      direction: 'sendonly',
      payloads: [0, 101],
      eventPayload: 101,
    });
  });

  test('L16 goes by the number that the far end gives it', () => {
    expect(parseSdp(buildSdp('127.0.0.1', 4000, 'sendrecv', 1, 120))).toMatchObject({
      payloads: [120, 101],
      eventPayload: 101,
      linearPayload: 120,
    });
  });

  test('the connection of the stream goes before that of the session; without a direction it is sendrecv', () => {
    const sdp = parseSdp(
      'v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 9 RTP/AVP 8\r\nc=IN IP4 10.0.0.2\r\nm=video 7 RTP/AVP 99\r\na=inactive\r\n',
    );
    expect(sdp).toEqual({ host: '10.0.0.2', port: 9, direction: 'sendrecv', payloads: [8] });
  });

  test.each([
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['sendonly', 'sendrecv', 'recvonly'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['inactive', 'sendrecv', 'inactive'],
    ['sendonly', 'sendonly', 'inactive'],
    ['sendrecv', 'sendonly', 'sendonly'],
  ] as const)('the offer %s, wanting %s, is answered %s', (offer, own, answer) => {
    expect(answerDirection(offer, own)).toBe(answer);
  });
});
