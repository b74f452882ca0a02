import type { Mailbox } from '../address/mailbox.ts';
import { normalizeDomain } from '../address/normalize-domain.ts';
import { sameMailbox } from '../address/same-mailbox.ts';
import { formatAddrSpec } from './addr-spec.ts';
import { completeAddressList, mailboxesOf, type NamedMailbox, parseAddressList } from './address-list.ts';
import { formatDate, parseDate } from './date.ts';
import { foldField } from './fold.ts';
import { type HeaderField, headerFields } from './header.ts';

/** What a header is checked against and completed with. */
export interface SubmissionRules {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The zone of this host, minutes east of UTC. */
  readonly offsetMinutes: number;
  /** For a message that has no good one, with its brackets. */
  readonly messageId: string;
  /** Whether the submitter may write as this address; absent: as anyone. */
  readonly owns?: (mailbox: Mailbox) => boolean;
  /** The submitter's own address, where it is known: named in Sender when From names others alone. */
  readonly submitter?: Mailbox;
  /** What completes an address without a domain, or one of a single label; without it such an address is refused. */
  readonly completeDomain?: string;
  /** Whether a domain of a single label is one of ours, and whole. */
  readonly isOurs?: (label: string) => boolean;
}

/** Why a header is refused: for how it is written, for an incomplete domain, or for what the submitter may not do. */
export interface HeaderFault {
  readonly kind: 'syntax' | 'domain' | 'rights';
  readonly text: string;
}

/** A header that can be sent on. */
export interface CompletedHeader {
  readonly header: Buffer;
  /** The domains of its addresses, in lower case. */
  readonly domains: ReadonlySet<string>;
}

/** Fields that stand at most once (RFC 5322 §3.6). */
const single: ReadonlySet<string> = new Set([
  ...['from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'date', 'message-id', 'in-reply-to', 'references', 'subject'],
]);
/** Fields of addresses that the message is about. */
const addressed: ReadonlySet<string> = new Set(['from', 'sender', 'reply-to', 'to', 'cc']);
/** Those of an earlier sending: completed where they can be read, never refused for how they are written. */
const resent: ReadonlySet<string> = new Set(['resent-from', 'resent-sender', 'resent-to', 'resent-cc']);
/** What others must not see, or what final delivery writes (RFC 5322 §3.6.3, RFC 5321 §4.4). */
const removed: ReadonlySet<string> = new Set(['bcc', 'resent-bcc', 'return-path']);

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u{a0}-\\u{10ffff}-]+";
const identifier = new RegExp(
  `^<(?:${atom}(?:\\.${atom})*|"[!#-[\\]-~]+")@(?:${atom}(?:\\.${atom})*|\\[[!-Z^-~]*\\])>$`,
  'u',
);
const lineFeed = 0x0a;

/**
 * Checks the header of a message that comes from its author's own program, and completes it: Message-ID, Date and Sender
 * are added or mended, Bcc and Return-Path taken away, incomplete domains completed where a rule says how. Whatever is
 * right stays as it is, octet by octet; MIME-Version is never added (RFC 6409 §8, RFC 5322 §3.6).
 */
export function completeHeader(header: Buffer, rules: SubmissionRules): CompletedHeader | HeaderFault {
  const completer = new Completer(rules);
  for (const field of headerFields(header)) {
    const fault = completer.take(field);
    if (fault !== undefined) return fault;
  }
  return completer.finish();
}

class Completer {
  readonly #rules: SubmissionRules;
  readonly #pieces: Buffer[] = [];
  readonly #seen = new Set<string>();
  readonly #domains = new Set<string>();
  #from: readonly NamedMailbox[] = [];
  #sender: Mailbox | undefined;
  /** Where in the pieces Sender stands. */
  #senderAt = -1;

  constructor(rules: SubmissionRules) {
    this.#rules = rules;
  }

