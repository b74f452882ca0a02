import { parseMailbox } from '../address/parse-mailbox.ts';
import { Failure } from '../failure/failure.ts';
import { formatAddrSpec } from './addr-spec.ts';
import { type HeaderAddress, mailboxesOf, type NamedMailbox, parseAddressList } from './address-list.ts';
import { encodeWords } from './encoded-word.ts';
import { foldField } from './fold.ts';
import type { AddressInput, AddressListInput } from './message-input.ts';
import { requireClean } from './require-clean.ts';

/** A field of addresses, written. */
export interface AddressField {
  readonly text: string;
  /** A local-part is not ASCII: the message needs SMTPUTF8 (RFC 6532 §3.2). */
  readonly utf8: boolean;
}

const plainName = /^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?: [a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const quotableName = /^[ -~]{1,60}$/;

/** Makes entries of what a caller gave for a field; throws Failure `invalid` when one is faulty (RFC 5322 §3.4). */
export function readAddresses(input: AddressListInput | undefined, field: string): HeaderAddress[] {
  if (input === undefined) return [];
  const list: readonly AddressInput[] = Array.isArray(input) ? input : [input as AddressInput];
  return list.flatMap((entry) => readEntry(entry, field));
}

function readEntry(entry: AddressInput, field: string): HeaderAddress[] {
  if (typeof entry === 'string') {
    const list = parseAddressList(requireClean(entry, field));
    if (list === undefined) throw new Failure('invalid', `${field} is no list of addresses: ${JSON.stringify(entry)}`);
    return list;
  }
  if ('members' in entry) {
    const members = mailboxesOf(readAddresses(entry.members, field));
    return [{ name: requireClean(entry.group, `group in ${field}`), members }];
  }
  const mailbox = parseMailbox(requireClean(entry.address, field), { utf8: true });
  if (mailbox === undefined) throw new Failure('invalid', `${field} is no address: ${JSON.stringify(entry.address)}`);
  return [entry.name ? { name: requireClean(entry.name, `name in ${field}`), mailbox } : { mailbox }];
}

/** Writes a field of addresses, folded (RFC 5322 §3.4). */
export function formatAddressField(field: string, list: readonly HeaderAddress[]): AddressField {
  const entries = list.map((entry) => ('members' in entry ? groupWords(entry) : mailboxWords(entry)));
  const utf8 = mailboxesOf(list).some(({ mailbox }) => formatAddrSpec(mailbox).utf8);
  return { text: foldField(field, separated(entries)), utf8 };
}

function mailboxWords({ name, mailbox }: NamedMailbox): string[] {
  const { text } = formatAddrSpec(mailbox);
  return name === undefined || name === '' ? [text] : [...nameWords(name), `<${text}>`];
}

function groupWords({ name, members }: { readonly name: string; readonly members: readonly NamedMailbox[] }): string[] {
  const words = [...appended(nameWords(name), ':'), ...separated(members.map(mailboxWords))];
  return appended(words, ';');
}

/** Plain words, one quoted string, or encoded words: never one inside of the other (RFC 2047 §5). */
function nameWords(name: string): string[] {
  const looksEncoded = name.includes('=?');
  if (!looksEncoded && plainName.test(name))
    return name.length <= 60 ? [name] : name.split(' ').every(fits) ? name.split(' ') : encodeWords(name);
  return !looksEncoded && quotableName.test(name) ? [`"${name.replace(/["\\]/g, '\\$&')}"`] : encodeWords(name);
}

function fits(word: string): boolean {
  return word.length <= 60;
}

function separated(entries: readonly string[][]): string[] {
  return entries.flatMap((words, index) => (index < entries.length - 1 ? appended(words, ',') : words));
}

function appended(words: readonly string[], end: string): string[] {
  return words.map((word, index) => (index === words.length - 1 ? word + end : word));
}
