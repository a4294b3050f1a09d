import { describe, expect, it } from 'vitest';
import { addressList, clientAddress } from '../../../src/config.ts';
import { FLOW_STATUSES } from '../../../src/cti/flow-status.ts';
import { acceptEntry } from '../../../src/dialer/accept.ts';
import { canonicalJson, checksumOf } from '../../../src/dialer/checksum.ts';
import { API_CODES, answerHead, codeOfCalls } from '../../../src/dialer/codes.ts';
import { numberRules } from '../../../src/dialer/numbers.ts';
import { readRequest } from '../../../src/dialer/request.ts';
import { startTime } from '../../../src/dialer/start-time.ts';
import { parseTolerant } from '../../../src/dialer/tolerant-json.ts';
import { bookOf, flowOf, NOW, room, SECURITY_ID } from '../../support/dialer-kit.ts';

const REQUEST = {
  'api-version': '1.0',
  'security-id': SECURITY_ID,
  'flow-id': 'flow0001',
  calls: [{ 'contact-numbers': ['918000123456'] }],
};
const ask = (change: unknown, ip = '127.0.0.1', serving = true) => {
  const payload = typeof change === 'object' && change !== null && !Array.isArray(change) ? change : undefined;
  const book = bookOf([{}, { id: 'flow0002', state: 'testing' }]);
  return readRequest(payload ? { ...REQUEST, ...payload } : change, ip, book, () => serving);
};

