import { formatMailbox } from '../address/mailbox.ts';
import { parseMailbox } from '../address/parse-mailbox.ts';
import { mailboxesOf, parseAddressList } from './address-list.ts';
import { isAutoSubmitted } from './auto-submitted.ts';
import { fieldValue, headerFields } from './header.ts';

/** Why a message gets no automatic reply (RFC 3834 §2). */
export type NoAutoReply = 'no-return-path' | 'automatic' | 'list' | 'robot' | 'unwanted' | 'not-named';

/** What decides whether a message may be answered by a program. */
export interface AutoReplyFacts {
  /** The header of the message. */
  readonly header: Buffer;
  /** Its reverse-path, `local@domain`, empty for the null path: the only address that an answer may go to (RFC 3834 §4). */
  readonly reversePath: string;
  /** Whether an address, `local@domain`, is one of the person who would answer. */
  readonly isOwn: (address: string) => boolean;
}

const recipientFields: ReadonlySet<string> = new Set(['to', 'cc', 'bcc', 'resent-to', 'resent-cc', 'resent-bcc']);
const bulk: ReadonlySet<string> = new Set(['list', 'bulk', 'junk']);
const robots =
  /^(?:owner-|mailer-daemon$|postmaster$|listserv$|majordomo$|no-?reply$|.*-(?:owner|request|bounces?|relay)$)/i;
/** Addresses that are looked at for the person's own: who is one of more was hardly written to in person. */
const mostAddresses = 1000;

/** Says why a message must not be answered by a program; undefined when it may be (RFC 3834 §2). */
export function whyNoAutoReply({ header, reversePath, isOwn }: AutoReplyFacts): NoAutoReply | undefined {
  const sender = parseMailbox(reversePath, { utf8: true });
  if (sender === undefined) return 'no-return-path';
  if (isAutoSubmitted(header)) return 'automatic';
  if (isFromList(header)) return 'list';
  // What is named like a program, and one's own address, would answer the answer.
  if (robots.test(sender.localPart.replace(/\+.*$/s, '')) || isOwn(reversePath)) return 'robot';
  if (isUnwanted(header)) return 'unwanted';
  return namedAddresses(header).some(isOwn) ? undefined : 'not-named';
}

function isFromList(header: Buffer): boolean {
  for (const { name, value } of headerFields(header)) {
    if (name.startsWith('list-')) return true;
    if (name === 'precedence' && bulk.has(value.toLowerCase())) return true;
  }
  return false;
}

/** What a filter found to be spam, in the words of the common ones. */
function isUnwanted(header: Buffer): boolean {
  const says = (name: string) => /^(?:yes|true)\b/i.test(fieldValue(header, name) ?? '');
  return says('x-spam-flag') || says('x-spam-status') || says('x-spam') || says('x-virus-status');
}

function namedAddresses(header: Buffer): string[] {
  const addresses: string[] = [];
  for (const { name, value } of headerFields(header)) {
    if (!recipientFields.has(name) || addresses.length >= mostAddresses) continue;
    const list = parseAddressList(value) ?? [];
    addresses.push(...mailboxesOf(list).map(({ mailbox }) => formatMailbox(mailbox)));
  }
  return addresses.slice(0, mostAddresses);
}
