import { answerFailed } from './answer.ts';
import { liveParty } from './call.ts';
import type { Command } from './command.ts';
import type { CallRequest, NotDone } from './input.ts';
import type { Refused } from './output.ts';
import type { Turn } from './turn.ts';

/**
 * A request that Asterisk did not carry out is undone by the one that takes it back, as if its party had asked for that:
 * the call is what it was, and its events say so. Where nothing is listed there is nothing to undo: either the request
 * left nothing behind (digits), or the leg that could not be served is hung up, and its end
 * tells the rest. The first of several that is not refused is taken.
 */
const UNDONE_BY: { readonly [K in CallRequest['kind']]?: readonly Undoing[] } = {
  hold: ['retrieve'],
  retrieve: ['hold'],
  mute: ['unmute'],
  unmute: ['mute'],
  consult: ['cancel-consult', 'retrieve-consult'],
};

type Undoing = 'hold' | 'retrieve' | 'mute' | 'unmute' | 'cancel-consult' | 'retrieve-consult';

/** Commands whose failure ends the leg that they were for. */
const ENDS_ITS_LEG: ReadonlySet<Command['do']> = new Set(['place', 'dial', 'snoop', 'answer']);

/** Commands whose failure is nobody's: what they were to end is ended when the node is compared with the call again. */
const REPEATED: ReadonlySet<Command['do']> = new Set(['hang-up', 'destroy-bridge', 'play-tone', 'ring']);

/** True where whoever asked is told that the command was not carried out. */
export const isTold = (command: Command['do']): boolean => !REPEATED.has(command);

/** Takes back a request of which a command was not carried out. */
export function undo(
  turn: Turn,
  { request, command }: NotDone,
  carryOut: (turn: Turn, request: CallRequest) => Refused | undefined,
): void {
  if (ENDS_ITS_LEG.has(command) || !('thisDN' in request) || request.thisDN === undefined) return;
  const { thisDN, referenceID } = request;
  const party = liveParty(turn.call, thisDN);
  if (request.kind === 'answer' && party) answerFailed(turn, party);
  for (const kind of UNDONE_BY[request.kind] ?? []) {
    if (carryOut(turn, { kind, thisDN, referenceID }) === undefined) return;
  }
}
