import type { Duplex } from 'node:stream';
import type { Tls } from '@posthorn/smtp/client/connect-client';
import { type Connection, openConnection } from '@posthorn/smtp/client/open-connection';
import { ConnectionFailure } from '@posthorn/smtp/client/send-result';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { TlsMaterial } from '@posthorn/smtp/net/secure';
import { isPermanent, isPositive, type Reply } from '@posthorn/smtp/reply/reply';
import { FetchTally } from './fetch-tally.ts';

/** What to fetch, and from whom. */
export interface FetchRequest {
  readonly by: 'atrn' | 'turn' | 'etrn';
  readonly host: string;
  readonly port: number;
  readonly tls: Tls;
  readonly user?: string;
  readonly password?: string;
  /** Domains for ATRN, none: all of the login; nodes for ETRN. */
  readonly domains: readonly string[];
}

/** What it came to. `messages` and `octets` are what was taken over the connection itself; none for ETRN. */
export interface FetchResult {
  /** `done`: all that the host had, or the host starts its queue; `empty`: it had none; `failed`: trying again may help; `refused`: it will not. */
  readonly kind: 'done' | 'empty' | 'failed' | 'refused';
  readonly messages: number;
  readonly octets: number;
  /** What the host said that decided, or why it said nothing, in words for people. */
  readonly said: readonly string[];
}

/** What mail is fetched with. */
export interface FetchMeans {
  /** What this host calls itself in EHLO. */
  readonly name: string;
  /** Serves a connection whose roles were reversed; the tally is the state of the session, and is told its end. */
  accept(stream: Duplex, tally: FetchTally): void;
  readonly signal: AbortSignal;
  readonly tlsMaterial?: TlsMaterial;
  /** Is told of the tally when a connection was reversed. */
  readonly onTurn?: (tally: FetchTally) => void;
}

/** Asks a host for mail; whatever the host or the network does is a result (RFC 2645 §5.2, RFC 1985 §5). */
export async function fetchMail(request: FetchRequest, means: FetchMeans): Promise<FetchResult> {
  try {
    const connection = await login(request, means);
    const abort = () => connection.drop();
    means.signal.addEventListener('abort', abort);
    try {
      if (request.by === 'etrn') return await startQueues(connection, request.domains);
      return await reverse(connection, request, means);
    } finally {
      means.signal.removeEventListener('abort', abort);
    }
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { kind: isFinal(error) ? 'refused' : 'failed', messages: 0, octets: 0, said: [said] };
  }
}

/** A 5yz, a way to log in that is not there, a request that cannot be written. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  const reply = error instanceof ConnectionFailure ? error.reply : undefined;
  return reply === undefined ? error.kind === 'authentication' || error.kind === 'invalid' : isPermanent(reply);
}

function login(request: FetchRequest, { name, signal, tlsMaterial }: FetchMeans): Promise<Connection> {
  const { host, port, tls, user, password } = request;
  return openConnection({
    host,
    port,
    tls,
    name,
    signal,
    mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'CRAM-MD5'],
    ...(tlsMaterial === undefined ? {} : { tlsMaterial }),
    ...(user === undefined || password === undefined ? {} : { credentials: { user, password } }),
  });
}

/** After a 5yz no more is asked: the host does not know ETRN, or not so (RFC 1985 §5.2). */
async function startQueues(connection: Connection, nodes: readonly string[]): Promise<FetchResult> {
  const said: string[] = [];
  let kind: FetchResult['kind'] = 'empty';
  for (const node of nodes) {
    const reply = await connection.etrn(node);
    said.push(formatSaid(reply));
    if (isPermanent(reply)) {
      kind = 'refused';
      break;
    }
    if (!isPositive(reply)) kind = 'failed';
    else if (kind === 'empty' && reply.code !== 251) kind = 'done';
  }
  await connection.close();
  return { kind, messages: 0, octets: 0, said };
}

async function reverse(connection: Connection, { by, domains }: FetchRequest, means: FetchMeans): Promise<FetchResult> {
  const { reply, stream } = by === 'atrn' ? await connection.atrn(domains) : await connection.turn();
  const said = [formatSaid(reply)];
  if (stream === undefined) {
    await connection.close();
    const kind = reply.code === 453 ? 'empty' : isPermanent(reply) ? 'refused' : 'failed';
    return { kind, messages: 0, octets: 0, said };
  }
  const tally = new FetchTally();
  means.onTurn?.(tally);
  await serve(stream, tally, means);
  const { messages, octets } = tally;
  return { kind: messages === 0 ? 'empty' : 'done', messages, octets, said };
}

/** The session has deadlines of its own: a host that never speaks ends it (RFC 5321 §4.5.3.2.7). */
function serve(stream: Duplex, tally: FetchTally, { accept, signal }: FetchMeans): Promise<void> {
  return new Promise((resolve) => {
    const abort = () => stream.destroy();
    const end = () => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    tally.onEnd = end;
    // A server that is closing takes no stream, and tells no end.
    stream.once('close', end);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else accept(stream, tally);
  });
}

function formatSaid({ code, status, lines }: Reply): string {
  return [code, status, ...lines].filter((part) => part !== undefined).join(' ');
}
