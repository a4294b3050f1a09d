import { z } from 'zod';
import { ERRORS, type ErrorKey } from '../cti/errors.ts';
import { CTI_EVENT_NAMES, EVENT_SCHEMAS } from '../cti/events.ts';
import { METHOD_NAMES, METHODS, type Method, type MethodName, type Scope } from '../cti/requests.ts';

/** JSON Schema, draft 7: what OpenRPC 1.3 builds on. */
type Schema = Record<string, unknown>;

/** The error codes that a method may answer with, by what its scope is about. JSON-RPC's own codes apply to all. */
const SUBJECTS_OF_SCOPE: Readonly<Record<Scope, readonly string[]>> = {
  call: ['party'],
  agent: ['agent'],
  supervise: ['party', 'supervisor'],
  dial: ['party'],
  read: [],
  admin: [],
};

/** Codes that a method may answer with although they are about something else than its scope (docs/refusals.md). */
const BESIDE: Readonly<Partial<Record<MethodName, readonly ErrorKey[]>>> = {
  RequestInitiateConsult: ['AgentIsInConsultScene', 'AgentIsInConferenceScene'],
  RequestSingleStepTransfer: ['AgentIsInConsultScene'],
  RequestSingleStepConference: ['AgentIsInConsultScene'],
  RequestDeleteFromConference: ['AgentIsInBargedInScene', 'AgentIsInInterceptScene', 'AgentIsInConsultScene'],
  RequestAgentLogin: ['RegisterDNNotMatch'],
  RequestAgentReady: ['NotFoundAgent', 'RegisterDNNotMatch'],
  RequestAgentNotReady: ['NotFoundAgent', 'RegisterDNNotMatch'],
  RequestAgentLogout: ['NotFoundAgent', 'RegisterDNNotMatch'],
  RequestDelayAfterCallWork: ['NotFoundAgent', 'RegisterDNNotMatch', 'InvalidAgentState'],
  RequestListAgents: ['UnknownAgentError'],
  RequestGetCallInfo: ['NotFoundCallID'],
  Subscribe: ['EventsExpired'],
};

/** Codes of party requests that any method may answer with. */
const EVERYWHERE: readonly ErrorKey[] = ['InvalidParams', 'CTIException', 'RequestTooFast', 'Forbidden', 'NotReady'];

/**
 * The OpenRPC 1.3 document of the internal RPC, made from the schemas that validate the requests: what `rpc.discover`
 * answers and what docs/api/openrpc.json holds.
 *
 * @param version of the product
 */
export function openRpcDocument(version: string): object {
  return {
    openrpc: '1.3.2',
    info: {
      title: 'Ringmaster',
      version,
      description:
        'Controls the calls and agents of contact centres. JSON-RPC 2.0 over POST /rpc and over a WebSocket at GET /rpc, ' +
        'with Authorization: Bearer <API key>. Params go by name. What a request causes arrives as events.',
    },
    methods: METHOD_NAMES.map((name) => methodObject(name, METHODS[name])),
    components: { schemas: eventSchemas(), errors: errorObjects() },
    'x-notifications': [
      {
        name: 'event',
        summary: 'A CTI event, sent to WebSockets that have subscribed',
        params: { $ref: '#/components/schemas/CtiEvent' },
      },
    ],
  };
}

function methodObject(name: MethodName, method: Method): object {
  const params = schemaOf(method.params, 'input');
  const properties = (params['properties'] ?? {}) as Record<string, Schema>;
  const required = new Set((params['required'] ?? []) as string[]);
  const content = Object.entries(properties).map(([key, schema]) => ({
    name: key,
    required: required.has(key),
    schema,
  }));
  return {
    name,
    summary: method.summary,
    paramStructure: 'by-name',
    // OpenRPC wants the required ones first.
    params: [...content.filter((param) => param.required), ...content.filter((param) => !param.required)],
    result: { name: `${name}Result`, schema: schemaOf(method.result, 'output') },
    errors: errorsOf(name, method).map((key) => ({ $ref: `#/components/errors/${key}` })),
    'x-scope': method.scope,
    'x-carrier': method.carrier,
  };
}

function errorsOf(name: MethodName, method: Method): ErrorKey[] {
  const subjects = SUBJECTS_OF_SCOPE[method.scope];
  const beside = BESIDE[name] ?? [];
  const keys = Object.keys(ERRORS) as ErrorKey[];
  return keys.filter(
    (key) => subjects.includes(ERRORS[key].subject) || EVERYWHERE.includes(key) || beside.includes(key),
  );
}

function eventSchemas(): Record<string, Schema> {
  const schemas: Record<string, Schema> = {};
  for (const name of CTI_EVENT_NAMES) schemas[name] = schemaOf(EVENT_SCHEMAS[name], 'output');
  schemas['CtiEvent'] = { oneOf: CTI_EVENT_NAMES.map((name) => ({ $ref: `#/components/schemas/${name}` })) };
  return schemas;
}

function errorObjects(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(ERRORS).map(([key, { code, name, meaning }]) => [
      key,
      { code, message: name, 'x-meaning': meaning },
    ]),
  );
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-7' });
  return rest;
}
