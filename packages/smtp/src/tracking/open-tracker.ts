import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { isDomain } from '../address/domain.ts';
import { Failure } from '../failure/failure.ts';
import { MtqpClientSession } from '../mtqp/mtqp-client-session.ts';
import { awaitPromise } from '../net/await-event.ts';
import { connectSocket, formatTarget, type SocketFactory } from '../net/connect.ts';
import { secureSocket, type TlsMaterial } from '../net/secure.ts';
import type { Tracker } from './tracker.ts';
import { TrackerConnection } from './tracker-connection.ts';

/** The port of the tracking query protocol (RFC 3887 §10). */
export const mtqpPort = 1038;

/** How a connection is secured: `starttls` fails closed, with a certificate that fits (RFC 3887 §6). */
export type TrackerTls = 'starttls' | 'opportunistic' | 'none';

/** Which tracking server, and how it is asked. */
export interface TrackerOptions {
  readonly host: string;
  /** Default 1038. */
  readonly port?: number;
  /** Default `opportunistic`: TLS where it is to be had, with any certificate. */
  readonly tls?: TrackerTls;
  /** The name that the server has, for STARTTLS and its certificate; default `host`. */
  readonly serverName?: string;
  /** Certificates to trust and to show; default: those of Node, and none. */
  readonly tlsMaterial?: TlsMaterial;
  readonly timeouts?: Partial<TrackerTimeouts>;
  readonly socketFactory?: SocketFactory;
  readonly signal?: AbortSignal;
}

/** Milliseconds that a step may take. */
export interface TrackerTimeouts {
  readonly connect: number;
  readonly tls: number;
  /** For each reply: two minutes or more, since the server may ask others (RFC 3887 §2.5). */
  readonly reply: number;
}

const defaultTimeouts: TrackerTimeouts = { connect: 30_000, tls: 30_000, reply: 150_000 };

/** Opens a session with a tracking server. Rejects with Failure; one `refused` has the server's reply in its text (RFC 3887 §2). */
export async function openTracker(options: TrackerOptions): Promise<Tracker> {
  const { tls = 'opportunistic' } = options;
  const name = options.serverName ?? options.host;
  const hasName = isDomain(name) && isIP(name) === 0;
  if (tls === 'starttls' && !hasName) {
    throw new Failure('invalid', `STARTTLS needs the name of the server; ${name} is none`);
  }
  // Of a server that has no name but an address, none can be told to it.
  const way = hasName ? tls : 'none';
  try {
    return await attempt(options, name, way);
  } catch (error) {
    // A broken certificate must not hide the message where clear text will do, too.
    if (way !== 'opportunistic' || !(error instanceof Failure) || error.kind !== 'tls') throw error;
    return await attempt(options, name, 'none');
  }
}

async function attempt(options: TrackerOptions, serverName: string, tls: TrackerTls): Promise<Tracker> {
  const { host, port = mtqpPort, signal } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const clock = () => performance.now();
  const target = formatTarget({ host, port });
  const socket = await connect(options, timeouts.connect);
  const startTls = tls === 'starttls' ? 'require' : tls === 'opportunistic' ? 'try' : 'no';
  const connection = new TrackerConnection({
    socket,
    target,
    session: new MtqpClientSession({ serverName, startTls, replyTime: timeouts.reply, clock }),
    clock,
    handshake: async (plain) => {
      const secured = await secureSocket(plain, {
        name: serverName,
        verify: tls === 'starttls',
        material: options.tlsMaterial,
        what: `TLS with ${target}`,
        timeout: timeouts.tls,
        signal,
      });
      return { socket: secured, verified: secured.authorized };
    },
  });
  await connection.setUp(signal);
  return connection;
}

async function connect(options: TrackerOptions, timeout: number): Promise<Duplex> {
  const { host, port = mtqpPort, signal, socketFactory } = options;
  const target = { host, port };
  if (socketFactory === undefined) return connectSocket(target, { timeout, signal });
  const what = `connecting to ${formatTarget(target)}`;
  return awaitPromise(Promise.resolve(socketFactory(target)), { what, timeout, signal }, (late) => late.destroy());
}
