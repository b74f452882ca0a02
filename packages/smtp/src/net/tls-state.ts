import type { TLSSocket } from 'node:tls';
import type { TlsState } from '../protocol/dialogue.ts';

/** How a connection behind its handshake is secured. */
export function tlsStateOf(socket: TLSSocket): TlsState {
  const name = socket.servername as string | false | null | undefined;
  const state = { protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name };
  return name ? { ...state, serverName: name } : state;
}
