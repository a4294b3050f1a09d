import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { z } from 'zod';
import { type CtiEvent, EVENT_SCHEMAS } from '../../src/cti/events.ts';

/** Wait before the next try to subscribe, ms. */
const AGAIN_MS = 50;
/** How often it looks whether the far end is still there, and how long that may take to show itself, ms. */
const PING_MS = 1_000;
const SILENT_MS = 3_000;
/** How long what a test waits for may take, ms. */
const PATIENCE_MS = 30_000;

interface Waiter {
  readonly done: () => boolean;
  readonly resolve: () => void;
}

/**
 * A subscriber that wants everything: it comes back for ever, and asks each time for what came after the last event that
 * it had. What it was given twice, what was left out, and what it could not be given any more are kept as complaints.
 */
export class Witness {
  readonly complaints: string[] = [];
  /** Ids of all events that were heard, in order. */
  readonly ids: number[] = [];
  readonly #calls = new Map<string, CtiEvent[]>();
  readonly #open = new Set<string>();
  readonly #base: () => string;
  readonly #key: string;
  readonly #waiters = new Set<Waiter>();
  #last: number | undefined;
  #socket: WebSocket | undefined;
  #closed = false;
  /** Events that could not be replayed to it. */
  lost = 0;

  /** @param base where an instance listens; asked for before each try, since any instance will do */
  constructor(base: () => string, key: string) {
    this.#base = base;
    this.#key = key;
    void this.#run();
  }

  /** The newest id heard; undefined until it is subscribed. */
  get position(): number | undefined {
    return this.#last;
  }

  /** Calls that have begun and not ended, as far as it was told. */
  get open(): ReadonlySet<string> {
    return this.#open;
  }

  /** Every call that it was told of. */
  get calls(): ReadonlyMap<string, readonly CtiEvent[]> {
    return this.#calls;
  }

  of(callID: string): readonly CtiEvent[] {
    return this.#calls.get(callID) ?? [];
  }

  /** Forgets calls that have been judged, so that a long run does not grow. */
  forget(callIDs: Iterable<string>): void {
    for (const callID of callIDs) this.#calls.delete(callID);
  }

  /** Waits until something is so; looked at with each event. @throws Error with `what` when the time is over */
  async until(what: string, done: () => boolean, within = PATIENCE_MS): Promise<void> {
    if (done()) return;
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        done,
        resolve: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`not within ${within} ms: ${what}`));
      }, within);
      this.#waiters.add(waiter);
    });
  }

  /** Waits for an event of a call. */
  async event(callID: string, messageID: CtiEvent['messageID'], thisDN?: string): Promise<void> {
    const wanted = (e: CtiEvent): boolean =>
      e.messageID === messageID && (thisDN === undefined || ('thisDN' in e && e.thisDN === thisDN));
    await this.until(`${messageID}(${thisDN ?? ''}) of ${callID}`, () => this.of(callID).some(wanted)).catch(
      (error: Error) => {
        throw new Error(`${error.message}; there were ${this.of(callID).map((e) => e.messageID)}`);
      },
    );
  }

  /** Goes to another instance, and on from where it was. */
  move(): void {
    this.#socket?.terminate();
  }

  close(): void {
    this.#closed = true;
    this.#socket?.terminate();
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#listen();
      if (!this.#closed) await delay(AGAIN_MS);
    }
  }

  /** Settles when the socket is gone. */
  #listen(): Promise<void> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`${this.#base().replace('http', 'ws')}/rpc`, {
        headers: { authorization: `Bearer ${this.#key}` },
        handshakeTimeout: SILENT_MS,
      });
      this.#socket = socket;
      let alive = performance.now();
      const stillThere = (): void => {
        alive = performance.now();
      };
      // Whoever stands still does not close its connections: another instance may serve meanwhile.
      const pings = setInterval(() => {
        if (performance.now() - alive > SILENT_MS) socket.terminate();
        else if (socket.readyState === WebSocket.OPEN) socket.ping();
      }, PING_MS);
      socket.on('pong', stillThere);
      socket.on('open', () => {
        stillThere();
        const params = this.#last === undefined ? {} : { after: this.#last };
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'Subscribe', params }));
      });
      socket.on('message', (data) => {
        stillThere();
        this.#take(socket, JSON.parse(String(data)));
      });
      // A connection that was refused is told by its end as well.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(pings);
        resolve();
      });
    });
  }

  #take(socket: WebSocket, message: { id?: number; result?: unknown; error?: unknown; params?: unknown }): void {
    if (message.id === undefined) {
      this.#hear(message.params as CtiEvent);
      return;
    }
    if (message.result !== undefined) {
      this.#last ??= (message.result as { lastEventID: number }).lastEventID;
      return;
    }
    const { message: name, data } = message.error as { message: string; data?: { lastEventID?: number } };
    if (name === 'EventsExpired') {
      this.complaints.push(`what came after ${this.#last} could not be had: ${JSON.stringify(data)}`);
      this.lost += 1;
      this.#last = undefined;
    }
    // Redis may be away just now: the next try will do.
    socket.terminate();
  }

  #hear(event: CtiEvent): void {
    const { eventID } = event;
    const last = this.#last ?? eventID - 1;
    if (eventID !== last + 1) {
      this.complaints.push(`after ${last} came ${eventID} (${event.messageID})`);
      if (eventID > last) this.lost += eventID - last - 1;
      if (eventID <= last) return;
    }
    this.#last = eventID;
    this.ids.push(eventID);
    const schema: z.ZodType | undefined = EVENT_SCHEMAS[event.messageID];
    const checked = schema?.safeParse(event);
    if (!checked?.success) this.complaints.push(`${JSON.stringify(event)} fails its schema: ${checked?.error.message}`);
    this.#keep(event);
    for (const waiter of this.#waiters) if (waiter.done()) waiter.resolve();
  }

  #keep(event: CtiEvent): void {
    const callID = 'callID' in event ? event.callID : undefined;
    if (callID === undefined || event.messageID === 'EventPartyError') return;
    const before = this.#calls.get(callID);
    if (before) before.push(event);
    else this.#calls.set(callID, [event]);
    if (event.messageID === 'EventCallCreated') this.#open.add(callID);
    if (event.messageID === 'EventCallDeleted') this.#open.delete(callID);
  }
}
