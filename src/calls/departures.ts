import { attendedDeparture } from './attended.ts';
import { conferenceDeparture, conferenceFarewell } from './conference.ts';
import { consultDeparture, consultFarewell } from './consult-end.ts';
import type { Departure, Farewell } from './leave.ts';
import { queueAgentLeft } from './queue.ts';
import { statusEnded } from './statuses.ts';
import { supervisionDeparture, supervisionFarewell } from './supervise.ts';
import { transferDeparture } from './transfer.ts';

/** What a party's last event says, by the relation that it was in. */
export const FAREWELLS: readonly Farewell[] = [statusEnded, consultFarewell, conferenceFarewell, supervisionFarewell];

/** What a party's leaving means, by the relation that it was in; asked in this order. */
export const DEPARTURES: readonly Departure[] = [
  queueAgentLeft,
  supervisionDeparture,
  consultDeparture,
  transferDeparture,
  attendedDeparture,
  conferenceDeparture,
];