describe('the head of a request', () => {
  it('is accepted where all is in order', () => {
    expect(ask({})).toMatchObject({ calls: REQUEST.calls });
    expect(ask({ 'flow-id': 'flow0002', 'api-version': 'TEST' })).toHaveProperty('flow');
    expect(ask({ 'gateway-id': 'carrier-a' })).toHaveProperty('flow');
    expect(ask({ calls: new Array(500).fill({}) })).toHaveProperty('flow');
    expect(ask({}, '::ffff:10.1.200.3')).toHaveProperty('flow');
  });

  it.each([
    ['an unknown address', {}, 'IP_NOT_WHITELISTED', '192.0.2.1'],
    ['no object', [], 'INVALID_FORMAT'],
    ['a text', 'x', 'INVALID_FORMAT'],
    ['null', null, 'INVALID_FORMAT'],
    ['a version of a wrong type', { 'api-version': 1 }, 'INVALID_FORMAT'],
    ['calls of a wrong type', { calls: {} }, 'INVALID_FORMAT'],
    ['no security id', { 'security-id': undefined }, 'INVALID_MANDATORY_PARAMETERS'],
    ['an empty flow id', { 'flow-id': '' }, 'INVALID_MANDATORY_PARAMETERS'],
    ['no calls at all', { calls: undefined }, 'INVALID_MANDATORY_PARAMETERS'],
    ['an unknown security id', { 'security-id': 'b'.repeat(64) }, 'INVALID_SECURITY_ID'],
    ['an unknown flow', { 'flow-id': 'flow9999' }, 'INVALID_FLOW_ID'],
    ['a flow named like a property of objects', { 'flow-id': 'constructor' }, 'INVALID_FLOW_ID'],
    ['an unknown version', { 'api-version': '2.0' }, 'INVALID_API_VERSION'],
    ['TEST on a flow in production', { 'api-version': 'TEST' }, 'INVALID_FLOW_VERSION'],
    ['1.0 on a flow in testing', { 'flow-id': 'flow0002' }, 'INVALID_FLOW_VERSION'],
    ['an unknown gateway', { 'gateway-id': 'carrier-z' }, 'INVALID_GATEWAY_ID'],
    ['an empty list', { calls: [] }, 'EMPTY_CALL_LIST'],
    ['null for a list', { calls: null }, 'EMPTY_CALL_LIST'],
    ['501 calls', { calls: new Array(501).fill({}) }, 'MAX_DATA_LIST_SIZE_EXCEEDED'],
  ])('%s is refused', (_what, change, code, ip?: string) => {
    expect(ask(change, ip)).toEqual({ refused: code });
  });

  it('names the trunk of its flow, where that has one of its own', () => {
    const book = bookOf([{ trunk: 'carrier-b' }]);
    const of = (gateway: string) => readRequest({ ...REQUEST, 'gateway-id': gateway }, '127.0.0.1', book, () => true);
    expect(of('carrier-b')).toHaveProperty('flow');
    expect(of('carrier-a')).toEqual({ refused: 'INVALID_GATEWAY_ID' });
  });

  it('is refused where the gateway that it names has no node', () => {
    expect(ask({ 'gateway-id': 'carrier-a' }, '127.0.0.1', false)).toEqual({ refused: 'FAILURE_FROM_GATEWAY' });
  });

  it('has the seed’s 22 codes and messages', () => {
    const seed = {
      400: 'Invalid Format',
      201: 'Checksum Repeated',
      203: 'API Version not Supported',
      304: 'Invalid Flow Version',
    };
    for (const [code, message] of Object.entries(seed)) {
      expect(Object.values(API_CODES)).toContainEqual({ code: Number(code), message });
    }
    expect(Object.keys(API_CODES)).toHaveLength(22);
    expect(new Set(Object.values(API_CODES).map((c) => c.code)).size).toBe(22);
    expect(answerHead('SUCCESS')).toEqual({ 'api-response-code': 200, 'api-response-message': 'Success' });
  });

  it('answers for all calls together', () => {
    expect(codeOfCalls(2, [])).toBe('SUCCESS');
    expect(codeOfCalls(1, ['PHONE_BLACKLISTED'])).toBe('PARTIAL_SUCCESS');
    expect(codeOfCalls(0, ['PHONE_NOT_WHITELISTED', 'PHONE_NOT_WHITELISTED'])).toBe('PHONE_NOT_WHITELISTED');
    expect(codeOfCalls(0, ['INVALID_CONTACT_NUMBER'])).toBe('INVALID_CONTACT_NUMBER');
    expect(codeOfCalls(0, ['ACCOUNT_VALIDITY_EXPIRED'])).toBe('VALIDITY_EXPIRED');
    expect(codeOfCalls(0, ['INSUFFICIENT_BALANCE'])).toBe('INSUFFICIENT_BALANCE');
    expect(codeOfCalls(0, ['INSUFFICIENT_BALANCE', 'REJECTED'])).toBe('FAILURE');
    expect(codeOfCalls(0, ['PHONE_BLACKLISTED'])).toBe('FAILURE');
  });
});

