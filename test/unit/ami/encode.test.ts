import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AmiFields, encodeAction } from '../../../src/ami/encode.ts';
import { AmiError } from '../../../src/ami/errors.ts';
import { stories } from '../../support/properties.ts';

const encode = (fields: AmiFields): string => encodeAction('pbx', fields, 'id-1');

function refusal(fields: AmiFields): AmiError {
  try {
    encode(fields);
  } catch (error) {
    if (error instanceof AmiError) return error;
    throw error;
  }
  throw new Error('the action was not refused');
}

describe('AMI action encoding', () => {
  it('writes one header a line, repeating those given as a list', () => {
    expect(encode({ Action: 'Originate', Async: true, Timeout: 30, Variable: ['A=1', 'B=2'] })).toBe(
      'Action: Originate\r\nActionID: id-1\r\nAsync: true\r\nTimeout: 30\r\nVariable: A=1\r\nVariable: B=2\r\n\r\n',
    );
  });

  it.each([
    ['CR LF in a value', { Action: 'Originate', CallerID: 'x\r\nApplication: System' }],
    ['LF in a value', { Action: 'Originate', CallerID: 'x\nApplication: System' }],
    ['CR in a value', { Action: 'Originate', CallerID: 'x\rApplication: System' }],
    ['NUL in a value', { Action: 'Originate', CallerID: 'x\0y' }],
    ['a line break in one of a list', { Action: 'Originate', Variable: ['A=1', 'B=2\r\n\r\nAction: Logoff'] }],
    ['a line break in a key', { Action: 'Originate', 'A\r\nApplication': 'System' }],
    ['a colon in a key', { Action: 'Originate', 'A: b': 'c' }],
    ['a line break in the action', { Action: 'Ping\r\nX: y' }],
    ['an ActionID of the caller', { Action: 'Ping', ActionID: '1' }],
    ['an ActionID in other letters', { Action: 'Ping', actionid: '1' }],
    ['a value longer than Asterisk reads', { Action: 'UserEvent', X: 'y'.repeat(1020) }],
    ['more lines than Asterisk takes', { Action: 'UserEvent', V: Array.from({ length: 127 }, () => 'x') }],
  ])('refuses %s', (_, fields) => {
    const error = refusal(fields);
    expect(error).toMatchObject({ code: 'invalid-field', node: 'pbx', sent: false, retryable: false });
    expect(error.message).not.toContain('System');
  });

  it('takes the longest line and the most lines that Asterisk takes', () => {
    expect(encode({ Action: 'UserEvent', X: 'y'.repeat(1019) })).toContain('y'.repeat(1019));
    expect(encode({ Action: 'UserEvent', V: Array.from({ length: 126 }, () => 'x') }).split('\r\n')).toHaveLength(130);
  });

  it('never writes more headers than it was given values', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' }), { maxKeys: 10 }), (fields) => {
        try {
          const text = encode({ ...fields, Action: 'Test' });
          const given = Object.keys(fields).filter((key) => key !== 'Action').length;
          expect(text.split(/\r\n|\r|\n|\0/)).toHaveLength(given + 4);
        } catch (error) {
          expect(error).toBeInstanceOf(AmiError);
        }
      }),
      stories(),
    );
  });
});