  take(field: HeaderField): HeaderFault | undefined {
    const { name } = field;
    if (name === '') return syntax('A line of the header is no field');
    if (single.has(name)) {
      if (this.#seen.has(name)) return syntax(`The field ${title(name)} stands twice`);
      this.#seen.add(name);
    }
    if (removed.has(name)) return undefined;
    if (addressed.has(name) || resent.has(name)) return this.#takeAddresses(field, name);
    this.#pieces.push(this.#mend(field, name));
    return undefined;
  }

  finish(): CompletedHeader | HeaderFault {
    const fault = this.#judge();
    if (fault !== undefined) return fault;
    const { messageId } = this.#rules;
    if (!this.#seen.has('date')) this.#append('Date', this.#now());
    if (!this.#seen.has('message-id')) this.#append('Message-ID', messageId);
    return { header: Buffer.concat(this.#pieces), domains: this.#domains };
  }

  #mend(field: HeaderField, name: string): Buffer {
    if (name === 'message-id' && !isIdentifier(field.value)) return written('Message-ID', this.#rules.messageId);
    if (name === 'date' && parseDate(field.value) === undefined) return written('Date', this.#now());
    return field.raw;
  }

  #takeAddresses(field: HeaderField, name: string): HeaderFault | undefined {
    const { completeDomain, isOurs = () => false } = this.#rules;
    const { value } = field;
    const read =
      completeDomain === undefined
        ? { list: parseAddressList(value), text: value }
        : completeAddressList(value, { domain: completeDomain, isWhole: isOurs });
    if (read?.list === undefined) {
      if (!resent.has(name)) return syntax(`The field ${title(name)} has a bad address`);
      this.#pieces.push(field.raw);
      return undefined;
    }
    const mailboxes = mailboxesOf(read.list);
    for (const { mailbox } of mailboxes) {
      const domain = normalizeDomain(mailbox.domain) ?? mailbox.domain.toLowerCase();
      if (!isQualified(domain) && !isOurs(domain)) {
        return { kind: 'domain', text: `The field ${title(name)} has an incomplete domain` };
      }
      this.#domains.add(domain);
    }
    if (name === 'from') this.#from = mailboxes;
    if (name === 'sender') {
      if (read.list.length !== 1 || mailboxes.length !== 1) return syntax('The field Sender is not one address');
      this.#sender = mailboxes[0]?.mailbox;
      this.#senderAt = this.#pieces.length;
    }
    this.#pieces.push(read.text === value ? field.raw : written(title(name), read.text));
    return undefined;
  }

  #judge(): HeaderFault | undefined {
    if (!this.#seen.has('from')) return syntax('The field From is missing');
    if (this.#from.length === 0) return syntax('The field From has no address');
    if (this.#from.length > 1 && this.#sender === undefined)
      return syntax('From has several addresses and Sender is missing');
    const { owns, submitter } = this.#rules;
    if (owns !== undefined) {
      if (!this.#from.some(({ mailbox }) => owns(mailbox)))
        return rights('The login may not write as the address in From');
      return this.#sender === undefined || owns(this.#sender)
        ? undefined
        : rights('The login may not write as the address in Sender');
    }
    if (submitter !== undefined) this.#nameSubmitter(submitter);
    return undefined;
  }

  /** Who hands the message in is told where From does not say it (RFC 6409 §8.1). */
  #nameSubmitter(submitter: Mailbox): void {
    const isSubmitter = (mailbox: Mailbox) => sameMailbox(mailbox, submitter, { caseSensitive: false });
    if (this.#from.some(({ mailbox }) => isSubmitter(mailbox))) return;
    if (this.#sender !== undefined && isSubmitter(this.#sender)) return;
    const { text } = formatAddrSpec(submitter);
    if (this.#senderAt < 0) this.#append('Sender', text);
    else this.#pieces[this.#senderAt] = written('Sender', text);
  }

  #append(name: string, value: string): void {
    // The last line of a header without a body may lack its end.
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.at(-1) !== lineFeed) this.#pieces.push(Buffer.from('\r\n'));
    this.#pieces.push(written(name, value));
  }

  #now(): string {
    return formatDate(this.#rules.now, this.#rules.offsetMinutes);
  }
}

function syntax(text: string): HeaderFault {
  return { kind: 'syntax', text };
}

function rights(text: string): HeaderFault {
  return { kind: 'rights', text };
}

function written(name: string, value: string): Buffer {
  return Buffer.from(foldField(name, value.split(/[ \t]+/)));
}

/** `reply-to` as it is usually written. */
function title(name: string): string {
  return name === 'message-id'
    ? 'Message-ID'
    : name.replace(/(^|-)([a-z])/g, (_, hyphen, letter) => hyphen + letter.toUpperCase());
}

/** Whether a domain has more than one label, or is an address literal (RFC 5321 §2.3.5). */
export function isQualified(domain: string): boolean {
  return domain.includes('.') || domain.startsWith('[');
}

/** Whether the text is one message identifier, comments aside (RFC 5322 §3.6.4). */
function isIdentifier(text: string): boolean {
  const start = text.indexOf('<');
  const end = text.lastIndexOf('>');
  return (
    isComment(text.slice(0, Math.max(0, start))) &&
    isComment(text.slice(end + 1)) &&
    identifier.test(text.slice(start, end + 1))
  );
}

function isComment(text: string): boolean {
  const trimmed = text.trim();
  return trimmed === '' || (trimmed.startsWith('(') && trimmed.endsWith(')'));
}
