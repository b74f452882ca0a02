import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Both ends of a connection; an address is `local` and a port 0 where there is no network between them. */
export interface Endpoint {
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** The ends of a UNIX socket, standard input, or another stream without addresses. */
export const localEndpoint: Endpoint = {
  clientAddress: 'local',
  clientPort: 0,
  localAddress: 'local',
  localPort: 0,
};

/** Writes an IPv4 address that came in IPv6 form as IPv4, and leaves out the zone of another (RFC 4291 §2.5.5.2, RFC 4007 §11). */
export function plainAddress(address: string): string {
  if (/^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address)) return address.slice(7);
  const zone = address.indexOf('%');
  return zone === -1 ? address : address.slice(0, zone);
}

/** The ends of a stream. */
export function endpointOf(stream: Duplex): Endpoint {
  if (!(stream instanceof Socket) || stream.remoteAddress === undefined) return localEndpoint;
  return {
    clientAddress: plainAddress(stream.remoteAddress),
    clientPort: stream.remotePort ?? 0,
    localAddress: plainAddress(stream.localAddress ?? ''),
    localPort: stream.localPort ?? 0,
  };
}
