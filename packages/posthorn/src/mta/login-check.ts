import { networkMatcher } from '@posthorn/smtp/address/network';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Credentials, DigestCredentials, ExternalCredentials } from '@posthorn/smtp/sasl/mechanism';
import { verifyPassword } from '../config/password.ts';
import type { Config } from '../config/schema.ts';

type Users = Config['users'];

const refused = reply(535, '5.7.8', 'Authentication credentials invalid');
const notPermitted = reply(535, '5.7.8', 'Not permitted to act as another user');

/** Stands for the secret of a user that has none, so that it takes the same time. */
const nobodysSecret = '\0';

/** Checks what a client proves or claims; an unknown user takes the same time as a known one (RFC 4954 §6, RFC 4616 §2). */
export async function checkLogin(
  users: Users,
  credentials: Credentials,
  clientAddress: string,
): Promise<{ readonly login: string } | Reply> {
  if (credentials.mechanism === 'EXTERNAL')
    return checkExternal(users, credentials as ExternalCredentials, clientAddress);
  const { user, authorizeAs } = credentials;
  const known = Object.hasOwn(users, user) ? users[user] : undefined;
  const isRight =
    credentials.password === undefined
      ? (credentials as DigestCredentials).proves(known?.cramSecret ?? nobodysSecret) && known?.cramSecret !== undefined
      : await verifyPassword(credentials.password, known?.password);
  if (!isRight) return refused;
  return authorizeAs === '' || authorizeAs === user ? { login: user } : notPermitted;
}

/** The network that the client is in says who it is; the identity it names, if any, has to be that one (RFC 2645 §5.1.2). */
function checkExternal(users: Users, { authorizeAs }: ExternalCredentials, clientAddress: string) {
  const here = Object.keys(users).filter((user) => networkMatcher(users[user]?.networks ?? [])(clientAddress));
  const login = authorizeAs === '' ? here[0] : here.find((user) => user === authorizeAs);
  // Where several could be meant, it has to be said who is.
  if (login === undefined || (authorizeAs === '' && here.length > 1)) return refused;
  return { login };
}