describe('one call of a request', () => {
  const GOOD = { 'client-identifier': 'c-1', 'contact-numbers': ['918000123456'] };
  const statusOf = (entry: unknown, flow = {}, account = {}, left = {}, now = NOW) => {
    const read = acceptEntry(entry, flowOf(flow, account), room(left), now);
    return read.accepted ? (read.future ? 'SCHEDULED' : 'UNPROCESSED') : read.status;
  };
  const withKey = (value: unknown) => ({ ...GOOD, keys: [{ name: '$flow.key.x', value }] });
  const validated = (value: unknown, validation: object) =>
    statusOf(withKey(value), { validations: [{ key: 'x', ...validation }] });

  it.each([
    ['no object', 'x', 'REJECTED'],
    ['null', null, 'REJECTED'],
    ['an identifier of a wrong type', { ...GOOD, 'client-identifier': {} }, 'REJECTED'],
    ['keys that are no list', { ...GOOD, keys: {} }, 'REJECTED'],
    ['a key that is none', { ...GOOD, keys: [null] }, 'REJECTED'],
    ['a key without its prefix', { ...GOOD, keys: [{ name: 'x', value: '1' }] }, 'REJECTED'],
    ['a value of a wrong type', { ...GOOD, keys: [{ name: '$flow.key.x', value: {} }] }, 'REJECTED'],
    ['more than 64 KiB of keys', { ...GOOD, keys: [{ name: '$flow.key.x', value: 'x'.repeat(70_000) }] }, 'REJECTED'],
    ['too many numbers', { 'contact-numbers': new Array(21).fill('918000123456') }, 'REJECTED'],
    ['no number', { 'contact-numbers': [] }, 'INVALID_CONTACT_NUMBER'],
    ['numbers left out', {}, 'INVALID_CONTACT_NUMBER'],
    ['a number with letters', { 'contact-numbers': ['918000XXXXXX'] }, 'INVALID_CONTACT_NUMBER'],
    ['a number of another country', { 'contact-numbers': ['+447400123456'] }, 'INTERNATIONAL_CALLS_DISABLED'],
    ['yesterday', { ...GOOD, 'start-time': '2026-04-27T10:00:00+05:30' }, 'INVALID_CALL_START_TIME'],
    ['no time', { ...GOOD, 'start-time': 'soon' }, 'INVALID_CALL_START_TIME_FORMAT'],
    ['earlier today', { ...GOOD, 'start-time': '2026-04-28T00:10:00+05:30' }, 'UNPROCESSED'],
    ['later', { ...GOOD, 'start-time': '2026-04-28T23:48:07.111Z+05:30' }, 'SCHEDULED'],
    ['a number with spaces', { 'contact-numbers': ['+91 80001-23456'] }, 'UNPROCESSED'],
  ])('%s', (_what, entry, status) => {
    expect(statusOf(entry)).toBe(status);
  });

  it('is held against the lists of its account', () => {
    expect(statusOf(GOOD, {}, { blackList: ['+918000123456'] })).toBe('PHONE_BLACKLISTED');
    expect(statusOf(GOOD, { state: 'testing' })).toBe('PHONE_NOT_WHITELISTED');
    expect(statusOf(GOOD, { state: 'testing' }, { whiteList: ['8000123456'] })).toBe('UNPROCESSED');
    const dndList = ['8000123456'];
    expect(statusOf(GOOD, { marketing: true }, { dndList })).toBe('NCPR_CHECK_FAILED');
    expect(statusOf(GOOD, { marketing: true }, { dndList, whiteList: ['918000123456'] })).toBe('UNPROCESSED');
    expect(statusOf(GOOD, {}, { dndList })).toBe('UNPROCESSED');
    expect(statusOf({ 'contact-numbers': ['+447400123456'] }, {}, { internationalCalls: true })).toBe('UNPROCESSED');
  });

  it('leaves out the numbers that must not be called', () => {
    const flow = flowOf({}, { blackList: ['918000123456'] });
    const numbers = ['918000123456', '918000123457', 'x'];
    expect(acceptEntry({ 'contact-numbers': numbers }, flow, room(), NOW)).toMatchObject({
      accepted: true,
      numbers: ['918000123457'],
    });
  });

  it('is held against what is left of the account and the flow', () => {
    expect(statusOf(GOOD, {}, { validUntil: '2026-04-28T05:59:59Z' })).toBe('ACCOUNT_VALIDITY_EXPIRED');
    expect(statusOf(GOOD, {}, { validUntil: '2026-04-28T06:00:01Z' })).toBe('UNPROCESSED');
    expect(statusOf(GOOD, {}, {}, { balance: 0 })).toBe('INSUFFICIENT_BALANCE');
    expect(statusOf(GOOD, {}, {}, { waiting: 0 })).toBe('MAX_CAPACITY_REACHED');
    const left = room({ balance: 1 });
    const flow = flowOf();
    expect([1, 2].map(() => acceptEntry(GOOD, flow, left, NOW).accepted)).toEqual([true, false]);
    expect(left).toEqual({ balance: 0, waiting: 99 });
  });

  it('is held against the flow’s validations, each with its status', () => {
    const ok = 'UNPROCESSED';
    expect(validated('abc', { type: 'contains', value: 'b' })).toBe(ok);
    expect(validated('abc', { type: 'contains', value: 'x' })).toBe('FLOW_VARIABLE_CONTAINS_CRITERIA_FAILED');
    expect(validated('abc', { type: 'doesNotContain', value: 'b' })).toBe(
      'FLOW_VARIABLE_DOES_NOT_CONTAINS_CRITERIA_FAILED',
    );
    expect(validated('abc', { type: 'doesNotContain', value: 'x' })).toBe(ok);
    expect(validated('en', { type: 'list', values: ['en', 'hi'] })).toBe(ok);
    expect(validated('fr', { type: 'list', values: ['en', 'hi'] })).toBe('FLOW_VARIABLE_LIST_CRITERIA_FAILED');
    expect(validated('12', { type: 'regex', pattern: '^\\d+$' })).toBe(ok);
    expect(validated('1x', { type: 'regex', pattern: '^\\d+$' })).toBe('FLOW_VARIABLE_REGEX_CRITERIA_FAILED');
    expect(validated('😀😀', { type: 'length', min: 2, max: 2 })).toBe(ok);
    expect(validated('a', { type: 'length', min: 2 })).toBe('FLOW_VARIABLE_LENGTH_CRITERIA_FAILED');
    expect(validated('a@example.com', { type: 'email' })).toBe(ok);
    for (const bad of ['a@', '@example.com', 'a b@example.com', 'a@example', `a@${'x'.repeat(300)}.com`]) {
      expect(validated(bad, { type: 'email' })).toBe('FLOW_VARIABLE_EMAIL_VALIDATION_FAILED');
    }
    expect(validated('https://example.com/x?y=1', { type: 'url' })).toBe(ok);
    for (const bad of ['example.com', 'javascript:alert(1)', 'http://', 'http://a b']) {
      expect(validated(bad, { type: 'url' })).toBe('FLOW_VARIABLE_URL_CRITERIA_FAILED');
    }
    expect(validated('a', { type: 'moon' })).toBe('INVALID_FLOW_VARIABLE_VALIDATION_TYPE');
    expect(validated('a', { type: 'constructor' })).toBe('INVALID_FLOW_VARIABLE_VALIDATION_TYPE');
    expect(validated('a', { type: 'contains' })).toBe('FLOW_VARIABLE_CRITERIA_UNDEFINED');
    expect(validated('a', { type: 'length' })).toBe('FLOW_VARIABLE_CRITERIA_UNDEFINED');
    expect(statusOf(GOOD, { validations: [{ key: 'x', type: 'email' }] })).toBe('FLOW_VARIABLE_VALIDATION_FAILED');
  });

  it('has a name for every flow status that it gives', () => {
    expect(FLOW_STATUSES).toHaveProperty('FLOW_VARIABLE_CRITERIA_UNDEFINED');
  });
});

