import { formatVerp } from '@posthorn/smtp/address/verp';
import type { ListFields } from '@posthorn/smtp/message/list-fields';
import type { Envelope, Recipient } from '../queue/envelope.ts';
import type { CopyText } from './list-copy.ts';
import type { OwnMail } from './own-mail.ts';

/** A mailing list: what is written to it goes to its members as mail of its own (RFC 5321 §3.9.2). */
export interface MailingList {
  /** Its own address, `local@domain`. */
  readonly address: string;
  /** The reverse-path of its copies; mail for it comes to its keepers. */
  readonly owner: string;
  /** Whether each member's copy has a reverse-path that names the member. */
  readonly verp: boolean;
  readonly fields: ListFields;
  /** `local@domain` each, as they are now. Throws Failure `storage` when they cannot be read. */
  members(): readonly string[];
  /** Whether mail with that reverse-path is passed on. Throws as `members` does. */
  mayPost(reversePath: string): boolean;
}

/** Recipients of one copy whose text is in hand, at least; and of any. */
const fewestRecipients = 100;
const mostRecipients = 10_000;
/** Copies of one message, and octets of all their texts: beyond, a copy has more recipients. */
const mostCopies = 100;
const mostOctets = 4 * 1024 * 1024;

/** How many of its recipients share one copy in the store. */
export function recipientsPerCopy(recipients: number, { size, isInHand }: Pick<CopyText, 'size' | 'isInHand'>): number {
  const copies = isInHand ? Math.max(1, Math.min(mostCopies, Math.floor(mostOctets / size))) : 1;
  return Math.min(mostRecipients, Math.max(fewestRecipients, Math.ceil(recipients / copies)));
}

/** What goes to the keepers of a list instead of its members. */
export function keeperMail({ body, smtputf8, isStranger }: Envelope, keepers: readonly Recipient[]): OwnMail {
  const recipients = keepers.map((keeper) => ({ ...keeper, notify: [] }));
  return { reversePath: '', recipients, body, smtputf8, ...(isStranger && { isStranger }) };
}

/**
 * What a list asks for its copies: nothing that the sender asked for himself but what concerns all ways of a message
 * (RFC 3461 §5.2.7.1, RFC 3885 §3.3, RFC 7293 §8.4, RFC 8689 §5, RFC 6710 §4.4).
 */
export function memberMail(
  list: MailingList,
  { body, smtputf8, requireTls, priority, solicit, isStranger }: Envelope,
  { members, envelopeId }: { readonly members: readonly Recipient[]; readonly envelopeId: string },
): OwnMail {
  const isForeign = (address: string) => /[^\0-\x7f]/.test(address);
  return {
    reversePath: list.owner,
    recipients: members.map((member) => memberOf(list, member)),
    body,
    smtputf8: smtputf8 || isForeign(list.owner) || members.some(({ address }) => isForeign(address)),
    ret: 'HDRS',
    envelopeId,
    ...(requireTls === undefined ? {} : { requireTls }),
    ...(priority === undefined ? {} : { priority }),
    ...(solicit === undefined ? {} : { solicit }),
    ...(isStranger && { isStranger }),
  };
}

function memberOf({ owner, verp }: MailingList, member: Recipient): Recipient {
  const reversePath = verp ? formatVerp(owner, member.address) : owner;
  const originalRecipient = `${/[^\0-\x7f]/.test(member.address) ? 'utf-8' : 'rfc822'};${member.address}`;
  const fresh: Recipient = { ...member, notify: ['FAILURE'], originalRecipient };
  return reversePath === owner ? fresh : { ...fresh, reversePath };
}
