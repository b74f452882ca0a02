import { Failure } from '../failure/failure.ts';
import { type ConnectOptions, connectClient } from './connect-client.ts';
import type { ClientConnection } from './connection.ts';
import { type Discovery, discoverSubmission } from './discover-submission.ts';
import { ConnectionFailure } from './send-result.ts';

/**
 * A session with whatever host takes submissions for a domain. It is reached over TLS with a certificate that was verified,
 * so that nothing of the login goes to anyone else (RFC 6186 §3.1, RFC 8314 §5.1).
 */
export interface DiscoveredOptions
  extends Omit<
    ConnectOptions,
    'host' | 'port' | 'path' | 'protocol' | 'tls' | 'serverName' | 'verify' | 'allowCleartextAuth'
  > {
  /** The domain of the user's address. */
  readonly domain: string;
  readonly discovery?: Discovery;
}

/** Opens a session with the host that is named, or with the first that the domain names and that lets it come to a session. */
export async function connectDiscovered(
  options: ConnectOptions | DiscoveredOptions,
  signal?: AbortSignal,
): Promise<ClientConnection> {
  if (!('domain' in options)) return connectClient(options, signal);
  const { domain, discovery, ...connect } = options;
  let first: unknown;
  for (const host of await discover(domain, discovery, signal)) {
    try {
      return await connectClient({ ...connect, ...host, allowCleartextAuth: false }, signal);
    } catch (error) {
      if (!isOfThisHost(error)) throw error;
      first ??= error;
    }
  }
  throw first;
}

async function discover(domain: string, discovery: Discovery | undefined, signal: AbortSignal | undefined) {
  try {
    return await discoverSubmission(domain, discovery, signal);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'invalid') throw error;
    throw new ConnectionFailure(error.kind, error.message, { phase: 'connect', cause: error });
  }
}

/** A login that one host refuses is not tried at the next. */
function isOfThisHost(error: unknown): boolean {
  return error instanceof ConnectionFailure && error.phase !== 'auth' && error.kind !== 'aborted';
}
