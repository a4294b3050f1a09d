import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CTI_EVENT_NAMES, CtiEvent, EVENT_SCHEMAS } from '../../../src/cti/events.ts';
import examples from './seed-examples.json' with { type: 'json' };

const THE_24 = [
  ...['EventCallCreated', 'EventCallDeleted', 'EventCallInfo', 'EventDialing', 'EventRinging', 'EventOtherRinging'],
  ...['EventEstablished', 'EventReleased', 'EventHeld', 'EventRetrieved', 'EventMuted', 'EventUnmuted'],
  ...['EventAttachedDataChanged', 'EventPartyChanged', 'EventPartyAdded', 'EventPartyDeleted', 'EventDtmfSent'],
  ...['EventAgentLogin', 'EventAgentReady', 'EventAgentNotReady', 'EventAgentLogout', 'EventDelayAfterCallWork'],
  ...['EventPartyError', 'EventAgentError'],
];

describe('the events', () => {
  it('are the 24 of the seed, each under its own name', () => {
    expect([...CTI_EVENT_NAMES].sort()).toEqual([...THE_24].sort());
    for (const name of CTI_EVENT_NAMES) expect(EVENT_SCHEMAS[name].shape.messageID.value).toBe(name);
  });

  it('have an example of the seed each', () => {
    expect(new Set(examples.map(({ messageID }) => messageID))).toEqual(new Set(THE_24));
  });

  it.each(examples.map((example) => [`${example.messageID} ${example.eventID}`, example] as const))(
    'accept the seed’s example: %s',
    (_name, example) => {
      expect(CtiEvent.parse(example)).toEqual(example);
    },
  );

  it.each(examples.map((example) => [`${example.messageID} ${example.eventID}`, example] as const))(
    'refuse what the contract does not know: %s',
    (_name, example) => {
      expect(CtiEvent.safeParse({ ...example, partyId: 'x' }).success).toBe(false);
      expect(CtiEvent.safeParse({ ...example, eventID: undefined }).success).toBe(false);
      expect(CtiEvent.safeParse({ ...example, companyId: undefined }).success).toBe(false);
      expect(CtiEvent.safeParse({ ...example, creationTime: '1637128329720' }).success).toBe(false);
    },
  );

  it('carry the contract’s additions', () => {
    const released = examples.find(({ messageID }) => messageID === 'EventReleased');
    const more = { connectionStatus: 'User Busy', sipCode: 486, q850: 17, agentStatus: 'Completed', recovered: true };
    expect(CtiEvent.parse({ ...released, ...more })).toMatchObject(more);
    for (const wrong of [{ connectionStatus: 'Fine' }, { q850: 128 }, { sipCode: 7 }, { agentStatus: 'Asleep' }]) {
      expect(CtiEvent.safeParse({ ...released, ...wrong }).success).toBe(false);
    }
  });

  it('are publishable as JSON Schema', () => {
    const schema = z.toJSONSchema(CtiEvent);
    expect(schema.oneOf ?? schema.anyOf).toHaveLength(24);
    for (const name of CTI_EVENT_NAMES) {
      const { additionalProperties, required } = z.toJSONSchema(EVENT_SCHEMAS[name]);
      expect(additionalProperties).toBe(false);
      expect(required).toEqual(expect.arrayContaining(['messageID', 'eventID', 'creationTime', 'companyId']));
    }
  });
});
