import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { formatLiteral, isDomain, parseLiteral } from '../address/domain.ts';
import { normalizeDomain } from '../address/normalize-domain.ts';
import { Failure } from '../failure/failure.ts';
import { awaitPromise } from '../net/await-event.ts';
import { connectSocket, formatTarget, type SocketFactory, type Target } from '../net/connect.ts';
import { plainAddress } from '../net/endpoint.ts';
import { secureSocket, type TlsMaterial } from '../net/secure.ts';
import { errorCode } from '../net/socket-failure.ts';
import { type ClientTimeouts, defaultTimeouts } from '../protocol/client-timeouts.ts';
import { cramMd5Client } from '../sasl/cram-md5.ts';
import { login } from '../sasl/login.ts';
import type { Login } from '../sasl/mechanism.ts';
import { plain } from '../sasl/plain.ts';
import { ClientConnection } from './connection.ts';
import { ConnectionFailure } from './send-result.ts';

const mechanisms = { PLAIN: plain, LOGIN: login, 'CRAM-MD5': cramMd5Client } as const;

/** How a connection is secured; every one but `opportunistic` and `none` fails closed (RFC 3207 §4, RFC 8314 §3). */
export type Tls = 'implicit' | 'starttls' | 'opportunistic' | 'none';

/** Where a session goes, and how it is secured and opened. */
export interface ConnectOptions extends Target {
  /** Default `smtp` (RFC 2033 §4.1). */
  readonly protocol?: 'smtp' | 'lmtp';
  /** Default: `implicit` for port 465, `starttls` for 587, `none` for UNIX sockets, else `opportunistic`. */
  readonly tls?: Tls;
  /** The name that the certificate must be for; default `host` (RFC 9525 §6). */
  readonly serverName?: string;
  /**
   * Whether a certificate that does not fit ends the session; default: for all but `opportunistic`. No password goes to a
   * host that was not verified, unless `allowCleartextAuth` says so.
   */
  readonly verify?: boolean;
  /** Certificates to trust and to show; default: those of Node, and none. */
  readonly tlsMaterial?: TlsMaterial;
  /** Domain or literal for EHLO; default: the literal of the address that the connection comes from (RFC 5321 §4.1.4). */
  readonly name?: string;
  readonly credentials?: { readonly user: string; readonly password: string; readonly authorizeAs?: string };
  /**
   * Ways to log in, in the order of preference; default: PLAIN, LOGIN. CRAM-MD5 sends no password, but whoever listens can
   * try passwords against what it sends, so it is used only when it is named here (RFC 2195 §4).
   */
  readonly mechanisms?: readonly (keyof typeof mechanisms)[];
  /** Lets the password go without TLS, or to a host whose certificate was not verified (RFC 4954 §14). */
  readonly allowCleartextAuth?: boolean;
  /** Milliseconds; what is left out has the default. */
  readonly timeouts?: Partial<ClientTimeouts>;
  readonly socketFactory?: SocketFactory;
}

/** The way of securing that a port is known for (RFC 8314 §3.3, RFC 6409 §3.1). */
function defaultTls({ port, path }: Target): Tls {
  if (path !== undefined) return 'none';
  if (port === 465) return 'implicit';
  return port === 587 ? 'starttls' : 'opportunistic';
}

/** Opens a session that is ready for messages. Rejects with ConnectionFailure, or Failure `invalid` (RFC 5321 §3.1). */
export async function connectClient(options: ConnectOptions, signal?: AbortSignal): Promise<ClientConnection> {
  checkOptions(options);
  const tls = options.tls ?? defaultTls(options);
  try {
    return await attempt(options, tls, signal);
  } catch (error) {
    // Mail that may go in clear text must not wait because of a broken certificate (RFC 7435 §3).
    const failedHandshake = error instanceof ConnectionFailure && error.phase === 'tls' && error.kind !== 'aborted';
    if (tls !== 'opportunistic' || !failedHandshake) throw error;
    return await attempt(options, 'none', signal);
  }
}

