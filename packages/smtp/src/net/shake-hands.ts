import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { TlsState } from '../protocol/dialogue.ts';
import type { ServerTls } from './server-tls.ts';
import { tlsStateOf } from './tls-state.ts';

/** How a server shakes hands. */
export interface ServerHandshake {
  readonly tls: ServerTls;
  /** Whether the client is asked for a certificate; it need not have one. */
  readonly asksForCertificate: boolean;
  /** Is told when it is done; a handshake that fails is told by the end of the stream. */
  secured(state: TlsState): void;
}

/** Puts the server's side of TLS around a stream of which nobody reads any more. */
export function shakeHands(stream: Duplex, { tls, asksForCertificate, secured }: ServerHandshake): TLSSocket {
  const asking = asksForCertificate ? { requestCert: true, rejectUnauthorized: false } : {};
  const secure = new TLSSocket(stream, { ...tls, ...asking, isServer: true });
  secure.once('secure', () => secured(tlsStateOf(secure)));
  return secure;
}
