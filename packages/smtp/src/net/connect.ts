import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Failure } from '../failure/failure.ts';
import { awaitEvent, type Wait } from './await-event.ts';

/** Where a connection goes: TCP host and port, or a UNIX socket. */
export interface Target {
  /** A name or an address; of a name all addresses are tried. */
  readonly host?: string;
  readonly port?: number;
  /** UNIX socket instead of host and port. */
  readonly path?: string;
  /** The address to connect from. */
  readonly localAddress?: string;
}

/** Makes the connection in another way: through a proxy, or in memory. It is awaited no longer than a connection is. */
export type SocketFactory = (target: Target) => Duplex | Promise<Duplex>;

/** The target in words. */
export function formatTarget({ host = 'localhost', port, path }: Target): string {
  if (path !== undefined) return path;
  return `${host.includes(':') ? `[${host}]` : host}:${port ?? 25}`;
}

function openSocket(target: Target): Socket {
  const { host = 'localhost', port = 25, path, localAddress } = target;
  if (path !== undefined) return connect({ path });
  return connect({ host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
}

/** Connects. Rejects with Failure `refused`, `unreachable`, `dns`, `timeout`, `aborted` or `lost`. */
export async function connectSocket(target: Target, bounds: Omit<Wait, 'what'>): Promise<Socket> {
  const what = `connecting to ${formatTarget(target)}`;
  if (bounds.signal?.aborted) throw new Failure('aborted', `${what}: aborted`, bounds.signal.reason);
  const socket = openSocket(target);
  try {
    await awaitEvent(socket, 'connect', { what, ...bounds });
    return socket;
  } catch (error) {
    // A late error of the socket must not end the process.
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  }
}