function checkOptions({ name, credentials }: ConnectOptions): void {
  if (name !== undefined && helloName(name) === undefined) {
    throw new Failure('invalid', `not a domain or address literal: ${JSON.stringify(name)}`);
  }
  const { user = 'x', password = 'x', authorizeAs = '' } = credentials ?? {};
  if (user === '' || password === '' || [user, password, authorizeAs].some((text) => text.includes('\0'))) {
    throw new Failure('invalid', 'credentials need a user and a password, without NUL');
  }
}

function helloName(name: string): string | undefined {
  if (parseLiteral(name) !== undefined || isDomain(name)) return name;
  return normalizeDomain(name);
}

async function attempt(options: ConnectOptions, tls: Tls, signal: AbortSignal | undefined): Promise<ClientConnection> {
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const handshake = (socket: Duplex) => secure(socket, { options, tls, timeout: timeouts.tls, signal });
  const socket = await connect(options, timeouts.connect, signal);
  const inside = tls === 'implicit' ? await handshake(socket) : undefined;
  const connection = new ClientConnection({
    socket: inside?.socket ?? socket,
    target: formatTarget(options),
    handshake,
    protocol: options.protocol ?? 'smtp',
    name: (options.name === undefined ? undefined : helloName(options.name)) ?? localLiteral(socket),
    startTls: tls === 'starttls' ? 'require' : tls === 'opportunistic' ? 'try' : 'no',
    privacy: inside === undefined ? 'clear' : inside.verified ? 'verified' : 'encrypted',
    ...toLogin(options),
    mechanisms: (options.mechanisms ?? (['PLAIN', 'LOGIN'] as const)).map((name) => mechanisms[name]),
    cleartextAuth: options.allowCleartextAuth === true,
    timeouts,
  });
  await connection.setUp(signal);
  return connection;
}

function toLogin({ credentials }: ConnectOptions): { readonly login?: Login } {
  return credentials === undefined ? {} : { login: { authorizeAs: '', ...credentials } };
}

async function connect(options: ConnectOptions, timeout: number, signal: AbortSignal | undefined): Promise<Duplex> {
  try {
    if (options.socketFactory === undefined) return await connectSocket(options, { timeout, signal });
    const made = Promise.resolve(options.socketFactory(options));
    const what = `connecting to ${formatTarget(options)}`;
    return await awaitPromise(made, { what, timeout, signal }, (late) => late.destroy());
  } catch (cause) {
    const kind = cause instanceof Failure ? cause.kind : 'unreachable';
    throw new ConnectionFailure(kind, cause instanceof Error ? cause.message : String(cause), {
      phase: 'connect',
      cause,
    });
  }
}

interface Securing {
  readonly options: ConnectOptions;
  readonly tls: Tls;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

async function secure(socket: Duplex, { options, tls, timeout, signal }: Securing) {
  const what = `TLS with ${formatTarget(options)}`;
  try {
    const secured = await secureSocket(socket, {
      name: options.serverName ?? options.host ?? 'localhost',
      verify: options.verify ?? tls !== 'opportunistic',
      material: options.tlsMaterial,
      what,
      timeout,
      signal,
    });
    return { socket: secured, verified: secured instanceof TLSSocket && secured.authorized };
  } catch (cause) {
    const kind = cause instanceof Failure ? cause.kind : 'tls';
    throw new ConnectionFailure(kind, explain(what, tls, cause), { phase: 'tls', cause });
  }
}

/** OpenSSL's codes for octets that are no TLS: what a host sends that greets in clear text. */
const noTls = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

function explain(what: string, tls: Tls, cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const root = cause instanceof Error && cause.cause instanceof Error ? (cause.cause.cause ?? cause.cause) : cause;
  if (tls !== 'implicit' || !noTls.has(errorCode(root))) return text;
  return `${what}: the host speaks plain SMTP first, so implicit TLS cannot work there; use tls: 'starttls'`;
}

/** Never a bare host name: a literal is always true (RFC 5321 §4.1.4). */
function localLiteral(socket: Duplex): string {
  const address = socket instanceof Socket ? socket.localAddress : undefined;
  return formatLiteral(address === undefined ? '127.0.0.1' : plainAddress(address).replace(/%.*$/, ''));
}
