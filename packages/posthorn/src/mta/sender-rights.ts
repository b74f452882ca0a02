import type { Mailbox } from '@posthorn/smtp/address/mailbox';
import { parseMailbox } from '@posthorn/smtp/address/parse-mailbox';
import { sameMailbox } from '@posthorn/smtp/address/same-mailbox';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Session, Transaction } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';

const notOwned = reply(550, '5.7.1', 'The login may not send from this address');

/** A login sends only from its own addresses; one without any listed, and the null path, are free (RFC 6409 §6.1). */
export function checkSender(
  users: Config['users'],
  session: Session,
  { reversePath }: Pick<Transaction, 'reversePath'>,
): Reply | undefined {
  const owns = ownershipOf(users, session.login);
  return reversePath === null || owns === undefined || owns(reversePath) ? undefined : notOwned;
}

/** Says of an address whether the login may send as it; undefined when it may send as anyone. */
export function ownershipOf(
  users: Config['users'],
  login: string | undefined,
): ((mailbox: Mailbox) => boolean) | undefined {
  if (login === undefined) return undefined;
  // Whom only a token or another service knows, by an address, owns nothing but that.
  const addresses = Object.hasOwn(users, login) ? (users[login]?.addresses ?? []) : login.includes('@') ? [login] : [];
  if (addresses.length === 0) return undefined;
  const owned = addresses.map((address) => parseMailbox(address, { utf8: true })).filter((each) => each !== undefined);
  return (mailbox) => owned.some((each) => sameMailbox(each, mailbox, { caseSensitive: false }));
}
