import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, inject, it, test, vi } from 'vitest';
import { ERRORS, type ErrorKey, errorEventOf } from '../../src/cti/errors.ts';
import { EngineWorld, SLOW_KEY, type WorldOptions } from '../support/engine-world.ts';

/**
 * Every code of seed 004, reached over the RPC with the real engine and the real Redis, on a simulated node. A code without
 * a row here does not compile; one that is not refused as it should be, or changes anything, fails.
 */

// Each goes through a whole service of its own, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const [AGENT, OTHER, SUPERVISOR, SECOND] = ['1001', '1002', '1007', '1008'];
const CUSTOMER = '911140001001';
const NOWHERE = `${'0'.repeat(32)}001`;

/** JSON-RPC's codes and our own are no refusals of the seed. */
type SeedKey = Exclude<
  ErrorKey,
  'ParseError' | 'InvalidRequest' | 'MethodNotFound' | 'Forbidden' | 'EventsExpired' | 'NotReady'
>;

/** A request that is to be refused. */
interface Asked {
  readonly method: string;
  readonly params: object;
  /** API key; the one that may do everything if absent. */
  readonly key?: string;
  /** The body, where it is no request at all. */
  readonly text?: string;
  /** To be called when the refusal has been looked at. */
  readonly after?: () => Promise<void>;
}

interface Row extends WorldOptions {
  /** Brings about what the request is refused for. */
  readonly arrange: (world: EngineWorld) => Promise<Asked>;
  /** JSON-RPC's own code that the answer has; the seed's is in its data. */
  readonly answered?: number;
}

const asks = (method: string, params: object, more: Partial<Asked> = {}): Asked => ({ method, params, ...more });
const makes = (params: object) => async (): Promise<Asked> => asks('RequestMakeCall', params);

/** A supervisor's request at a call of the agent and the customer, on which somebody is at work already. */
const supervised =
  (first: string, second: string, answers = true) =>
  async (world: EngineWorld): Promise<Asked> => {
    const callID = await world.talk(AGENT, CUSTOMER);
    const party = { callID, otherDN: AGENT };
    if (answers) await world.bring(first, { ...party, thisDN: SUPERVISOR });
    else await world.grant(first, { ...party, thisDN: SUPERVISOR });
    return asks(second, { ...party, thisDN: SECOND });
  };

/** A request of one of two who talk. */
const talking =
  (method: string, params: object = {}, before?: (world: EngineWorld, callID: string) => Promise<unknown>) =>
  async (world: EngineWorld): Promise<Asked> => {
    const callID = await world.talk(AGENT, CUSTOMER);
    await before?.(world, callID);
    return asks(method, { callID, thisDN: AGENT, ...params });
  };

const conference = (world: EngineWorld, callID: string): Promise<string> =>
  world.bring('RequestSingleStepConference', { callID, thisDN: AGENT, otherDN: OTHER });

