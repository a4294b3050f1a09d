import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection by a reset, so that the system does not go on sending what was written to it: a network that is back
 * after a minute would deliver it then. Node has no reset for TLS, which is closed as usual.
 */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
