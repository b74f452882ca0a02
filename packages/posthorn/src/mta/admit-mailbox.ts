import { type Reply, reply } from '@posthorn/smtp/reply/reply';
import type { MailboxUsage } from '../agents/mailbox-usage.ts';
import type { Directory } from '../directory/directory.ts';
import { isTooLarge } from '../queue/mailbox-bounds.ts';
import type { NextHop } from '../queue/next-hop.ts';

/** What mailboxes are judged by. */
export interface MailboxParts {
  readonly directory: Directory;
  readonly route: (address: string) => NextHop;
  readonly usage: Pick<MailboxUsage, 'hasRoom'>;
}

const disabled = reply(550, '5.2.1', 'The mailbox takes no mail');
const tooLarge = reply(552, '5.2.3', 'The message is larger than the mailbox takes');
const fullForNow = reply(452, '4.2.2', 'The mailbox is full');
const full = reply(552, '5.2.2', 'The mailbox is full');
const unknowable = reply(451, '4.3.0', 'The mailbox cannot be looked up now');

/** What keeps a mailbox here from taking a message of so many octets; undefined when nothing does (RFC 3463 §3.3). */
export function admitMailbox(
  { directory, route, usage }: MailboxParts,
  address: string,
  size?: number,
): Reply | undefined | Promise<Reply | undefined> {
  if (directory.settingsOf(address)?.disabled === true) return disabled;
  const nextHop = route(address);
  const bounds = 'bounds' in nextHop ? nextHop.bounds : undefined;
  if (bounds === undefined || (nextHop.kind !== 'maildir' && nextHop.kind !== 'mbox')) return undefined;
  if (bounds.messageSize !== undefined && (size ?? 0) > bounds.messageSize) return tooLarge;
  if (bounds.quota === undefined) return undefined;
  return usage.hasRoom(nextHop, size ?? 1, bounds.quota).then(
    (hasRoom) => (hasRoom ? undefined : bounds.refuseOverQuota ? full : fullForNow),
    () => unknowable,
  );
}

/** The refusal of a text that none of its mailboxes takes for its size; what only some do not take, those report (RFC 3463 §3.3). */
export function refuseSize(nextHops: readonly NextHop[], stored: number): Reply | undefined {
  const isRefused = nextHops.every(
    (hop) => 'bounds' in hop && hop.bounds !== undefined && isTooLarge(hop.bounds, stored),
  );
  return isRefused && nextHops.length > 0 ? tooLarge : undefined;
}
