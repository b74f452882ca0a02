import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { BindingOf } from '../sasl/channel.ts';
import { signatureHash } from './signature-hash.ts';

/** What names a TLS connection, worked out when it is asked for (RFC 9266 §2, RFC 5929 §4.1). */
export function bindingOf(socket: TLSSocket, side: 'client' | 'server'): BindingOf {
  return (type) => {
    if (socket.destroyed) return undefined;
    if (type === 'tls-exporter') return exportKey(socket);
    const certificate = side === 'server' ? socket.getX509Certificate() : socket.getPeerX509Certificate();
    return certificate === undefined ? undefined : hashOf(certificate);
  };
}

/** Deviates: not over TLS 1.2, where nothing tells whether the extended master secret that it needs is in use (RFC 9266 §4.2). */
function exportKey(socket: TLSSocket): Buffer | undefined {
  if (socket.getProtocol() !== 'TLSv1.3') return undefined;
  return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
}

/** The certificate by the hash of its signature; MD5 and SHA-1 are too weak, and stand for SHA-256 (RFC 5929 §4.1). */
function hashOf({ raw }: X509Certificate): Buffer | undefined {
  const hash = signatureHash(raw);
  return hash === undefined ? undefined : createHash(hash).update(raw).digest();
}