const ROWS: { readonly [K in SeedKey]: Row } = {
  // A call that was stored with a consultation of nobody's: no step can make sense of it.
  Unknown: {
    arrange: async (world) => {
      const callID = await world.talk(AGENT, CUSTOMER);
      const consult = { host: `${callID}-8`, guest: `${callID}-9`, stage: 4, swapped: true };
      await world.restart(() => world.tamper(callID, (call) => ({ ...call, consult })));
      return asks('RequestHoldCall', { callID, thisDN: AGENT });
    },
  },
  AgentMonitoredBy: { arrange: supervised('RequestMonitor', 'RequestWhisper') },
  SupervisorMonitoring: {
    arrange: async (world) => {
      const callID = await world.talk(AGENT, CUSTOMER);
      await world.bring('RequestMonitor', { callID, thisDN: SUPERVISOR, otherDN: AGENT });
      const second = await world.talk(OTHER, '911140001002');
      return asks('RequestMonitor', { callID: second, thisDN: SUPERVISOR, otherDN: OTHER });
    },
  },
  SupervisorInCall: {
    arrange: async (world) => {
      await world.talk(SUPERVISOR, '911140001002');
      const callID = await world.talk(AGENT, CUSTOMER);
      return asks('RequestBargein', { callID, thisDN: SUPERVISOR, otherDN: AGENT });
    },
  },
  NotFoundCallID: { arrange: async () => asks('RequestHoldCall', { callID: NOWHERE, thisDN: AGENT }) },
  InvalidCallType: { arrange: makes({ thisDN: AGENT, otherDN: CUSTOMER, callType: 'Internal' }) },
  InvalidAgentState: { arrange: talking('RequestRetrieveCall') },
  CallHasObserver: {
    arrange: async (world) => {
      const callID = await world.talk(AGENT, OTHER);
      await world.bring('RequestMonitor', { callID, thisDN: SUPERVISOR, otherDN: AGENT });
      return asks('RequestMonitor', { callID, thisDN: SECOND, otherDN: OTHER });
    },
  },
  ConferenceToTransfer: { arrange: talking('RequestSingleStepTransfer', { otherDN: '1003' }, conference) },
  TargetPartyIsSelf: { arrange: makes({ thisDN: AGENT, otherDN: AGENT }) },
  HeldInProcess: {
    arrange: talking('RequestHoldCall', {}, (world, callID) =>
      world.grant('RequestHoldCall', { callID, thisDN: AGENT }),
    ),
  },
  NotFoundOtherParty: { arrange: talking('RequestMonitor', { thisDN: SUPERVISOR, otherDN: OTHER }) },
  TargetPartyInCall: { arrange: talking('RequestInitiateConsult', { otherDN: CUSTOMER }) },
  PartyIsObserver: {
    arrange: talking('RequestMuteCall', { thisDN: SUPERVISOR }, (world, callID) =>
      world.bring('RequestMonitor', { callID, thisDN: SUPERVISOR, otherDN: AGENT }),
    ),
  },
  NotFoundAgent: { arrange: talking('RequestMonitor', { thisDN: SUPERVISOR, otherDN: CUSTOMER }) },
  CustomerAddByConference: {
    arrange: talking('RequestDeleteFromConference', { thisDN: '911140001002', otherDN: AGENT }, async (world, callID) =>
      world.bring('RequestSingleStepConference', { callID, thisDN: AGENT, otherDN: '911140001002' }),
    ),
  },
  NotFoundParty: { arrange: talking('RequestHoldCall', { thisDN: OTHER }) },
  NotEnoughMeetmeRoom: {
    arrange: talking('RequestSingleStepConference', { otherDN: '1030' }, async (world, callID) => {
      for (let n = 0; n < 8; n++) {
        await world.grant('RequestSingleStepConference', { callID, thisDN: AGENT, otherDN: `102${n}` });
      }
    }),
  },
  InvalidParams: { arrange: talking('RequestSendDtmf', { dtmfDigits: 'x' }) },
  PBXError: {
    arrange: talking('RequestHoldCall', {}, async (world) => {
      world.node.serving = false;
    }),
  },
  // A call that ended, and of which Redis has kept no sense.
  CTIException: {
    arrange: async (world) => {
      const after = await world.spoil(world.callKey(NOWHERE));
      return asks('RequestGetCallInfo', { callID: NOWHERE }, { after });
    },
  },
  NotFoundChannel: {
    trunk: false,
    arrange: async (world) => {
      const callID = await world.talk(AGENT, OTHER);
      return asks('RequestInitiateConsult', { callID, thisDN: AGENT, otherDN: CUSTOMER });
    },
  },
  SocketToJSon: {
    answered: -32700,
    arrange: withText('', '{"jsonrpc":"2.0","method":'),
  },
  MessageIDNotMatch: {
    answered: -32601,
    arrange: withText('RequestTeaBreak', '{"jsonrpc":"2.0","id":1,"method":"RequestTeaBreak","params":{}}'),
  },
  RegisterDNNotMatch: { arrange: makes({ thisDN: '2001', otherDN: CUSTOMER }) },
  RequestTooFast: {
    arrange: async (world) => {
      const callID = await world.talk(AGENT, CUSTOMER);
      const params = { callID, thisDN: AGENT };
      expect((await world.ask('RequestHoldCall', params, SLOW_KEY)).result).toEqual({});
      return asks('RequestRetrieveCall', params, { key: SLOW_KEY });
    },
  },
  UnknownAgentError: {
    arrange: async (world) => {
      await world.grant('RequestAgentLogin', { agentID: '7001', thisDN: AGENT });
      return asks('RequestAgentLogin', { agentID: '7002', thisDN: AGENT });
    },
  },
  NotFoundAgentID: { arrange: async () => asks('RequestAgentReady', { agentID: '7009' }) },
  UnknownSupervisorError: { arrange: talking('RequestStopSupervision') },
  AgentIsInBargedInScene: { arrange: supervised('RequestBargein', 'RequestMonitor') },
  AgentIsInMonitorScene: { arrange: supervised('RequestMonitor', 'RequestBargein') },
  AgentIsInInterceptScene: { arrange: supervised('RequestIntercept', 'RequestMonitor', false) },
  AgentIsInConsultScene: {
    arrange: talking('RequestMonitor', { thisDN: SUPERVISOR, otherDN: AGENT }, (world, callID) =>
      world.grant('RequestInitiateConsult', { callID, thisDN: AGENT, otherDN: OTHER }),
    ),
  },
  AgentIsInConferenceScene: {
    arrange: talking('RequestMonitor', { thisDN: SUPERVISOR, otherDN: AGENT }, conference),
  },
};

