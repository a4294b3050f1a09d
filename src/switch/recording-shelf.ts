import { AriClient, type Download, hasStatus } from '../ari/index.ts';
import type { AriAccess } from './asterisk-switch.ts';

/** The recordings that lie on one node: read by whoever is asked for one, also where another instance runs its calls. */
export class RecordingShelf {
  readonly #ari: AriClient;

  constructor(node: string, ari: AriAccess) {
    // It only asks, and opens no event socket.
    this.#ari = new AriClient({ node, ...ari, onEvent: () => undefined });
  }

  /**
   * Opens a recording's file, as Asterisk wrote it; undefined where this node has none of that name.
   *
   * @throws AriError where the node cannot be asked
   */
  async open(name: string, signal?: AbortSignal): Promise<Download | undefined> {
    try {
      return await this.#ari.recordings.openFile(name, signal);
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#ari.close();
  }
}
