import type { CtiEventName, NewCtiEvent } from '../cti/events.ts';
import type { LoggedEvent } from '../ports.ts';
import { StoreFault } from './errors.ts';
import { list, text } from './reply.ts';

/** An event made ready for the log: its JSON is written once and never parsed again. */
export interface PreparedEvent {
  readonly name: CtiEventName;
  /** Empty where the event has none. */
  readonly callID: string;
  readonly thisDN: string;
  /** The event as JSON, without eventID. */
  readonly json: string;
}

/** An event as it is stored. */
export function prepare(event: NewCtiEvent): PreparedEvent {
  return {
    name: event.messageID,
    callID: ('callID' in event && event.callID) || '',
    thisDN: ('thisDN' in event && event.thisDN) || '',
    json: JSON.stringify(event),
  };
}

/** Adds the events to a script's arguments, in the order that the scripts expect. */
export function pushEvents(args: string[], events: readonly PreparedEvent[]): void {
  for (const event of events) args.push(event.name, event.callID, event.thisDN, event.json);
}

/** The event with its place in the log; eventID is spliced in front of the JSON text. */
export function logged(event: PreparedEvent, eventID: number): LoggedEvent {
  return {
    eventID,
    messageID: event.name,
    ...(event.callID !== '' && { callID: event.callID }),
    ...(event.thisDN !== '' && { thisDN: event.thisDN }),
    json: `{"eventID":${eventID},${event.json.slice(1)}`,
  };
}

/** The eventID of a stream entry; its id is `<eventID>-0`. */
export function entryID(entry: unknown): number {
  return Number.parseInt(text(list(entry)[0]), 10);
}

/** A stream entry as Redis returns it: [id, [field, value, …]], the fields in the order in which they were written. */
export function preparedOf(entry: unknown): PreparedEvent {
  const fields = list(list(entry)[1]);
  if (fields.length !== 8) throw new StoreFault('an entry of the event log has not the fields of an event');
  return {
    // Only our own scripts write the log, and only what prepare() made.
    name: text(fields[1]) as CtiEventName,
    callID: text(fields[3]),
    thisDN: text(fields[5]),
    json: text(fields[7]),
  };
}

/** A stream entry as a logged event. @throws {StoreFault} where it is none */
export const fromEntry = (entry: unknown): LoggedEvent => logged(preparedOf(entry), entryID(entry));
