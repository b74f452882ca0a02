import { formatMailbox } from '../address/mailbox.ts';
import { type AddressCompletion, completeAddressList, mailboxesOf, type NamedMailbox } from './address-list.ts';
import { headerFields } from './header.ts';

/** Whom the header of a message names. */
export interface Correspondents {
  /** The first sender: Resent-Sender, Resent-From, Sender or From; undefined when there is none. */
  readonly sender: string | undefined;
  /** To, Cc and Bcc, or those of the last sending where it was sent again; each once. */
  readonly recipients: readonly string[];
  /** The name of the first field that has a bad address, in lower case. */
  readonly faulty: string | undefined;
}

const again = ['resent-to', 'resent-cc', 'resent-bcc'];
const first = ['to', 'cc', 'bcc'];
const senders = ['resent-sender', 'resent-from', 'sender', 'from'];

/**
 * Reads from a header who a message is from and for, as programs expect that hand messages in without an envelope; what is
 * incomplete is made whole (RFC 5322 §3.6.3, RFC 5322 §3.6.6).
 */
export function readCorrespondents(header: Buffer, completion: AddressCompletion): Correspondents {
  const lists = new Map<string, NamedMailbox[]>();
  let faulty: string | undefined;
  for (const field of headerFields(header)) {
    const { name } = field;
    if (![...again, ...first, ...senders].includes(name)) continue;
    const completed = completeAddressList(field.value, completion);
    if (completed === undefined) faulty ??= name;
    else lists.set(name, [...(lists.get(name) ?? []), ...mailboxesOf(completed.list)]);
  }
  const wasResent = again.some((name) => lists.has(name));
  const recipients = (wasResent ? again : first).flatMap((name) => lists.get(name) ?? []);
  const sender = senders.map((name) => lists.get(name)?.[0]).find((each) => each !== undefined);
  return {
    sender: sender && formatMailbox(sender.mailbox),
    recipients: [...new Set(recipients.map(({ mailbox }) => formatMailbox(mailbox)))],
    faulty,
  };
}
