import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { Failure } from '../failure/failure.ts';
import { awaitEvent, type Wait } from './await-event.ts';
import { CertificateFailure, type Identify, type ShownCertificates } from './identify.ts';
import { errorCode } from './socket-failure.ts';

/** Certificates of the client's side. */
export type TlsMaterial = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'secureContext'>;

/** How a handshake is made. */
export interface Handshake extends Wait {
  /** The name or address that the certificate must be for (RFC 9525 §6). */
  readonly name: string;
  /** Whether a certificate that does not fit ends the handshake. */
  readonly verify: boolean;
  /** Judges the certificate instead; it need not be for `name`, which the host is asked for all the same. */
  readonly identify?: Identify | undefined;
  readonly material?: TlsMaterial | undefined;
}

/** Puts TLS 1.2 or newer around a connection; `authorized` tells whether the certificate fits. Rejects with Failure `tls`, `timeout` or `aborted` (RFC 8996 §5). */
export async function secureSocket(
  socket: Duplex,
  { name, verify, identify, material, ...wait }: Handshake,
): Promise<TLSSocket> {
  const secured = connect({
    ...material,
    socket,
    host: name,
    // An address is no server name (RFC 6066 §3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: verify && identify === undefined,
    ...(identify === undefined ? {} : { checkServerIdentity: () => undefined }),
  });
  try {
    await awaitEvent(secured, 'secureConnect', wait);
    const fault = identify?.(shownBy(secured));
    if (fault !== undefined) throw new CertificateFailure(fault);
    return secured;
  } catch (error) {
    secured.on('error', () => {});
    secured.destroy();
    const isOurs =
      error instanceof CertificateFailure ||
      (error instanceof Failure && (error.kind === 'timeout' || error.kind === 'aborted'));
    throw isOurs ? error : new Failure('tls', error instanceof Error ? error.message : String(error), error);
  }
}

/** Certificates beyond these are not looked at. */
const longestChain = 20;

/** The certificates that a host has shown; throws Failure `tls` when there are none. */
export function shownBy(socket: TLSSocket): ShownCertificates {
  const chain: X509Certificate[] = [];
  const seen = new Set<unknown>();
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !seen.has(next) && chain.length < longestChain) {
    seen.add(next);
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) throw new Failure('tls', 'the host shows no certificate');
  if (socket.authorized) return { chain: [leaf, ...issuers] };
  const reason: unknown = socket.authorizationError;
  return { chain: [leaf, ...issuers], distrust: errorCode(reason) || String(reason) };
}
