import { Failure } from '@posthorn/smtp/failure/failure';
import { readTextFile } from '../config/read-text-file.ts';
import type { Config } from '../config/schema.ts';
import { LoginAttempts } from '../logins/attempts.ts';
import { DovecotAuth } from '../logins/dovecot-auth.ts';
import type { IntrospectionOptions } from '../logins/introspection.ts';
import { Logins } from '../logins/logins.ts';
import type { Log } from './log.ts';
import type { Policy } from './policy.ts';

/** What decides about logins, and how to end it. */
export interface CreatedLogins {
  readonly logins: Logins;
  close(): void;
}

/** Puts together what decides about logins. Throws Failure `storage` when a secret cannot be read. */
export function createLogins(
  { logins: settings }: Pick<Config, 'logins'>,
  { policy, log, now }: { readonly policy: () => Policy; readonly log: Log; readonly now: () => number },
): CreatedLogins {
  const dovecot = settings.dovecot === undefined ? undefined : new DovecotAuth(settings.dovecot, settings.timeout);
  const attempts = new LoginAttempts(settings, now);
  const oauth = introspectionOf(settings);
  const logins = new Logins({ table: () => policy().userTable, attempts, dovecot, oauth, log });
  return { logins, close: () => dovecot?.close() };
}

function introspectionOf({ oauth, timeout }: Config['logins']): IntrospectionOptions | undefined {
  if (oauth === undefined) return undefined;
  const { clientSecret, clientSecretFile, ...rest } = oauth;
  const secret = clientSecretFile === undefined ? clientSecret : firstLine(clientSecretFile);
  return { ...rest, timeout, ...(secret === undefined ? {} : { clientSecret: secret }) };
}

function firstLine(path: string): string {
  const read = readTextFile(path);
  if ('reason' in read) throw new Failure('storage', `${path} cannot be read: ${read.reason}`);
  return read.text.split(/\r?\n/, 1)[0] ?? '';
}

/** What clients are told whose token is not taken (RFC 7628 §3.2.2). */
export function tokenRefusalOf({ logins: { oauth } }: Pick<Config, 'logins'>) {
  const { scope, configuration } = oauth ?? {};
  return { ...(scope === undefined ? {} : { scope }), ...(configuration === undefined ? {} : { configuration }) };
}
