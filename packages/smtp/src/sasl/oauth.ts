import { parseUtf8 } from '../bytes/utf8.ts';
import type { Mechanism, ServerExchange, ServerStep, TokenCredentials } from './mechanism.ts';
import { escapeName } from './scram-message.ts';

/** What a client is told whose token is not taken (RFC 7628 §3.2.2). */
export interface TokenRefusal {
  /** What its token must be good for: words with blanks between them (RFC 6749 §3.3). */
  readonly scope?: string;
  /** Where it learns how to get a token: the address of a description (RFC 8414 §3). */
  readonly configuration?: string;
}

const malformed: ServerStep = { kind: 'malformed' };
const refused: ServerStep = { kind: 'refused' };
const nothing = Buffer.alloc(0);
const separator = '\x01';
/** What may stand in a token (RFC 6750 §2.1). */
const tokenText = /^[A-Za-z0-9._~+/-]{1,8192}={0,64}$/;

type Read = Omit<TokenCredentials, 'mechanism'> | 'no token' | undefined;

/** Pairs behind the header; undefined when they are malformed (RFC 7628 §3.1). */
function readPairs(parts: readonly string[]): ReadonlyMap<string, string> | undefined {
  const pairs = new Map<string, string>();
  for (const part of parts) {
    const match = /^([A-Za-z]+)=([^\0]*)$/.exec(part);
    if (match === null || pairs.has(match[1] ?? '')) return undefined;
    pairs.set(match[1] ?? '', match[2] ?? '');
  }
  return pairs;
}

function readToken(value: string | undefined, user: string): Read {
  if (value === undefined) return undefined;
  // Who sends nothing wants to know where to get a token (RFC 7628 §3.1).
  if (value === '') return 'no token';
  const token = /^bearer +(.*)$/i.exec(value)?.[1];
  return token !== undefined && tokenText.test(token) ? { user, authorizeAs: '', token } : undefined;
}

/** Reads `n,a=user,^Aauth=Bearer token^A^A`, with more pairs between (RFC 7628 §3.1). */
function parseBearer(text: string): Read {
  const [header, ...rest] = text.split(separator);
  const user = /^[ny],(?:a=([^,\0]+))?,$/.exec(header ?? '');
  if (user === null || rest.length < 3 || rest.at(-1) !== '' || rest.at(-2) !== '') return undefined;
  const name = user[1] ?? '';
  if (/=(?!2C|3D)/.test(name)) return undefined;
  return readToken(readPairs(rest.slice(0, -2))?.get('auth'), name.replaceAll('=2C', ',').replaceAll('=3D', '='));
}

/** Reads `user=name^Aauth=Bearer token^A^A`, as Google and Microsoft write it. */
function parseXoauth2(text: string): Read {
  const parts = text.split(separator);
  if (parts.length !== 4 || parts[2] !== '' || parts[3] !== '') return undefined;
  const pairs = readPairs(parts.slice(0, 2));
  const user = pairs?.get('user');
  return user ? readToken(pairs?.get('auth'), user) : undefined;
}

interface Form {
  readonly name: TokenCredentials['mechanism'];
  readonly parse: (text: string) => Read;
  readonly format: (login: { readonly user: string; readonly password: string }) => string;
  /** What a client says to the reason for its refusal (RFC 7628 §3.2.3). */
  readonly resignation: Buffer;
}

const forms: Readonly<Record<TokenCredentials['mechanism'], Form>> = {
  OAUTHBEARER: {
    name: 'OAUTHBEARER',
    parse: parseBearer,
    format: ({ user, password }) => {
      const name = user === '' ? '' : `a=${escapeName(user)}`;
      return ['n,', name, ',', separator, 'auth=Bearer ', password, separator, separator].join('');
    },
    resignation: Buffer.from(separator),
  },
  XOAUTH2: {
    name: 'XOAUTH2',
    parse: parseXoauth2,
    format: ({ user, password }) => `user=${user}${separator}auth=Bearer ${password}${separator}${separator}`,
    resignation: nothing,
  },
};

function tokenExchange({ name, parse }: Form, refusal: TokenRefusal): ServerExchange {
  let resigns = false;
  const reason = Buffer.from(reasonOf(refusal));
  function read(message: Buffer): ServerStep {
    if (resigns) return refused;
    const found = parse(parseUtf8(message) ?? '');
    if (found === undefined) return malformed;
    if (found !== 'no token') return { kind: 'verify', credentials: { mechanism: name, ...found } };
    resigns = true;
    return { kind: 'challenge', bytes: reason };
  }
  return {
    begin: (initial) => (initial === undefined ? { kind: 'challenge', bytes: nothing } : read(initial)),
    next: read,
    lastWord: (accepted) => (accepted ? undefined : reason),
  };
}

/** Why a token is not taken, as JSON (RFC 7628 §3.2.2). */
function reasonOf({ scope, configuration }: TokenRefusal): string {
  const where = configuration === undefined ? {} : { 'openid-configuration': configuration };
  return JSON.stringify({ status: 'invalid_token', ...(scope === undefined ? {} : { scope }), ...where });
}

function tokenMechanism(form: Form, refusal: TokenRefusal): Mechanism {
  return {
    name: form.name,
    revealsPassword: true,
    server: () => tokenExchange(form, refusal),
    client(login) {
      const needsUser = form.name === 'XOAUTH2';
      const isWritable =
        tokenText.test(login.password) && !/[\0\x01]/.test(login.user) && (login.user !== '' || !needsUser);
      const initial = isWritable ? Buffer.from(form.format(login)) : undefined;
      let answer = initial;
      let asked = 0;
      return {
        initial,
        next(challenge) {
          asked += 1;
          // An empty challenge asks for what could not go with the command; any other is the reason of a refusal.
          const message = challenge.length > 0 && asked <= 2 ? form.resignation : answer;
          answer = undefined;
          return message;
        },
      };
    },
  };
}

/** OAUTHBEARER: a token instead of a password (RFC 7628 §3). */
export function oauthBearer(refusal: TokenRefusal = {}): Mechanism {
  return tokenMechanism(forms.OAUTHBEARER, refusal);
}

/** XOAUTH2: the same in the form that came before the standard. */
export function xoauth2(refusal: TokenRefusal = {}): Mechanism {
  return tokenMechanism(forms.XOAUTH2, refusal);
}
