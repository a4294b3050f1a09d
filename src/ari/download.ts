import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import { AriError, type AriErrorKind } from './errors.ts';
import type { TlsOptions } from './http-carrier.ts';

/** Settings of {@link Downloads}. */
export interface DownloadOptions {
  readonly node: string;
  /** for example `http://127.0.0.1:8088` */
  readonly origin: string;
  /** path of the ARI root without trailing slash */
  readonly basePath: string;
  readonly authorization: string;
  readonly connectTimeoutMs: number;
  /** until the answer begins */
  readonly requestTimeoutMs: number;
  readonly tls?: TlsOptions | undefined;
}

/** A file of Asterisk's on its way. The body must be read to its end or destroyed. */
export interface Download {
  /** bytes */
  readonly size: number;
  readonly body: Readable;
}

/** Files at once; each is a connection of its own, and a thread of Asterisk, for as long as it takes. */
const CONNECTIONS = 16;
/** Milliseconds without a byte after which a download is given up. */
const SILENCE_MS = 30_000;

/** Files of Asterisk as streams, over connections of their own: a slow reader keeps no request waiting. */
export class Downloads {
  readonly #options: DownloadOptions;
  readonly #pool: Pool;

  constructor(options: DownloadOptions) {
    this.#options = options;
    this.#pool = new Pool(options.origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      keepAliveTimeout: 5_000,
      keepAliveMaxTimeout: 5_000,
      headersTimeout: options.requestTimeoutMs,
      bodyTimeout: SILENCE_MS,
      connect: { timeout: options.connectTimeoutMs, ...options.tls },
    });
  }

  /**
   * Opens a file.
   *
   * @param path below the ARI root, percent-encoded
   * @throws AriError
   */
  async open(path: string, signal?: AbortSignal): Promise<Download> {
    const { basePath, authorization } = this.#options;
    const answer = await this.#pool
      .request({ method: 'GET', path: basePath + path, headers: { authorization }, signal })
      .catch((error: Error) => {
        const kind = signal?.aborted ? 'aborted' : 'connection';
        throw this.#error(path, kind, error.message, undefined, error);
      });
    const { statusCode, headers, body } = answer;
    const size = Number(headers['content-length']);
    // A body that is given up says so as an error, which must find a listener.
    body.on('error', () => undefined);
    if (statusCode !== 200) {
      await body.dump({ limit: 16_384 }).catch(() => undefined);
      throw this.#error(path, 'status', 'the file was not given', statusCode);
    }
    if (!Number.isSafeInteger(size)) {
      body.destroy();
      throw this.#error(path, 'malformed', 'the file has no length');
    }
    return { size, body };
  }

  /** Ends every download. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }

  #error(path: string, kind: AriErrorKind, reason: string, status?: number, cause?: unknown): AriError {
    const { node } = this.#options;
    return new AriError({ node, method: 'GET', path, kind, reason, ...(status !== undefined && { status }), cause });
  }
}
