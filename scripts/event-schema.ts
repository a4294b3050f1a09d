import { z } from 'zod';
import { CTI_EVENT_NAMES, EVENT_SCHEMAS } from '../src/cti/events.ts';

/** The JSON Schema (2020-12) of a CTI event as a subscriber gets it: one definition an event, chosen by messageID. */
export function eventJsonSchema(): object {
  const definitions = Object.fromEntries(
    CTI_EVENT_NAMES.map((name) => {
      const { $schema: _dialect, ...schema } = z.toJSONSchema(EVENT_SCHEMAS[name], { io: 'output' });
      return [name, schema];
    }),
  );
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'CTI event',
    description: 'An event of Ringmaster, as it reaches subscribers over WebSocket and Server-Sent Events.',
    oneOf: CTI_EVENT_NAMES.map((name) => ({ $ref: `#/$defs/${name}` })),
    $defs: definitions,
  };
}
