import type { TLSSocket } from 'node:tls';
import type { TlsState } from '../protocol/dialogue.ts';
import type { ClientCertificate } from '../sasl/channel.ts';
import { bindingOf } from './channel-binding.ts';

/** How a connection behind its handshake is secured, seen from the server. */
export function tlsStateOf(socket: TLSSocket): TlsState {
  const name = socket.servername as string | false | null | undefined;
  const certificate = certificateOf(socket);
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    ...(name ? { serverName: name } : {}),
    binding: bindingOf(socket, 'server'),
    ...(certificate === undefined ? {} : { certificate }),
  };
}

function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined) return undefined;
  const fingerprint = shown.fingerprint256.replaceAll(':', '').toLowerCase();
  return { fingerprint, subject: shown.subject, raw: shown.raw };
}
