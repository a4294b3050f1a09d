import { createHmac } from 'node:crypto';
import type { DialerCall, Leg } from './dialer-call.ts';

/** A message as it waits in the store. */
export interface WebhookMessage {
  /** `webhook-id`: the same for every attempt. */
  readonly id: string;
  readonly flowId: string;
  /** The body, byte for byte as it is signed and sent. */
  readonly body: string;
}

const iso = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

/** A leg as `callDetails` tells it. Moments are ISO 8601 in UTC, null where they never came; `duration` in ms. */
export function callDetail(leg: Leg) {
  return {
    cdrId: leg.partyID,
    startTime: iso(leg.startedAt),
    ringingStartTime: iso(leg.ringingAt),
    connectTime: iso(leg.answeredAt),
    endTime: iso(leg.endedAt),
    calleeNumber: leg.number,
    didNumber: leg.did ?? null,
    hangupCause: leg.q850,
    duration: leg.answeredAt === undefined ? 0 : leg.endedAt - leg.answeredAt,
    dtmfPressed: leg.dtmf ?? '',
    incoming: false,
    calleeType: leg.role === 'customer' ? 'VISITOR' : 'HARD_PHONE',
    remoteHangup: leg.remote,
    is_ringing: leg.ringingAt !== undefined,
    callConnectionStatus: leg.connectionStatus,
  };
}

/**
 * What the webhook is told after one call of Ringmaster's, or where a call ends without one.
 *
 * @param id of the message
 * @param legs of the call that has just ended; empty where there was none
 */
export function webhookMessage(id: string, call: DialerCall, legs: readonly Leg[]): WebhookMessage {
  const body = JSON.stringify({
    'phonon-uuid': call.uuid,
    'request-id': call.requestId,
    'flow-id': call.flowId,
    'client-identifier': call.clientIdentifier,
    'flow-status': call.status,
    final: call.phase === 'ended',
    'next-attempt': call.phase === 'waiting' ? iso(call.dueAt) : null,
    'agent-attempts': call.agentAttempts,
    'customer-attempts': call.customerAttempts,
    callDetails: legs.map(callDetail),
  });
  return { id, flowId: call.flowId, body };
}

/**
 * The signature of a message (Standard Webhooks 1.0.0): HMAC-SHA256 of id, timestamp and body.
 *
 * @param secret `whsec_` and the key in base64
 * @param timestamp seconds
 * @returns the value of `webhook-signature`
 */
export function signature(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
