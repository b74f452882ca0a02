import { Failure } from '../failure/failure.ts';
import { formatAddrSpec } from './addr-spec.ts';
import { mailboxesOf } from './address-list.ts';
import { readAddresses } from './format-address-list.ts';
import type { CorrespondentsInput } from './message-input.ts';

/** The envelope that a message to compose implies. */
export interface ImpliedEnvelope {
  /** The address of Sender, or of the first in From. */
  readonly from: string;
  /** Each once: To, Cc and Bcc, groups resolved. */
  readonly recipients: readonly string[];
  /** An address needs SMTPUTF8 (RFC 6531 §3.4). */
  readonly smtputf8: boolean;
}

/** Tells the envelope from the correspondents of a message; throws Failure `invalid` when one is faulty (RFC 5322 §3.6.2). */
export function envelopeOf(input: CorrespondentsInput): ImpliedEnvelope {
  const [author] = mailboxesOf(readAddresses(input.from, 'From'));
  if (author === undefined) throw new Failure('invalid', 'From has no address');
  const from = mailboxesOf(readAddresses(input.sender, 'Sender'))[0] ?? author;
  const lists = [readAddresses(input.to, 'To'), readAddresses(input.cc, 'Cc'), readAddresses(input.bcc, 'Bcc')];
  const sender = formatAddrSpec(from.mailbox);
  const recipients = lists.flatMap(mailboxesOf).map(({ mailbox }) => ({ ...formatAddrSpec(mailbox), mailbox }));
  // The case of a domain says nothing; that of a local-part may.
  const unique = new Map<string, string>();
  for (const { text, mailbox } of recipients) {
    const key = `${mailbox.localPart}@${text.slice(text.lastIndexOf('@') + 1).toLowerCase()}`;
    if (!unique.has(key)) unique.set(key, text);
  }
  return {
    from: sender.text,
    recipients: [...unique.values()],
    smtputf8: sender.utf8 || recipients.some(({ utf8 }) => utf8),
  };
}