describe('a start time', () => {
  const at = (text: string) => startTime(text, NOW);

  it('is read with its offset, and with a Z before it', () => {
    const wanted = { at: Date.UTC(2026, 3, 28, 18, 18, 7, 111), future: true };
    expect(at('2026-04-28T23:48:07.111Z+05:30')).toEqual(wanted);
    expect(at('2026-04-28T23:48:07.111+0530')).toEqual(wanted);
    expect(at('2026-04-28T18:18:07.111Z')).toEqual(wanted);
    expect(at('2026-04-28T13:18:07.111-05:00')).toEqual(wanted);
  });

  it('is now where it has passed today by its own calendar, and refused where it was before today', () => {
    // 06:00 UTC is 11:30 in India and 22:00 of the day before at -08:00.
    expect(at('2026-04-28T00:00:00+05:30')).toEqual({ at: NOW, future: false });
    expect(at('2026-04-27T23:59:59+05:30')).toEqual({ fault: 'INVALID_CALL_START_TIME' });
    expect(at('2026-04-27T00:00:00-08:00')).toEqual({ at: NOW, future: false });
    expect(at('2021-04-28T03:48:07.111Z+05:30')).toEqual({ fault: 'INVALID_CALL_START_TIME' });
    expect(startTime(undefined, NOW)).toEqual({ at: NOW, future: false });
  });

  it.each([
    '',
    'x',
    '2026-04-28',
    '2026-04-28T10:00:00',
    '2026-02-30T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-04-28T24:00:00Z',
    '2026-04-28T10:60:00Z',
    '2026-04-28T10:00:00+5',
    '2026-04-28 10:00:00Z',
    7,
    null,
  ])('cannot be %j', (text) => {
    expect(startTime(text, NOW)).toEqual({ fault: 'INVALID_CALL_START_TIME_FORMAT' });
  });
});

