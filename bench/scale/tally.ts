import type { LoggedEvent } from '../../src/ports.ts';

/** What the log says of calls, checked as it is read. */
export interface Tally {
  readonly events: number;
  readonly created: number;
  readonly deleted: number;
  readonly released: number;
  /** What must not be: gaps, doubles, events after a call's end, calls without one. Empty if all is well. */
  readonly faults: readonly string[];
}

const MOST_FAULTS = 20;

/**
 * Reads a company's log and checks what it promises: ids without a gap, one EventCallDeleted a call and nothing after it,
 * one EventReleased for each party that was announced.
 *
 * @param first the id that the first event must have
 * @param allEnded every call is over: none may be without its EventCallDeleted
 */
export async function tally(log: AsyncIterable<LoggedEvent>, first: number, allEnded: boolean): Promise<Tally> {
  const faults: string[] = [];
  const fault = (text: string): void => {
    if (faults.length < MOST_FAULTS) faults.push(text);
  };
  /** Of each call that is not over: which parties were told of, and which of them were released. */
  const open = new Map<string, { readonly told: Set<string>; readonly released: Set<string> }>();
  let [events, created, deleted, released] = [0, 0, 0, 0];
  let expected = first;
  for await (const { eventID, messageID, callID, json } of log) {
    events += 1;
    if (eventID !== expected) fault(`event ${eventID} follows ${expected - 1}`);
    expected = eventID + 1;
    if (callID === undefined) continue;
    const parties = open.get(callID);
    if (messageID === 'EventCallCreated') {
      created += 1;
      if (parties) fault(`${callID} was created twice`);
      open.set(callID, { told: new Set(), released: new Set() });
      continue;
    }
    if (!parties) {
      fault(`${messageID} of ${callID}, which has not begun or is over`);
      continue;
    }
    if (messageID === 'EventCallDeleted') {
      deleted += 1;
      for (const p of parties.told) if (!parties.released.has(p)) fault(`${p} was never released`);
      open.delete(callID);
      continue;
    }
    const { partyID } = JSON.parse(json) as { partyID?: string };
    if (partyID === undefined) continue;
    parties.told.add(partyID);
    if (messageID !== 'EventReleased') continue;
    released += 1;
    if (parties.released.has(partyID)) fault(`${partyID} was released twice`);
    parties.released.add(partyID);
  }
  if (allEnded) for (const callID of [...open.keys()].slice(0, MOST_FAULTS)) fault(`${callID} never ended`);
  return { events, created, deleted, released, faults };
}
