import { randomBytes } from 'node:crypto';
import { Failure } from '../failure/failure.ts';
import { cramMd5Client } from '../sasl/cram-md5.ts';
import { external } from '../sasl/external.ts';
import { login } from '../sasl/login.ts';
import type { ClientMechanism, Login } from '../sasl/mechanism.ts';
import { ntlmClient } from '../sasl/ntlm.ts';
import { oauthBearer, xoauth2 } from '../sasl/oauth.ts';
import { plain } from '../sasl/plain.ts';
import { scramClient } from '../sasl/scram-client.ts';

/** A name and its password. */
interface PasswordLogin {
  readonly user: string;
  readonly password: string;
  /** Whom to act as; default: `user` (RFC 4616 §2). */
  readonly authorizeAs?: string;
}

/** A token of an authorization server (RFC 7628 §3.1). */
interface TokenLogin {
  /** Empty only where the host needs none. */
  readonly user: string;
  /** A function is asked before each session, so that a token that has run out can be replaced. */
  readonly token: string | (() => string | Promise<string>);
}

/** What the handshake shows: the certificate in `tlsMaterial` (RFC 4422 §A). */
interface ExternalLogin {
  readonly external: true;
  readonly authorizeAs?: string;
}

/** What a client logs in with. */
export type ClientCredentials = PasswordLogin | TokenLogin | ExternalLogin;

const nextNonce = () => randomBytes(18).toString('base64');

/** Strongest first; those of one kind are tried in this order. */
const mechanisms = {
  'SCRAM-SHA-256-PLUS': scramClient({ hash: 'SHA-256', plus: true, nextNonce }),
  'SCRAM-SHA-1-PLUS': scramClient({ hash: 'SHA-1', plus: true, nextNonce }),
  'SCRAM-SHA-256': scramClient({ hash: 'SHA-256', plus: false, nextNonce }),
  'SCRAM-SHA-1': scramClient({ hash: 'SHA-1', plus: false, nextNonce }),
  PLAIN: plain,
  LOGIN: login,
  'CRAM-MD5': cramMd5Client,
  NTLM: ntlmClient({ nextNonce: () => randomBytes(8), now: Date.now }),
  OAUTHBEARER: oauthBearer(),
  XOAUTH2: xoauth2(),
  EXTERNAL: external,
} as const satisfies Record<string, ClientMechanism>;

/** Ways to log in that a client knows. */
export type ClientMechanismName = keyof typeof mechanisms;

const byToken: readonly ClientMechanismName[] = ['OAUTHBEARER', 'XOAUTH2'];
const byCertificate: readonly ClientMechanismName[] = ['EXTERNAL'];
/** Too weak to be used where nobody asks for them. */
const old: readonly ClientMechanismName[] = ['CRAM-MD5', 'NTLM'];
const byPassword = (Object.keys(mechanisms) as ClientMechanismName[]).filter(
  (name) => !byToken.includes(name) && !byCertificate.includes(name),
);

/** Ways that these credentials allow. */
function namesFor(credentials: ClientCredentials): readonly ClientMechanismName[] {
  if ('token' in credentials) return byToken;
  return 'external' in credentials ? byCertificate : byPassword;
}

/**
 * The mechanisms to try, in order: `names`, or all but CRAM-MD5 and NTLM, the strongest first. Throws Failure `invalid` when none of
 * `names` can use the credentials, or these cannot be sent.
 */
export function mechanismsFor(
  credentials: ClientCredentials,
  names: readonly ClientMechanismName[] | undefined,
): readonly ClientMechanism[] {
  checkCredentials(credentials);
  const fit = namesFor(credentials);
  const chosen = names?.filter((name) => fit.includes(name)) ?? fit.filter((name) => !old.includes(name));
  if (chosen.length === 0) throw new Failure('invalid', 'no mechanism that is named can use these credentials');
  return chosen.map((name) => mechanisms[name]);
}

function checkCredentials(credentials: ClientCredentials): void {
  const { authorizeAs = '' } = credentials as { authorizeAs?: string };
  const { user = 'x' } = credentials as { user?: string };
  if ([user, authorizeAs].some((text) => text.includes('\0'))) throw new Failure('invalid', 'a name must have no NUL');
  if ('token' in credentials || 'external' in credentials) return;
  if (user === '' || credentials.password === '' || credentials.password.includes('\0')) {
    throw new Failure('invalid', 'credentials need a user and a password, without NUL');
  }
}

/** The credentials as a mechanism takes them; asks for a token. Rejects with whatever that rejects with. */
export async function resolveLogin(credentials: ClientCredentials): Promise<Login> {
  if ('external' in credentials) return { user: '', password: '', authorizeAs: credentials.authorizeAs ?? '' };
  if ('password' in credentials) return { authorizeAs: '', ...credentials };
  const { user, token } = credentials;
  return { user, password: typeof token === 'string' ? token : await token(), authorizeAs: '' };
}
