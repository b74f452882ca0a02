import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { formatLiteral, isDomain, parseLiteral } from '../address/domain.ts';
import { normalizeDomain } from '../address/normalize-domain.ts';
import { Failure } from '../failure/failure.ts';
import { awaitPromise } from '../net/await-event.ts';
import { bindingOf } from '../net/channel-binding.ts';
import { connectSocket, formatTarget, type SocketFactory, type Target } from '../net/connect.ts';
import { plainAddress } from '../net/endpoint.ts';
import type { Identify } from '../net/identify.ts';
import { secureSocket, type TlsMaterial } from '../net/secure.ts';
import { errorCode } from '../net/socket-failure.ts';
import type { Privacy } from '../protocol/client-setup.ts';
import { type ClientTimeouts, defaultTimeouts } from '../protocol/client-timeouts.ts';
import { ClientConnection, type Secured } from './connection.ts';
import { type ClientCredentials, type ClientMechanismName, mechanismsFor, resolveLogin } from './credentials.ts';
import { ConnectionFailure } from './send-result.ts';

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
  /** Judges the certificate in place of the check against `serverName`, such as by TLSA records (RFC 7672 §2.2). */
  readonly identify?: Identify;
  /** Certificates to trust and to show; default: those of Node, and none. */
  readonly tlsMaterial?: TlsMaterial;
  /** Domain or literal for EHLO; default: the literal of the address that the connection comes from (RFC 5321 §4.1.4). */
  readonly name?: string;
  readonly credentials?: ClientCredentials;
  /**
   * Ways to log in, in the order of preference; default: all that the credentials allow but CRAM-MD5 and NTLM, the strongest first,
   * and none of them outside of TLS with a host that was verified. What is named here and sends no password may go in the
   * clear, where whoever listens can try passwords against what it sends (RFC 2195 §4, RFC 5802 §9).
   */
  readonly mechanisms?: readonly ClientMechanismName[];
  /** Lets the password go without TLS, or to a host whose certificate was not verified (RFC 4954 §14). */
  readonly allowCleartextAuth?: boolean;
  /** Milliseconds; what is left out has the default. */
  readonly timeouts?: Partial<ClientTimeouts>;
  readonly socketFactory?: SocketFactory;
  /** How far what `socketFactory` gives keeps others out already; default `clear`. */
  readonly privacy?: Privacy;
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

function checkOptions({ name, credentials, mechanisms }: ConnectOptions): void {
  if (name !== undefined && helloName(name) === undefined) {
    throw new Failure('invalid', `not a domain or address literal: ${JSON.stringify(name)}`);
  }
  if (credentials !== undefined) mechanismsFor(credentials, mechanisms);
}

function helloName(name: string): string | undefined {
  if (parseLiteral(name) !== undefined || isDomain(name)) return name;
  return normalizeDomain(name);
}

async function attempt(options: ConnectOptions, tls: Tls, signal: AbortSignal | undefined): Promise<ClientConnection> {
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const authentication = await authenticationOf(options, signal, timeouts.auth);
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
    privacy: inside === undefined ? (options.privacy ?? 'clear') : inside.verified ? 'verified' : 'encrypted',
    ...(inside?.binding === undefined ? {} : { binding: inside.binding }),
    ...authentication,
    cleartextAuth: options.allowCleartextAuth === true,
    timeouts,
  });
  await connection.setUp(signal);
  return connection;
}

async function authenticationOf(
  { credentials, mechanisms }: ConnectOptions,
  signal: AbortSignal | undefined,
  timeout: number,
) {
  if (credentials === undefined) return { mechanisms: [] };
  try {
    const resolved = resolveLogin(credentials).catch((cause: unknown) => {
      throw new Failure('authentication', 'there is no token to log in with', cause);
    });
    const login = await awaitPromise(resolved, { what: 'the token', timeout, signal }, () => {});
    return { login, mechanisms: mechanismsFor(credentials, mechanisms), privateAuth: mechanisms === undefined };
  } catch (cause) {
    const kind = cause instanceof Failure ? cause.kind : 'authentication';
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectionFailure(kind, text, { phase: 'auth', cause });
  }
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

async function secure(socket: Duplex, { options, tls, timeout, signal }: Securing): Promise<Secured> {
  const what = `TLS with ${formatTarget(options)}`;
  try {
    const secured = await secureSocket(socket, {
      name: options.serverName ?? options.host ?? 'localhost',
      verify: options.verify ?? tls !== 'opportunistic',
      identify: options.identify,
      material: options.tlsMaterial,
      what,
      timeout,
      signal,
    });
    return {
      socket: secured,
      verified: options.identify !== undefined || secured.authorized,
      binding: bindingOf(secured, 'client'),
    };
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