describe('numbers', () => {
  const rules = numberRules('IN');

  it('have one form however they are written', () => {
    for (const n of ['918000123456', '+918000123456', '8000123456', '00918000123456', '08000123456']) {
      expect([n, rules.canonical(n)]).toEqual([n, '918000123456']);
    }
    expect(rules.canonical('+4711')).toBe('4711');
  });

  it('are international where they are valid elsewhere only', () => {
    const abroad = ['+447400123456', '00447400123456', '447400123456', '+12125550123'];
    const home = ['918000123456', '8000123456', '91114001001', '911140001000', '12345'];
    expect(abroad.map((n) => rules.isInternational(n))).toEqual([true, true, true, true]);
    expect(home.map((n) => rules.isInternational(n))).toEqual([false, false, false, false, false]);
    expect(numberRules('GB').isInternational('+918000123456')).toBe(true);
  });
});

describe('the checksum', () => {
  it('is the same for payloads that say the same', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}');
    expect(checksumOf({ a: 1, b: 2 })).toBe(checksumOf(JSON.parse('{ "b": 2, "a": 1.0 }')));
    expect(checksumOf([1, 2])).not.toBe(checksumOf([2, 1]));
  });
});

describe('what is read as JSON', () => {
  it('includes the seed’s own example with its comments and commas', () => {
    const text = `{ "calls": [ { "start-time": "2021-04-28T03:48:07.111Z+05:30", // ISO-8601 Timeformat
      "contact-numbers": [ "918000XXXXXX", // Customer Numbers
        "918100XXXXXX", // Alternate customer number(s)
      ], /* , */ } ] }`;
    expect(parseTolerant(text)).toEqual({
      calls: [
        {
          'start-time': '2021-04-28T03:48:07.111Z+05:30',
          'contact-numbers': ['918000XXXXXX', '918100XXXXXX'],
        },
      ],
    });
    expect(parseTolerant('["//", "a,]", "\\"/*", 1,\n]')).toEqual(['//', 'a,]', '"/*', 1]);
  });

  it('is nothing else, and nothing deep', () => {
    for (const text of ['', '{', '[,]', '[1,,2]', 'x', '{"a":1}}', '<a/>']) {
      expect(() => parseTolerant(text)).toThrow(SyntaxError);
    }
    expect(() => parseTolerant('['.repeat(100_000))).toThrow(/deep/);
  });
});

describe('addresses', () => {
  it('are found alone and in networks', () => {
    const listed = addressList(['192.0.2.1', '10.0.0.0/8', '2001:db8::/32']);
    expect(['192.0.2.1', '::ffff:192.0.2.1', '10.200.3.4', '2001:db8::7'].map(listed)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['192.0.2.2', '11.0.0.1', '2001:db9::7', '', 'x'].map(listed)).toEqual([false, false, false, false, false]);
  });

  it('come from the header only where a proxy of ours has written it', () => {
    const proxies = addressList(['127.0.0.1', '10.0.0.0/8']);
    expect(clientAddress('192.0.2.1', '10.1.1.1', proxies)).toBe('192.0.2.1');
    expect(clientAddress('127.0.0.1', '1.1.1.1, 192.0.2.9, 10.0.0.3', proxies)).toBe('192.0.2.9');
    expect(clientAddress('127.0.0.1', undefined, proxies)).toBe('127.0.0.1');
  });
});
