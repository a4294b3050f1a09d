import { createHash, randomBytes } from 'node:crypto';
import { parseParams } from './message.ts';

/** Who one is towards a SIP server. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * The answer to a digest challenge (RFC 2617, MD5, with `qop=auth` where it is offered).
 * @param challenge value of WWW-Authenticate or Proxy-Authenticate
 * @returns value of Authorization or Proxy-Authorization
 */
export function answerChallenge(challenge: string, method: string, uri: string, who: Credentials): string {
  const params = challengeParams(challenge);
  const realm = params.get('realm') ?? '';
  const nonce = params.get('nonce') ?? '';
  const opaque = params.get('opaque');
  const qop = (params.get('qop') ?? '').split(',').some((one) => one.trim() === 'auth');
  const cnonce = randomBytes(8).toString('hex');
  const ha1 = md5(`${who.username}:${realm}:${who.password}`);
  const ha2 = md5(`${method}:${uri}`);
  const response = qop ? md5(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`) : md5(`${ha1}:${nonce}:${ha2}`);
  const parts = [
    `username="${who.username}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    'algorithm=MD5',
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
    ...(qop ? ['qop=auth', 'nc=00000001', `cnonce="${cnonce}"`] : []),
  ];
  return `Digest ${parts.join(', ')}`;
}

/** True if an Authorization header proves the password, for a nonce that we gave out. */
export function isProven(authorization: string, method: string, nonce: string, who: Credentials): boolean {
  const params = challengeParams(authorization);
  if (params.get('username') !== who.username || params.get('nonce') !== nonce) return false;
  const ha1 = md5(`${who.username}:${params.get('realm') ?? ''}:${who.password}`);
  const ha2 = md5(`${method}:${params.get('uri') ?? ''}`);
  const middle = params.has('qop')
    ? `${nonce}:${params.get('nc') ?? ''}:${params.get('cnonce') ?? ''}:${params.get('qop') ?? ''}`
    : nonce;
  return params.get('response') === md5(`${ha1}:${middle}:${ha2}`);
}

/** `Digest a="1", b=2` as a map; a comma inside quotes does not part. */
function challengeParams(value: string): Map<string, string> {
  const list = value.replace(/^\s*Digest\s+/i, '').match(/[^,"]*(?:"[^"]*"[^,"]*)*/g) ?? [];
  return parseParams(list.join(';'));
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
