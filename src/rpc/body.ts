import type { Readable } from 'node:stream';

/** Bytes of a body over the limit that are read and thrown away, so that its sender gets to read the answer. */
const DISCARDED_BYTES = 4 * 1024 * 1024;

/**
 * Reads a request's body as text.
 *
 * @param limit bytes that are taken
 * @returns the text, or `too-long`
 * @throws what the stream fails with: the client has gone
 */
export function readBody(stream: Readable, limit: number): Promise<string | 'too-long'> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limit) {
        chunks.push(chunk);
        return;
      }
      chunks = [];
      if (bytes > limit + DISCARDED_BYTES) {
        stream.off('data', onData);
        resolve('too-long');
      }
    };
    stream.on('data', onData);
    stream.on('end', () => resolve(bytes > limit ? 'too-long' : textOf(chunks)));
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('the client went away before its request had ended')));
  });
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  return (chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks)).toString('utf8');
}
