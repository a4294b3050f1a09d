import type { ActionOptions, AmiClient } from './client.ts';
import { AmiError } from './errors.ts';
import type { AmiMessage } from './message.ts';

/** Whom a NOTIFY goes to: an endpoint (out of dialog), a live channel (within its dialog), or any SIP URI. */
export type NotifyTarget = { readonly endpoint: string } | { readonly channel: string } | { readonly uri: string };

/**
 * A header of a NOTIFY, as Asterisk's `Variable` field must carry it. Asterisk splits the field at commas and takes
 * quotes, brackets and backslashes as its own (AST_STANDARD_APP_ARGS), so each is escaped and arrives as written.
 */
function variable(name: string, value: string): string {
  return `${name}=${value.replace(/[\\",()[\]]/g, '\\$&')}`;
}

/**
 * Sends a SIP NOTIFY (PJSIPNotify), e.g. `Event: talk` to make a phone answer. `Content` needs `Content-Type` before it.
 * Resolves when Asterisk has sent it, which does not say that the phone accepted it.
 * @throws AmiError
 */
export async function pjsipNotify(
  client: AmiClient,
  target: NotifyTarget,
  headers: ReadonlyArray<readonly [name: string, value: string]>,
  options: ActionOptions = {},
): Promise<void> {
  const to =
    'endpoint' in target
      ? { Endpoint: target.endpoint }
      : 'channel' in target
        ? { Channel: target.channel }
        : { URI: target.uri };
  const bad = headers.find(([name]) => !/^[A-Za-z][A-Za-z0-9-]*$/.test(name));
  if (bad !== undefined)
    throw new AmiError(client.node, 'PJSIPNotify', 'invalid-field', 'not the name of a SIP header');
  await client.action({ Action: 'PJSIPNotify', ...to, Variable: headers.map(([n, v]) => variable(n, v)) }, options);
}

/** A recording by MixMonitor. */
export interface MixMonitorOptions {
  /** File in Asterisk's monitor folder, with its extension, which chooses the format (`calls/1.wav`). */
  readonly file: string;
  /** MixMonitor's own options without those that take arguments from a caller (`b`, `D`, `r(file)`, `t(file)`). */
  readonly options?: string;
}

/**
 * Starts a recording of what is said on a channel; returns the id that stops exactly this one.
 * Asterisk joins file, options and a shell command with commas, so a comma in the first two would become a command that
 * Asterisk runs: commas, quotes and substitutions are refused, and a command is never sent.
 * @throws AmiError
 */
export async function mixMonitor(
  client: AmiClient,
  channel: string,
  recording: MixMonitorOptions,
  options: ActionOptions = {},
): Promise<string> {
  for (const text of [recording.file, recording.options ?? '']) {
    if (/[,"'`|;$^\\]/.test(text)) {
      throw new AmiError(client.node, 'MixMonitor', 'invalid-field', 'file and options may hold no separator or quote');
    }
  }
  if (recording.file === '' || recording.file.split('/').includes('..')) {
    throw new AmiError(client.node, 'MixMonitor', 'invalid-field', 'the file must lie in the recording folder');
  }
  const answer = await client.action(
    {
      Action: 'MixMonitor',
      Channel: channel,
      File: recording.file,
      Options: `i(AMI_MIXMONITOR_ID)${recording.options ?? ''}`,
    },
    options,
  );
  return answer.get('MixMonitorID') ?? '';
}

/** Stops one recording of a channel by its id, or all of them. @throws AmiError */
export async function stopMixMonitor(
  client: AmiClient,
  channel: string,
  mixMonitorId?: string,
  options: ActionOptions = {},
): Promise<void> {
  const which = mixMonitorId === undefined || mixMonitorId === '' ? {} : { MixMonitorID: mixMonitorId };
  await client.action({ Action: 'StopMixMonitor', Channel: channel, ...which }, options);
}

/**
 * Makes a recording silent, or audible again.
 * @param direction `read` = from the channel, `write` = to it
 * @throws AmiError
 */
export async function muteMixMonitor(
  client: AmiClient,
  channel: string,
  direction: 'read' | 'write' | 'both',
  muted: boolean,
  options: ActionOptions = {},
): Promise<void> {
  const state = muted ? 1 : 0;
  await client.action({ Action: 'MixMonitorMute', Channel: channel, Direction: direction, State: state }, options);
}

/** What Asterisk says of itself. */
export interface CoreStatus {
  /** When Asterisk started and last reloaded, as it says it: its local time, `YYYY-MM-DD HH:MM:SS`. */
  readonly startup: string;
  readonly reload: string;
  readonly currentCalls: number;
  readonly processedCalls: number;
}

/** @throws AmiError */
export async function coreStatus(client: AmiClient, options: ActionOptions = {}): Promise<CoreStatus> {
  const m = await client.action({ Action: 'CoreStatus' }, options);
  return {
    startup: `${m.get('CoreStartupDate') ?? ''} ${m.get('CoreStartupTime') ?? ''}`.trim(),
    reload: `${m.get('CoreReloadDate') ?? ''} ${m.get('CoreReloadTime') ?? ''}`.trim(),
    currentCalls: Number(m.get('CoreCurrentCalls') ?? 0),
    processedCalls: Number(m.get('CoreProcessedCalls') ?? 0),
  };
}

/** Where a SIP endpoint can be reached. */
export interface Contact {
  readonly endpoint: string;
  readonly uri: string;
  /** `Reachable`, `Unreachable`, `NonQualified`, `Unknown`, … as Asterisk words it. */
  readonly status: string;
  /** µs that the last OPTIONS took; undefined if the contact is not qualified. */
  readonly roundTripUs: number | undefined;
}

/** All contacts of all endpoints; none is an empty list. @throws AmiError */
export async function listContacts(client: AmiClient, options: ActionOptions = {}): Promise<Contact[]> {
  const items = await client.list({ Action: 'PJSIPShowContacts' }, options).then(
    (list) => list.items,
    (error: unknown) => {
      // Asterisk answers an empty list with an error: "No Contacts found".
      const message =
        error instanceof AmiError && error.code === 'refused' ? error.response?.get('Message') : undefined;
      if (message === 'No Contacts found') return [] as readonly AmiMessage[];
      throw error;
    },
  );
  return items.filter((item) => item.name === 'ContactList').map(contactOf);
}

function contactOf(item: AmiMessage): Contact {
  const us = Number(item.get('RoundtripUsec') ?? Number.NaN);
  return {
    endpoint: item.get('Endpoint') ?? '',
    uri: item.get('Uri') ?? '',
    status: item.get('Status') ?? '',
    roundTripUs: Number.isFinite(us) ? us : undefined,
  };
}

/** Every device's state by name (`PJSIP/1001` → `NOT_INUSE`). @throws AmiError */
export async function listDeviceStates(client: AmiClient, options: ActionOptions = {}): Promise<Map<string, string>> {
  const { items } = await client.list({ Action: 'DeviceStateList' }, options);
  return new Map(items.map((item) => [item.get('Device') ?? '', item.get('State') ?? '']));
}

/** Runs a CLI command; its output line by line. Needs the `command` class. @throws AmiError, `response.output` says why */
export async function command(
  client: AmiClient,
  text: string,
  options: ActionOptions = {},
): Promise<readonly string[]> {
  return (await client.action({ Action: 'Command', Command: text }, options)).output;
}