let world: EngineWorld | undefined;
const open = async (options?: WorldOptions): Promise<EngineWorld> => {
  world = await EngineWorld.open(inject('redisUrl'), options);
  return world;
};

afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** A body that is no request, sent while two talk. */
function withText(method: string, text: string) {
  return async (w: EngineWorld): Promise<Asked> => {
    await w.talk(AGENT, CUSTOMER);
    return asks(method, {}, { text });
  };
}

describe('every code of the seed', () => {
  it.each(Object.entries(ROWS) as [SeedKey, Row][])('%s', async (key, { arrange, answered, ...options }) => {
    const { code, name } = ERRORS[key];
    const w = await open(options);
    const { method, params, key: apiKey, text, after } = await arrange(w);
    const before = { stored: await w.stored(), node: w.node.contents, asked: w.node.asked.length };

    const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, referenceID: 77 } });
    const { body } = await w.post(text ?? request, apiKey);
    if (answered === undefined) expect(body.error).toMatchObject({ code, message: name });
    else expect(body.error).toMatchObject({ code: answered, data: { errorCode: code, errorMessage: name } });

    const told = await w.eventsUntil((e) => 'errorCode' in e && e.errorCode === code);
    const published = { messageID: errorEventOf(code), errorMessage: name, request: method };
    expect(told.filter((e) => 'errorCode' in e)).toMatchObject([
      text === undefined ? { ...published, referenceID: 77 } : published,
    ]);
    expect({ stored: await w.stored(), node: w.node.contents, asked: w.node.asked.length }).toEqual(before);
    await after?.();
  });

  it('is in docs/refusals.md', () => {
    const page = readFileSync(new URL('../../docs/refusals.md', import.meta.url), 'utf8');
    const rows = new Set(page.match(/^\| -?\d+ \| [^|]+ \|/gm));
    const wanted = Object.values(ERRORS).map(({ code, name }) => `| ${code} | ${name} |`);
    expect(wanted.filter((row) => !rows.has(row))).toEqual([]);
    const known = new Set(wanted);
    expect([...rows].filter((row) => !known.has(row))).toEqual([]);
  });
});

test('a change that cannot be stored is refused, and was never made', async () => {
  const w = await open();
  const callID = await w.talk(AGENT, CUSTOMER);
  const before = { stored: await w.stored(), node: w.node.contents };
  const mend = await w.spoil(w.logKey);
  const held = await w.ask('RequestHoldCall', { callID, thisDN: AGENT });
  expect(held.error).toEqual({ code: 301020, message: 'CTIException' });
  await mend();
  expect({ stored: await w.stored(), node: w.node.contents }).toEqual(before);
  expect(await w.grant('RequestHoldCall', { callID, thisDN: AGENT })).toEqual({});
});

