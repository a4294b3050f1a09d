import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { BenchLab } from './bench-lab.ts';
import { type RingmasterClient, wallClock } from './contestants/ringmaster.ts';
import { Deferred } from './deferred.ts';

/** For the last of the calls to end, and for Asterisk to answer, ms. */
const PATIENCE_MS = 20_000;

/** Milliseconds from Asterisk's own timestamp of a ChannelStateChange. */
export interface EventTimes {
  /** Until the event that it caused came to Ringmaster's subscriber. */
  readonly subscriber: number[];
  /** Until the ChannelStateChange itself came to a bare socket beside it: what Asterisk and the machine take. */
  readonly bareSocket: number[];
}

/** Channel states that a party's event follows from at once, in one step. */
const CAUSES: Readonly<Record<string, string>> = { Ringing: 'EventRinging', Up: 'EventEstablished' };

/**
 * Makes calls at a steady rate and measures how long the customer's ringing and answer take from Asterisk to the
 * subscriber. Asterisk stamps an event when it makes it, in whole milliseconds by the clock of the machine that all of
 * this runs on; the stamp is read from the event as a second Stasis application hears it, on a socket beside Ringmaster.
 */
export async function eventTimes(
  at: BenchLab,
  client: RingmasterClient,
  calls: number,
  rate: number,
  round: number,
): Promise<EventTimes> {
  // A new application each time, and closed in order: with one name, cut off after each round, Asterisk 22.10.1 once
  // stopped answering for any application in the sixth round. That the cutting off was the cause is not proven.
  const app = `bench-observer-${round}`;
  const url = `${at.surroundings.ari.url.replace('http', 'ws')}/events?app=${app}&subscribeAll=true`;
  const socket = new WebSocket(url, { headers: { authorization: at.authorization } });
  const stamped = new Map<string, number>();
  const heard = new Map<string, number>();
  const times: EventTimes = { subscriber: [], bareSocket: [] };
  const match = (key: string): void => {
    const [from, to] = [stamped.get(key), heard.get(key)];
    if (from !== undefined && to !== undefined) times.subscriber.push(to - from);
  };
  let stopListening = (): void => undefined;
  await once(socket, 'open');
  try {
    const filtered = await at.ari(`/applications/${app}/eventFilter`, {
      signal: AbortSignal.timeout(PATIENCE_MS),
      method: 'PUT',
      body: JSON.stringify({ allowed: [{ type: 'ChannelStateChange' }] }),
    });
    if (!filtered.ok) throw new Error(`Asterisk answered ${filtered.status} to the event filter`);
    socket.on('message', (data) => {
      const now = wallClock();
      const event = JSON.parse(data.toString()) as { timestamp: string; channel: { id: string; state: string } };
      const cause = CAUSES[event.channel?.state];
      if (cause === undefined) return;
      const key = `${cause} ${event.channel.id}`;
      const from = Date.parse(event.timestamp.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
      stamped.set(key, from);
      times.bareSocket.push(now - from);
      match(key);
    });
    stopListening = client.onEvent((event, now) => {
      // The customer is the second party: what happens to his leg is what the event tells. His channel's id is his party's.
      if (!Object.values(CAUSES).includes(event.messageID) || !event.partyID?.endsWith('-2')) return;
      const key = `${event.messageID} ${event.partyID}`;
      heard.set(key, now);
      match(key);
    });
    const begun: Promise<unknown>[] = [];
    const start = performance.now();
    for (let i = 0; i < calls; i += 1) {
      const due = start + (i * 1000) / rate - performance.now();
      if (due > 0) await delay(due);
      begun.push(client.call(i % 1000));
    }
    const late = new Deferred<never>();
    const timer = setTimeout(() => late.reject(new Error('a measured call did not come to its end')), PATIENCE_MS);
    try {
      await Promise.race([Promise.all(begun), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  } finally {
    stopListening();
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }
  if (times.subscriber.length < calls) throw new Error(`only ${times.subscriber.length} events could be measured`);
  return times;
}
