import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Failure } from '../failure/failure.ts';
import { awaitEvent, type Wait } from './await-event.ts';

/** Certificates of the client's side. */
export type TlsMaterial = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'secureContext'>;

/** How a handshake is made. */
export interface Handshake extends Wait {
  /** The name or address that the certificate must be for (RFC 9525 §6). */
  readonly name: string;
  /** Whether a certificate that does not fit ends the handshake. */
  readonly verify: boolean;
  readonly material?: TlsMaterial | undefined;
}

/** Puts TLS 1.2 or newer around a connection; `authorized` tells whether the certificate fits. Rejects with Failure `tls`, `timeout` or `aborted` (RFC 8996 §5). */
export async function secureSocket(socket: Duplex, { name, verify, material, ...wait }: Handshake): Promise<TLSSocket> {
  const secured = connect({
    ...material,
    socket,
    host: name,
    // An address is no server name (RFC 6066 §3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: verify,
  });
  try {
    await awaitEvent(secured, 'secureConnect', wait);
    return secured;
  } catch (error) {
    secured.on('error', () => {});
    secured.destroy();
    const isOurs = error instanceof Failure && (error.kind === 'timeout' || error.kind === 'aborted');
    throw isOurs ? error : new Failure('tls', error instanceof Error ? error.message : String(error), error);
  }
}
