import { formatMailbox } from '@posthorn/smtp/address/mailbox';
import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { Session, Transaction } from '@posthorn/smtp/server';
import type { Config } from '../config/schema.ts';

const notOwned = reply(550, '5.7.1', 'The login may not send from this address');

/** A login sends only from its own addresses; one without any listed, and the null path, are free (RFC 6409 §6.1). */
export function checkSender(users: Config['users'], session: Session, { reversePath }: Transaction): Reply | undefined {
  if (session.login === undefined || reversePath === null) return undefined;
  const owned = users[session.login]?.addresses ?? [];
  if (owned.length === 0) return undefined;
  const address = formatMailbox(reversePath).toLowerCase();
  return owned.some((each) => each.toLowerCase() === address) ? undefined : notOwned;
}
