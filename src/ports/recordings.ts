import type { Readable } from 'node:stream';
import type { CompanyId } from '../cti/ids.ts';

/** What was recorded of a call, as it lies on the node that carried it. */
export interface RecordingFile {
  /** Bytes of `samples`. */
  readonly size: number;
  /**
   * Signed 16-bit little-endian samples at 8000 Hz, left and right in turn. Must be read to its end or destroyed.
   */
  readonly samples: Readable;
}

export interface RecordingFiles {
  /**
   * @returns undefined where the company has no recording of that id
   * @throws where the node that may have it cannot be asked
   */
  open(companyId: CompanyId, recordUUID: string, signal?: AbortSignal): Promise<RecordingFile | undefined>;
}
