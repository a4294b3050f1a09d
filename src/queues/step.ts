import { endAfterCall } from '../agents/after-call.ts';
import { type Agent, isLoggedIn } from '../agents/agent.ts';
import {
  type AgentRequest,
  delay,
  type LoginRequest,
  login,
  logout,
  type Named,
  notReady,
  phoneLost,
  ready,
} from '../agents/verbs.ts';
import { type Refusal, refuse } from '../cti/errors.ts';
import { REASON_CODES } from '../cti/roles.ts';
import { assign, overflow } from './assign.ts';
import type { Floor, FloorInput, FloorOutcome, FloorRefused, Queues } from './floor.ts';
import { FloorTurn } from './floor-turn.ts';
import { declined, recover, takeNote } from './notes.ts';

/** Agents that a company's floor knows, logged out ones included. */
export const AGENT_LIMIT = 5_000;

/**
 * The whole of the agents' and queues' logic: what a floor becomes by one input. Pure: no clock, no socket, no store.
 * After every step each free agent and each waiting call that could be brought together has been.
 *
 * @param now Unix ms
 * @returns the next floor, the events to tell and what to ask of the calls; or the refusal of a request
 */
export function stepFloor(floor: Floor, input: FloorInput, now: number, queues: Queues): FloorOutcome | FloorRefused {
  const turn = new FloorTurn(floor, now, queues, input.kind === 'recover');
  switch (input.kind) {
    case 'notes':
      for (const { note, statuses } of input.notes) {
        takeNote(turn, note);
        for (const status of statuses) turn.status(status);
      }
      break;
    case 'declined':
      declined(turn, input.callID, input.assignment);
      break;
    case 'phone-lost': {
      const agent = turn.onPhone(input.dn);
      if (agent) turn.put(phoneLost(turn, agent));
      break;
    }
    case 'tick':
      break;
    case 'recover':
      recover(turn, input.live, input.over);
      break;
    default: {
      const agent = onRequest(turn, input);
      if ('refusal' in agent) return agent;
      turn.put(agent.agent);
      settle(turn);
      return turn.outcome(turn.agents.get(agent.agent.agentID) ?? agent.agent);
    }
  }
  settle(turn);
  return turn.outcome();
}

/** What is due is done with every step, and every step ends with nobody waiting for nothing. */
function settle(turn: FloorTurn): void {
  for (const agent of turn.agents.values()) {
    if (agent.afterCall?.until !== undefined && agent.afterCall.until <= turn.now) turn.put(endAfterCall(turn, agent));
  }
  assign(turn);
  overflow(turn);
}

function onRequest(turn: FloorTurn, request: AgentRequest): { agent: Agent } | FloorRefused {
  if (request.kind === 'login') return verdict(onLogin(turn, request));
  const agent = named(turn, request);
  if ('code' in agent) return { refusal: agent };
  const { referenceID } = request;
  switch (request.kind) {
    case 'ready':
      return { agent: ready(turn, agent, request.reasonCode, referenceID) };
    case 'not-ready':
      return { agent: notReady(turn, agent, request.reasonCode ?? REASON_CODES.Other, referenceID) };
    case 'logout':
      return { agent: logout(turn, agent, referenceID) };
    case 'delay':
      return verdict(delay(turn, agent, request.seconds, referenceID));
  }
}

const verdict = (outcome: Agent | Refusal): { agent: Agent } | FloorRefused =>
  'code' in outcome ? { refusal: outcome } : { agent: outcome };

function onLogin(turn: FloorTurn, request: LoginRequest): Agent | Refusal {
  const unknown = request.queues?.findIndex((id) => !turn.queues.has(id)) ?? -1;
  if (unknown >= 0) {
    return refuse('InvalidParams', { issues: [{ path: `thisQueues.${unknown}`, reason: 'there is no such queue' }] });
  }
  const there = turn.onPhone(request.dn);
  if (there && there.agentID !== request.agentID) {
    return refuse('UnknownAgentError', { reason: 'another agent is logged in on this phone' });
  }
  const holder = [...turn.agents.values()].find((a) => a.acquired?.dn === request.dn && a.agentID !== request.agentID);
  if (holder && isLoggedIn(holder)) {
    return refuse('UnknownAgentError', { reason: 'the phone is in a call of an agent who is logged in elsewhere' });
  }
  if (!turn.agents.has(request.agentID) && turn.agents.size >= AGENT_LIMIT && !makeRoom(turn)) {
    return refuse('UnknownAgentError', { reason: `the company has ${AGENT_LIMIT} agents logged in` });
  }
  const agent = login(turn, turn.agents.get(request.agentID), request, holder?.acquired);
  if (holder && !('code' in agent)) {
    // A queue's call that was given to whoever was logged in here before is his who is logged in now.
    const { acquired: _, ...before } = holder;
    turn.put(before);
  }
  return agent;
}

/** Forgets who has been logged out longest. */
function makeRoom(turn: FloorTurn): boolean {
  const out = [...turn.agents.values()]
    .filter((a) => !isLoggedIn(a) && !a.acquired)
    .sort((a, b) => a.stateSince - b.stateSince);
  const [oldest] = out;
  if (oldest) turn.forget(oldest.agentID);
  return oldest !== undefined;
}

/** The logged-in agent whom a request names. */
function named(turn: FloorTurn, { agentID, dn }: Named): Agent | Refusal {
  if (agentID === undefined) return turn.onPhone(dn ?? '') ?? refuse('NotFoundAgent');
  const agent = turn.agents.get(agentID);
  if (!agent || !isLoggedIn(agent)) return refuse('NotFoundAgentID');
  if (dn !== undefined && dn !== agent.dn) return refuse('RegisterDNNotMatch', { loggedInOn: agent.dn });
  return agent;
}
