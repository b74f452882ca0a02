import { Failure } from '@posthorn/smtp/failure/failure';

/** Where it is asked whether a token is good (RFC 7662 §2). */
export interface IntrospectionOptions {
  /** https, or http on this host. */
  readonly introspection: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** A word that the scope of a token must hold. */
  readonly scope?: string;
  /** The member of the answer that is the login. */
  readonly loginField: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Octets of the largest answer. */
const largest = 65_536;
/** Questions at a time. */
const mostRunning = 100;

let running = 0;

/**
 * The login that a token is good for, or undefined when it is not. Rejects with Failure `refused`, `timeout`, `protocol` or
 * `limit` when that cannot be told (RFC 7662 §2.2).
 */
export async function introspect(token: string, options: IntrospectionOptions): Promise<string | undefined> {
  if (running >= mostRunning) throw new Failure('limit', 'Too many tokens are asked about at a time');
  running += 1;
  try {
    return loginIn(await ask(token, options), options);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const isLate = error instanceof DOMException && error.name === 'TimeoutError';
    // The cause may hold the request, and so the token.
    throw new Failure(isLate ? 'timeout' : 'refused', `${options.introspection} does not answer`);
  } finally {
    running -= 1;
  }
}

async function ask(token: string, { introspection, clientId, clientSecret, timeout }: IntrospectionOptions) {
  const reply = await fetch(introspection, {
    method: 'POST',
    // Where it leads to is for nobody but the configuration to say.
    redirect: 'error',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...(clientId === undefined ? {} : { authorization: basic(clientId, clientSecret ?? '') }),
    },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    signal: AbortSignal.timeout(timeout),
  });
  if (!reply.ok || reply.body === null) {
    await reply.body?.cancel();
    throw new Failure('refused', `${introspection} says ${reply.status}`);
  }
  return readJson(reply.body, introspection);
}

/** Name and secret are encoded as in a form, first of all (RFC 6749 §2.3.1). */
function basic(id: string, secret: string): string {
  const [name, word] = [id, secret].map((text) => new URLSearchParams({ x: text }).toString().slice(2));
  return `Basic ${Buffer.from(`${name}:${word}`).toString('base64')}`;
}

async function readJson(body: AsyncIterable<Uint8Array>, from: string): Promise<object> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > largest) throw new Failure('protocol', `${from} answers too much`);
    pieces.push(piece);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch {}
  throw new Failure('protocol', `${from} does not answer in JSON`);
}

function loginIn(answer: object, { scope, loginField }: IntrospectionOptions): string | undefined {
  const members = answer as Readonly<Record<string, unknown>>;
  if (members.active !== true) return undefined;
  const scopes = typeof members.scope === 'string' ? members.scope.split(' ') : [];
  if (scope !== undefined && !scopes.includes(scope)) return undefined;
  const login = members[loginField];
  return typeof login === 'string' && /^[^\s\0-\x1f\x7f]{1,255}$/.test(login) ? login : undefined;
}
