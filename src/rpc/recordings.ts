import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { refuse } from '../cti/errors.ts';
import { at } from '../http/endpoint.ts';
import type { RecordingFile, RecordingFiles } from '../ports.ts';
import { RPC_ENDPOINTS } from './endpoints.ts';
import { type ByteRange, byteRange } from './range.ts';
import { json, type RouteDeps, refused, unauthorized } from './routes.ts';
import { WAV_HEADER_BYTES, wavHeader } from './wav.ts';

/** Recordings that are sent at once to all clients together: each holds a connection to Asterisk. */
const SENDING_AT_ONCE = 16;
/** Milliseconds without progress after which a client is cut. */
const STALLED_MS = 30_000;

/**
 * `GET /recordings/<recordUUID>` (`.wav` may follow): a recording as a stereo WAV file, 16 bits, 8000 Hz. Takes a key
 * with the scope `read` of the company whose call it was: 401 without a key, 403 without the scope, 404 for every id
 * that this company has no recording of, another company's among them. One Range is served (206, 416). 429 where too
 * many are being sent, 503 while the node that has it cannot be asked. HEAD likewise.
 */
export function recordingsRoute(app: FastifyInstance, deps: RouteDeps, files: RecordingFiles): void {
  let sending = 0;
  const serve = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const use = deps.uses.find(request.headers.authorization);
    if (use === undefined) return unauthorized(reply, deps);
    if (!use.caller.scopes.has('read')) return refused(reply, 403, refuse('Forbidden', { scope: 'read' }));
    const recordUUID = /^([0-9a-f]{32})(?:\.wav)?$/.exec((request.params as { file: string }).file)?.[1];
    if (recordUUID === undefined) return notFound(reply);
    if (!use.rate.take() || sending >= SENDING_AT_ONCE) {
      return refused(reply.header('retry-after', '1'), 429, refuse('RequestTooFast'));
    }
    sending += 1;
    reply.raw.once('close', () => {
      sending -= 1;
    });
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
    let file: RecordingFile | undefined;
    try {
      file = await files.open(use.caller.companyId, recordUUID, gone.signal);
    } catch (err) {
      if (!gone.signal.aborted) deps.logger.warn({ err, recordUUID }, 'a recording could not be asked for');
      return refused(reply, 503, refuse('NotReady'));
    }
    if (file === undefined) return notFound(reply);
    return send(request, reply, file, `${recordUUID}.wav`);
  };
  app.route({ ...at(RPC_ENDPOINTS.recording), method: ['GET', 'HEAD'], handler: serve });
}

function send(request: FastifyRequest, reply: FastifyReply, file: RecordingFile, name: string): FastifyReply {
  // Whoever reads the samples hears of an error by reading; where they are not read to their end it is of no interest.
  file.samples.on('error', () => undefined);
  const size = file.size + WAV_HEADER_BYTES;
  const range = byteRange(request.headers.range, size);
  reply.header('accept-ranges', 'bytes');
  if (range === 'unsatisfiable') {
    file.samples.destroy();
    return reply.code(416).header('content-range', `bytes */${size}`).send();
  }
  const { first, last } = range ?? { first: 0, last: size - 1 };
  if (range) reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`);
  reply
    .header('content-type', 'audio/wav')
    .header('content-length', last - first + 1)
    .header('content-disposition', `attachment; filename="${name}"`);
  if (request.method === 'HEAD') {
    file.samples.destroy();
    return reply.send();
  }
  return reply.send(Readable.from(part(file, { first, last }), { objectMode: false }));
}

/**
 * The bytes of a WAV file that a range names. Asterisk gives files whole: what comes before the range is read and left
 * out, what comes after it is not read.
 */
async function* part(file: RecordingFile, { first, last }: ByteRange): AsyncGenerator<Buffer> {
  let at = 0;
  const cut = (chunk: Buffer): Buffer => {
    const inside = chunk.subarray(Math.max(0, first - at), Math.max(0, last + 1 - at));
    at += chunk.length;
    return inside;
  };
  try {
    const header = cut(wavHeader(file.size));
    if (header.length > 0) yield header;
    if (at > last) return;
    for await (const chunk of file.samples as AsyncIterable<Buffer>) {
      const inside = cut(chunk);
      if (inside.length > 0) yield inside;
      if (at > last) return;
    }
  } finally {
    file.samples.destroy();
  }
}

function notFound(reply: FastifyReply): FastifyReply {
  return json(reply.code(404), '{"error":"there is no such recording"}');
}
