import { networkMatcher } from '@posthorn/smtp/address/network';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Credentials, ExternalCredentials, KeyRequest, TokenCredentials } from '@posthorn/smtp/sasl/mechanism';
import { parseScramKeys, type ScramKeys } from '@posthorn/smtp/sasl/scram-keys';
import { verifyPassword } from '../config/password.ts';
import type { Config } from '../config/schema.ts';
import type { LoginAttempts } from './attempts.ts';
import type { DovecotAuth } from './dovecot-auth.ts';
import { type IntrospectionOptions, introspect } from './introspection.ts';
import type { User, UserTable } from './user-table.ts';

/** What is known of a session that somebody logs in by. */
export interface LoginSession {
  readonly clientAddress: string;
  readonly tls?: object | undefined;
}

/** What checking logins works with. */
export interface LoginParts {
  readonly table: () => UserTable;
  readonly attempts: LoginAttempts;
  readonly dovecot: DovecotAuth | undefined;
  readonly oauth: IntrospectionOptions | undefined;
  readonly log: { warn(fields: object, text: string): void };
}

type Verdict = { readonly login: string } | Reply;

const refused = reply(535, '5.7.8', 'Authentication credentials invalid');
const notPermitted = reply(535, '5.7.8', 'Not permitted to act as another user');
const tooMany = reply(454, '4.7.0', 'Too many failed logins; try again later');

/** Stands for the secret of a user that has none, so that it takes the same time. */
const nobodysSecret = '\0';
const nobodysHash = Buffer.alloc(16);

/** Decides who is let in (RFC 4954 §6). */
export class Logins {
  readonly #parts: LoginParts;

  constructor(parts: LoginParts) {
    this.#parts = parts;
  }

  /** Checks what a client proves or claims; an unknown user takes the same time as a known one (RFC 4954 §6, RFC 4616 §2). */
  async authenticate(session: LoginSession, credentials: Credentials): Promise<Verdict> {
    const { attempts, table, log } = this.#parts;
    const { clientAddress } = session;
    const { mechanism, user } = credentials;
    if (attempts.isTooMany(clientAddress, user)) return tooMany;
    await table().refresh();
    const verdict = await this.#check(session, credentials);
    if ('login' in verdict) attempts.succeeded(clientAddress, user === '' ? verdict.login : user);
    else {
      attempts.failed(clientAddress, user);
      // What is no user may be a password that was typed into the wrong field.
      const login = table().find(user) === undefined ? {} : { login: user };
      log.warn({ client: clientAddress, mechanism, ...login }, 'a login failed');
    }
    return verdict;
  }

  /** What SCRAM knows of a user. Even where too much has failed: other keys than before would tell that there is one (RFC 5802 §3). */
  async scramKeys({ user, hash }: KeyRequest): Promise<ScramKeys | undefined> {
    const table = this.#parts.table();
    await table.refresh();
    const all = table.find(user)?.scramKeys.map(parseScramKeys) ?? [];
    return all.find((each) => each?.hash === hash)?.keys;
  }

  #check(session: LoginSession, credentials: Credentials): Promise<Verdict> | Verdict {
    const known = this.#parts.table().find(credentials.user);
    switch (credentials.mechanism) {
      // Nobody is let in as nobody: a login may send to others.
      case 'ANONYMOUS':
        return refused;
      case 'EXTERNAL':
        return this.#checkExternal(session, credentials);
      case 'OAUTHBEARER':
      case 'XOAUTH2':
        return this.#checkToken(credentials);
      case 'CRAM-MD5':
        return asItself(
          credentials,
          credentials.proves(known?.cramSecret ?? nobodysSecret) && known?.cramSecret !== undefined,
        );
      case 'NTLM': {
        const hash = known?.ntHash === undefined ? nobodysHash : Buffer.from(known.ntHash, 'hex');
        return asItself(credentials, credentials.provesHash(hash) && known?.ntHash !== undefined);
      }
      case 'PLAIN':
      case 'LOGIN':
        return this.#checkPassword(session, credentials, known);
      default:
        return asItself(credentials, credentials.proven);
    }
  }

  /** Dovecot is asked about every password that is not right here, so that the time does not tell whose users are whose. */
  async #checkPassword(
    { clientAddress, tls }: LoginSession,
    credentials: Extract<Credentials, { password: string }>,
    known: User | undefined,
  ): Promise<Verdict> {
    const { dovecot } = this.#parts;
    const { user, password, authorizeAs } = credentials;
    const isRight = this.#hasPasswords() && (await verifyPassword(password, known?.password));
    if (isRight || dovecot === undefined) return asItself(credentials, isRight);
    if (authorizeAs !== '' && authorizeAs !== user) return notPermitted;
    const login = await dovecot.verify({ user, password, clientAddress, secure: tls !== undefined });
    return login === undefined ? refused : { login };
  }

  #hasPasswords(): boolean {
    const { dovecot, table } = this.#parts;
    return dovecot === undefined || Object.keys(table().users).length > 0;
  }

  async #checkToken({ user, token }: TokenCredentials): Promise<Verdict> {
    const { oauth } = this.#parts;
    const login = oauth === undefined ? undefined : await introspect(token, oauth);
    return login === undefined || (user !== '' && user !== login) ? refused : { login };
  }

  /**
   * The certificate, or the network, says who the client is; the identity it names, if any, has to be that one
   * (RFC 4422 §A, RFC 2645 §5.1.2).
   */
  #checkExternal({ clientAddress }: LoginSession, { authorizeAs, certificate }: ExternalCredentials): Verdict {
    const isShown = ({ certificates }: User) =>
      certificate !== undefined && certificates.includes(certificate.fingerprint);
    const { users } = this.#parts.table();
    const shown = Object.keys(users).filter((name) => isShown(users[name] as User));
    const here = shown.length > 0 ? shown : inNetwork(users, clientAddress);
    const login = authorizeAs === '' ? here[0] : here.find((user) => user === authorizeAs);
    // Where several could be meant, it has to be said who is.
    return login === undefined || (authorizeAs === '' && here.length > 1) ? refused : { login };
  }
}

function inNetwork(users: Config['users'], address: string): string[] {
  return Object.keys(users).filter((user) => networkMatcher(users[user]?.networks ?? [])(address));
}

/** Nobody acts as somebody else (RFC 4616 §2). */
function asItself({ user, authorizeAs }: Credentials, isRight: boolean): Verdict {
  if (!isRight) return refused;
  return authorizeAs === '' || authorizeAs === user ? { login: user } : notPermitted;
}
