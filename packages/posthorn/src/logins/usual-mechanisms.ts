import type { Role } from '@posthorn/smtp/protocol/server-rules';
import { parseScramKeys } from '@posthorn/smtp/sasl/scram-keys';
import type { Mechanism } from '../config/login-fields.ts';
import type { Config } from '../config/schema.ts';

/** What decides how clients may log in where a listener does not say it. */
export interface LoginWays {
  readonly users: Config['users'];
  readonly logins: Config['logins'];
}

/**
 * Ways to log in that all users have, the strongest first: a client that sees one takes it, and would fail with a user that
 * has it not (RFC 4954 §3).
 */
export function usualMechanisms(role: Role, { users, logins }: LoginWays): Mechanism[] {
  const isScram = logins.dovecot === undefined && haveKeys(users);
  const isExternal = role !== 'mx' && hasCertificates({ users });
  return [
    ...(isScram ? (['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] as const) : []),
    ...(isExternal ? (['EXTERNAL'] as const) : []),
    ...(logins.oauth === undefined ? [] : (['OAUTHBEARER', 'XOAUTH2'] as const)),
    ...(role === 'odmr' ? (['CRAM-MD5'] as const) : []),
    'PLAIN',
    'LOGIN',
  ];
}

/** Whether a certificate lets anybody in. */
export function hasCertificates({ users }: Pick<LoginWays, 'users'>): boolean {
  return Object.values(users).some(({ certificates }) => certificates.length > 0);
}

function haveKeys(users: Config['users']): boolean {
  const withPassword = Object.values(users).filter(({ password }) => password !== undefined);
  const hasKey = (keys: readonly string[]) => keys.some((text) => parseScramKeys(text)?.hash === 'SHA-256');
  return withPassword.length > 0 && withPassword.every(({ scramKeys }) => hasKey(scramKeys));
}
