import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AmiMessage } from '../../../src/ami/message.ts';
import { AmiParser } from '../../../src/ami/parser.ts';
import { stories } from '../../support/properties.ts';

interface Parsed {
  greeting: string[];
  messages: AmiMessage[];
  parser: AmiParser;
}

function parse(chunks: readonly Buffer[], maxMessageBytes = 1 << 20): Parsed {
  const greeting: string[] = [];
  const messages: AmiMessage[] = [];
  const parser = new AmiParser({
    onGreeting: (line) => greeting.push(line),
    onMessage: (message) => messages.push(message),
    maxMessageBytes,
  });
  for (const chunk of chunks) parser.push(chunk);
  return { greeting, messages, parser };
}

/** What a message holds, to compare. */
const plain = (m: AmiMessage) => ({
  kind: m.kind,
  name: m.name,
  headers: m.headers,
  output: m.output,
  truncated: m.truncated,
});

const GREETING = 'Asterisk Call Manager/11.0.0\r\n';

const SAMPLE = Buffer.from(
  `${GREETING}Response: Success\r\nActionID: a-1\r\nMessage: Authentication accepted\r\n\r\n` +
    'Event: Newchannel\r\nChanVariable: A=1\r\nChanVariable: B=é\r\nCallerIDName: Zoë: "x"\r\nEmpty: \r\nNoSpace:v\r\n\r\n' +
    'Response: Success\r\nActionID: a-2\r\nMessage: Command output follows\r\nOutput:   indented\r\nOutput: \r\nOutput: Key: value\r\n\r\n' +
    'Response: Follows\r\nPrivilege: Command\r\nActionID: a-3\r\nfirst raw line\n\nEvent: not one\n--END COMMAND--\r\n\r\n' +
    'Response: Error\r\nMessage: No Contacts found\r\n\r\n\r\nEvent: Last\r\n\r\n',
);