describe('what Asterisk does not do', () => {
  const PAIRS: [request: string, command: string, first: string, undone: string, prepare?: string][] = [
    ['RequestMuteCall', 'mute', 'EventMuted', 'EventUnmuted'],
    ['RequestUnmuteCall', 'unmute', 'EventUnmuted', 'EventMuted', 'RequestMuteCall'],
    ['RequestHoldCall', 'start-music', 'EventHeld', 'EventRetrieved'],
    ['RequestRetrieveCall', 'stop-music', 'EventRetrieved', 'EventHeld', 'RequestHoldCall'],
  ];

  it.each(PAIRS)(
    '%s is undone where %s fails, and told as PBXError',
    async (method, failing, first, undone, prepare) => {
      const w = await open();
      const callID = await w.talk(AGENT, CUSTOMER);
      const params = { callID, thisDN: AGENT, referenceID: 78 };
      if (prepare !== undefined) await w.grant(prepare, { callID, thisDN: AGENT });
      const before = (await w.callOf(callID)).parties;
      const node = w.node.contents;
      let failures = 0;
      w.node.fails = (id, command) => {
        if (command.do !== failing || failures > 0) return false;
        failures += 1;
        queueMicrotask(() => w.engine.onCommandFailed(w.node.node, id, command));
        return true;
      };
      expect(await w.grant(method, params)).toEqual({});
      const events = await w.eventsUntil((e) => 'errorCode' in e);
      const since = events.slice(events.findLastIndex((e) => e.messageID === first && e.referenceID === 78));
      expect(since.map((e) => [e.messageID, e.referenceID])).toEqual([
        [first, 78],
        ['EventPartyError', 78],
        [undone, 78],
      ]);
      expect(since[1]).toMatchObject({ errorCode: 301019, errorMessage: 'PBXError', request: method, thisDN: AGENT });
      expect((await w.callOf(callID)).parties).toEqual(before);
      expect(w.node.contents).toEqual(node);
    },
  );

  it('a consultation whose customer cannot be given music is given up', async () => {
    const w = await open();
    const callID = await w.talk(AGENT, CUSTOMER);
    w.node.fails = (id, command) => {
      if (command.do !== 'start-music') return false;
      queueMicrotask(() => w.engine.onCommandFailed(w.node.node, id, command));
      return true;
    };
    const { partyID } = await w.grant('RequestInitiateConsult', { callID, thisDN: AGENT, otherDN: OTHER });
    await w.eventsUntil((e) => 'errorCode' in e && e.errorCode === 301019);
    if (partyID) await w.tells(partyID, 'leg-ended');
    const { parties } = await w.callOf(callID);
    expect(parties.map((p) => [p.thisDN, p.partyState])).toEqual([
      [AGENT, 'Talk'],
      [CUSTOMER, 'Talk'],
    ]);
    expect(w.node.contents).toMatchObject({ bridges: { [`${callID}-b1`]: [`${callID}-1`, `${callID}-2`] }, music: [] });
  });

  it('digits that were not sent are told as PBXError, once', async () => {
    const w = await open();
    const callID = await w.talk(AGENT, CUSTOMER);
    w.node.fails = (id, command) => {
      if (command.do !== 'send-dtmf') return false;
      for (let n = 0; n < 2; n++) queueMicrotask(() => w.engine.onCommandFailed(w.node.node, id, command));
      return true;
    };
    await w.grant('RequestSendDtmf', { callID, thisDN: AGENT, dtmfDigits: '12' });
    await w.grant('RequestUpdateAttachedData', { callID, attachedData: { last: 'one' } });
    const events = await w.eventsUntil((e) => 'attachedData' in e && e.attachedData?.['last'] === 'one');
    const errors = events.filter((e) => 'errorCode' in e);
    expect(errors).toMatchObject([{ errorCode: 301019, request: 'RequestSendDtmf' }]);
  });

  it('an end that was asked for while the node is away is accepted', async () => {
    const w = await open();
    const callID = await w.talk(AGENT, CUSTOMER);
    w.node.serving = false;
    expect((await w.ask('RequestReleaseCall', { callID, thisDN: AGENT })).result).toEqual({});
    expect((await w.ask('RequestUpdateAttachedData', { callID, attachedData: { a: '1' } })).result).toBeDefined();
  });
});
