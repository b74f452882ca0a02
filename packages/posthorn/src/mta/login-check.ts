import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Credentials } from '@posthorn/smtp/sasl/mechanism';
import { verifyPassword } from '../config/password.ts';
import type { Config } from '../config/schema.ts';

const refused = reply(535, '5.7.8', 'Authentication credentials invalid');
const notPermitted = reply(535, '5.7.8', 'Not permitted to act as another user');

/** Checks the password of a configured user; an unknown one takes the same time (RFC 4954 §6, RFC 4616 §2). */
export async function checkLogin(
  users: Config['users'],
  { user, password, authorizeAs }: Credentials,
): Promise<{ readonly login: string } | Reply> {
  const known = Object.hasOwn(users, user) ? users[user] : undefined;
  const isRight = password !== undefined && (await verifyPassword(password, known?.password));
  if (!isRight) return refused;
  return authorizeAs === '' || authorizeAs === user ? { login: user } : notPermitted;
}