describe('AMI parser', () => {
  const whole = parse([SAMPLE]);

  it('reads the greeting, repeated headers, Output lines and old-style command output', () => {
    expect(whole.greeting).toEqual(['Asterisk Call Manager/11.0.0']);
    const [login, event, command, follows, error, last] = whole.messages;
    expect(whole.messages).toHaveLength(6);
    expect(login?.get('actionid')).toBe('a-1');
    expect(login?.ok).toBe(true);
    expect(event?.name).toBe('Newchannel');
    expect(event?.all('ChanVariable')).toEqual(['A=1', 'B=é']);
    expect(event?.get('CallerIDName')).toBe('Zoë: "x"');
    expect(event?.get('Empty')).toBe('');
    expect(event?.get('NoSpace')).toBe('v');
    expect(event?.get('Nothing')).toBeUndefined();
    expect(command?.output).toEqual(['  indented', '', 'Key: value']);
    expect(follows?.output).toEqual(['first raw line', '', 'Event: not one']);
    expect(follows?.get('ActionID')).toBe('a-3');
    expect(error?.ok).toBe(false);
    expect(last?.name).toBe('Last');
  });

  it('gives the same messages wherever the bytes are cut in two', () => {
    const expected = whole.messages.map(plain);
    for (let cut = 0; cut <= SAMPLE.length; cut += 1) {
      const split = parse([SAMPLE.subarray(0, cut), SAMPLE.subarray(cut)]);
      expect(split.messages.map(plain), `cut at byte ${cut}`).toEqual(expected);
    }
  });

  it('gives the same messages a byte at a time', () => {
    const bytes = Array.from(SAMPLE, (_, i) => SAMPLE.subarray(i, i + 1));
    expect(parse(bytes).messages.map(plain)).toEqual(whole.messages.map(plain));
  });

  it('gives back any message however it is cut', () => {
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/).filter((n) => n !== 'Output');
    const value = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, '_'));
    const header = fc.tuple(name, value);
    const message = fc.tuple(
      fc.constantFrom('Event', 'Response'),
      fc.constantFrom('Success', 'Error', 'Hangup'),
      fc.array(header, { maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(60), { maxLength: 40 }), (messages, cuts) => {
        const sent = messages.map(([kind, word, headers]) => [[kind, word] as [string, string], ...headers]);
        const text = sent.map((headers) => `${headers.map(([n, v]) => `${n}: ${v}`).join('\r\n')}\r\n\r\n`).join('');
        let rest = Buffer.from(GREETING + text);
        const chunks: Buffer[] = [];
        for (const cut of cuts) {
          chunks.push(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        const { messages: got } = parse([...chunks, rest]);
        // Lone surrogates cannot be sent in UTF-8: what counts is the text after one trip through it.
        const wanted = sent.map((headers) => headers.map(([n, v]) => [n, Buffer.from(v).toString()]));
        expect(got.map((m) => m.headers)).toEqual(wanted);
      }),
      stories(),
    );
  });

  it('survives any bytes whatever, and still reads the message after them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 20 }), (noise) => {
        const { messages } = parse([
          Buffer.from(GREETING),
          ...noise.map((bytes) => Buffer.from(bytes)),
          Buffer.from('\r\n--END COMMAND--\r\n\r\nEvent: After\r\n\r\n'),
        ]);
        expect(messages.at(-1)?.name).toBe('After');
      }),
      stories(),
    );
  });

  it('hands on the start of a message that is too large, marked, and goes on with the next', () => {
    const long = `Event: Big\r\nA: 1\r\n${'Line: 0123456789\r\n'.repeat(1000)}\r\nEvent: Next\r\nB: 2\r\n\r\n`;
    for (const size of [1, 7, 4096, 1 << 20]) {
      const bytes = Buffer.from(GREETING + long);
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      const { messages, parser } = parse(chunks, 500);
      expect(messages.map((m) => [m.name, m.truncated])).toEqual([
        ['Big', true],
        ['Next', false],
      ]);
      expect(messages[0]?.headers.length).toBeLessThan(40);
      expect(parser.stats.truncatedMessages).toBe(1);
    }
  });

  it('keeps no more than its bound of a line that never ends', () => {
    const piece = Buffer.alloc(1000, 0x41);
    const { parser, messages } = parse(
      [Buffer.from(`${GREETING}Event: X\r\nLong: `), ...Array.from({ length: 50 }, () => piece)],
      5000,
    );
    expect(messages).toHaveLength(0);
    parser.push(Buffer.from('\r\n\r\nEvent: Y\r\n\r\n'));
    expect(messages.map((m) => [m.name, m.truncated])).toEqual([
      ['X', true],
      ['Y', false],
    ]);
    expect(messages[0]?.get('Long')).toBeUndefined();
  });

  it('looks at every byte of a large reply once, as it comes', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `Output: line ${i} of a long list of things\r\n`);
    const bytes = Buffer.from(`${GREETING}Response: Success\r\nActionID: 1\r\n${lines.join('')}\r\n`);
    const seen: number[] = [];
    const messages: AmiMessage[] = [];
    const parser = new AmiParser({
      onGreeting: () => undefined,
      onMessage: (m) => messages.push(m),
      maxMessageBytes: 1 << 24,
    });
    for (let at = 0; at < bytes.length; at += 16_384) {
      parser.push(bytes.subarray(at, at + 16_384));
      seen.push(parser.stats.lines);
    }
    // Each chunk's lines are dealt with when it arrives, not all of them when the last one does.
    const most = Math.max(...seen.map((count, i) => count - (seen[i - 1] ?? 0)));
    expect(most).toBeLessThan(600);
    expect(messages[0]?.output).toHaveLength(20_000);
    expect(messages[0]?.output.at(-1)).toBe('line 19999 of a long list of things');
  });

  it('counts lines that are no headers', () => {
    const { parser, messages } = parse([Buffer.from(`${GREETING}nonsense\r\nEvent: A\r\n: no name\r\n\r\n`)]);
    expect(parser.stats.malformedLines).toBe(2);
    expect(messages.map((m) => m.name)).toEqual(['A']);
  });
});
