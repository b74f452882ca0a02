import { domainToASCII } from 'node:url';
import { formatUnitext, parseUnitext } from '../bytes/unitext.ts';
import { formatAddrSpec } from './addr-spec.ts';
import { type HeaderAddress, type NamedMailbox, parseAddressList } from './address-list.ts';
import { cleanText } from './answer-subject.ts';
import { parseContentType } from './content-type.ts';
import { encodeWords, formatTextField } from './encoded-word.ts';
import { foldField } from './fold.ts';
import { formatAddressField } from './format-address-list.ts';
import type { HeaderField } from './header.ts';
import { formatParameter } from './parameter.ts';

/** A field as its name is spelled, and its text. */
interface Field {
  readonly name: string;
  readonly value: string;
}

type Downgrade = (field: Field) => string;

const ascii = /^[\t -~]*$/;

function named(names: string, downgrade: Downgrade): [string, Downgrade][] {
  return names.split(' ').map((name) => [name, downgrade]);
}

/** How each field is written in ASCII; all others are text (RFC 6857 §3.2). */
const downgrades: ReadonlyMap<string, Downgrade> = new Map([
  ...named(
    'from sender to cc bcc reply-to return-path disposition-notification-to ' +
      'resent-from resent-sender resent-to resent-cc resent-bcc resent-reply-to',
    addressField,
  ),
  ...named('message-id resent-message-id in-reply-to references', encapsulated),
  ...named('content-type content-disposition', parameterField),
  ...named('original-recipient final-recipient', typedAddressField),
  ...named('received', receivedField),
  ...named('keywords', phraseField),
]);

/** Fields that have letters beyond ASCII in comments alone, if anywhere (RFC 6857 §3.2.2). */
const commentFields =
  /^(?:date|resent-date|mime-version|content-(?:id|transfer-encoding|language)|accept-language|auto-submitted)$/;

/**
 * Writes a field that is not ASCII in ASCII, as readers see it that know no other: encoded words, A-labels, extended
 * parameters, or under a Downgraded- name. What is ASCII stays as it is (RFC 6857 §3.2).
 */
export function downgradeField(field: HeaderField): string {
  const text = field.raw.toString('latin1');
  const name = text.slice(0, field.name === '' ? 0 : text.indexOf(':')).trimEnd();
  const value = cleanText(field.value);
  if (name === '') return `${text.replace(/[^\r\n\t -~]/g, '?')}`;
  const downgrade = downgrades.get(field.name);
  if (downgrade === undefined && !commentFields.test(field.name)) return formatTextField(name, value);
  // What has such letters in comments alone keeps all the rest.
  const commented = encodeComments(value);
  if (ascii.test(commented)) return foldField(name, commented.split(' '));
  return downgrade === undefined ? formatTextField(name, commented) : downgrade({ name, value: commented });
}

/** Encodes the text of each comment that is not ASCII (RFC 6857 §3.1.3). */
function encodeComments(value: string): string {
  let out = '';
  let start = 0;
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at];
    if (character === '\\') at += 1;
    else if (character === '"' && depth === 0) isQuoted = !isQuoted;
    else if (character === '(' && !isQuoted) {
      depth += 1;
      if (depth === 1) {
        out += value.slice(start, at);
        start = at;
      }
    } else if (character === ')' && depth > 0) {
      depth -= 1;
      if (depth > 0) continue;
      out += encodeComment(value.slice(start, at + 1));
      start = at + 1;
    }
  }
  return out + value.slice(start);
}

function encodeComment(comment: string): string {
  return ascii.test(comment) ? comment : `(${encodeWords(comment.slice(1, -1)).join(' ')})`;
}

/** A mailbox that has no form in ASCII becomes the name of an empty group (RFC 6857 §3.1.7, RFC 6857 §3.1.8). */
function addressField({ name, value }: Field): string {
  const list = parseAddressList(value.replace(/^<>$/, ''));
  if (list === undefined) return formatTextField(name, value);
  return formatAddressField(name, list.map(downgradeAddress)).text;
}

function downgradeAddress(entry: HeaderAddress): HeaderAddress {
  if (!('members' in entry)) return isForeign(entry) ? { name: describe(entry), members: [] } : entry;
  if (!entry.members.some(isForeign)) return entry;
  return { name: `${entry.name} ${entry.members.map(describe).join(', ')}`, members: [] };
}

function isForeign({ mailbox }: NamedMailbox): boolean {
  return formatAddrSpec(mailbox).utf8;
}

function describe({ name, mailbox }: NamedMailbox): string {
  const { text } = formatAddrSpec(mailbox);
  return name === undefined ? text : `${name} <${text}>`;
}

/** Identifiers that are not ASCII identify nothing to such a reader, and are kept under another name (RFC 6857 §3.1.10). */
function encapsulated({ name, value }: Field): string {
  return formatTextField(`Downgraded-${name}`, value);
}

function parameterField({ name, value }: Field): string {
  const read = parseContentType(value);
  if (read === undefined || !ascii.test(read.mediaType)) return formatTextField(name, value);
  const parameters = [...read.parameters].filter(([parameter]) => ascii.test(parameter));
  const words = [read.mediaType, ...parameters.flatMap(([parameter, text]) => formatParameter(parameter, text))];
  return foldField(
    name,
    words.map((word, index) => (index < words.length - 1 ? `${word};` : word)),
  );
}

/** Only of the type `utf-8` it is known how its addresses are written in ASCII (RFC 6857 §3.1.9, RFC 6533 §3). */
function typedAddressField({ name, value }: Field): string {
  const semicolon = value.indexOf(';');
  const address = value.slice(semicolon + 1).trim();
  if (semicolon < 0 || value.slice(0, semicolon).trim().toLowerCase() !== 'utf-8') return encapsulated({ name, value });
  return `${name}: utf-8; ${formatUnitext(parseUnitext(address) ?? address, 'ascii')}\r\n`;
}

/** Domains as A-labels; clauses that have no form in ASCII go (RFC 6857 §3.2.4). */
function receivedField({ name, value }: Field): string {
  const kept: string[] = [];
  for (const word of value.split(' ')) {
    const written = ascii.test(word) ? word : asciiWord(word);
    if (written !== undefined) kept.push(written);
    else {
      if (/^(?:for|id)$/i.test(kept.at(-1) ?? '')) kept.pop();
      // The date stands behind a semicolon, whatever is before it.
      if (word.endsWith(';')) kept.push(`${kept.pop() ?? ''};`);
    }
  }
  return foldField(name, kept);
}

/** A domain, or the address or identifier of a clause with an ASCII part before the @; undefined for what has no such form. */
function asciiWord(word: string): string | undefined {
  const match = /^(<?)([^@<>;]*@)?([^@<>;]+)(>?;?)$/.exec(word);
  const [, open = '', local = '', domain = '', close = ''] = match ?? [];
  const converted = ascii.test(local) ? domainToASCII(domain) : '';
  return converted === '' ? undefined : `${open}${local}${converted}${close}`;
}

function phraseField({ name, value }: Field): string {
  const phrases = value.split(',').map((phrase) => phrase.trim());
  const words = phrases.map((phrase) => (ascii.test(phrase) ? phrase : encodeWords(phrase).join(' ')));
  return foldField(name, words.join(', ').split(' '));
}
