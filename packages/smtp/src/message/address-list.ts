import type { Mailbox } from '../address/mailbox.ts';
import { parseMailbox } from '../address/parse-mailbox.ts';
import { commentEnd } from './comment-end.ts';

/** A mailbox of a header field, with its display name (RFC 5322 §3.4). */
export interface NamedMailbox {
  readonly name?: string;
  readonly mailbox: Mailbox;
}

/** Mailboxes under one name, perhaps none (RFC 5322 §3.4). */
export interface AddressGroup {
  readonly name: string;
  readonly members: readonly NamedMailbox[];
}

/** One entry of an address list (RFC 5322 §3.4). */
export type HeaderAddress = NamedMailbox | AddressGroup;

/** How addresses without a domain, or with one of a single label, are made whole. */
export interface AddressCompletion {
  /** What stands behind the `@`, or behind the label. */
  readonly domain: string;
  /** Whether a single label is whole as it is. */
  isWhole(label: string): boolean;
}

/** A list whose addresses are whole, and the text that says so. */
export interface CompletedList {
  readonly list: readonly HeaderAddress[];
  readonly text: string;
}

interface Token {
  /** A run of characters, a quoted string with its quotes, a literal with its brackets, or one special. */
  readonly text: string;
  readonly kind: 'atom' | 'quoted' | 'literal' | 'special';
  /** Where it ends in the text. */
  readonly end: number;
}

/** Text that an address lacks, and where it belongs. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

const atomCharacter = /[^\s()<>[\]:;@\\,."\p{Cc}]/u;
const specials = '<>:;@,.';

/**
 * Reads the addresses of a header field, unfolded; undefined when one of them is faulty. Comments are skipped, a source
 * route is taken away, empty entries count for nothing (RFC 5322 §3.4, RFC 5322 §4.4).
 */
export function parseAddressList(text: string): HeaderAddress[] | undefined {
  const tokens = readTokens(text);
  return tokens === undefined ? undefined : new ListReader(tokens).read();
}

/**
 * Reads the addresses of a header field, and makes those whole that are not; all else, names and comments, stays as it
 * is. Undefined when one is faulty (RFC 6409 §4.2).
 */
export function completeAddressList(text: string, completion: AddressCompletion): CompletedList | undefined {
  const tokens = readTokens(text);
  const reader = tokens && new ListReader(tokens, completion);
  const list = reader?.read();
  if (reader === undefined || list === undefined) return undefined;
  let whole = '';
  let taken = 0;
  for (const { at, text: missing } of reader.insertions) {
    whole += text.slice(taken, at) + missing;
    taken = at;
  }
  return { list, text: whole + text.slice(taken) };
}

/** The mailboxes of a list, those of its groups too. */
export function mailboxesOf(list: readonly HeaderAddress[]): NamedMailbox[] {
  return list.flatMap((entry) => ('members' in entry ? entry.members : [entry]));
}

class ListReader {
  readonly insertions: Insertion[] = [];
  readonly #tokens: readonly Token[];
  readonly #completion: AddressCompletion | undefined;
  #at = 0;

  constructor(tokens: readonly Token[], completion?: AddressCompletion) {
    this.#tokens = tokens;
    this.#completion = completion;
  }

  read(): HeaderAddress[] | undefined {
    const list: HeaderAddress[] = [];
    while (this.#at < this.#tokens.length) {
      if (this.#take(',')) continue;
      const before = this.#upTo('<:,');
      const entry = this.#take(':') ? this.#group(before) : this.#mailbox(before);
      if (entry === undefined || !(this.#take(',') || this.#at === this.#tokens.length)) return undefined;
      list.push(entry);
    }
    return list;
  }

  #group(words: readonly Token[]): AddressGroup | undefined {
    const members: NamedMailbox[] = [];
    while (!this.#take(';')) {
      if (this.#take(',')) continue;
      const member = this.#mailbox(this.#upTo('<:,;'));
      if (member === undefined || !(this.#take(',') || this.#next(';'))) return undefined;
      members.push(member);
    }
    const name = phrase(words);
    return name === undefined || name === '' ? undefined : { name, members };
  }

  #mailbox(words: readonly Token[]): NamedMailbox | undefined {
    if (!this.#take('<')) return this.#addrSpec(words);
    const inner = this.#upTo('>');
    const name = phrase(words);
    const routeEnd = inner.findIndex((token) => token.text === ':' && token.kind === 'special');
    const address = this.#take('>') ? this.#addrSpec(inner.slice(routeEnd + 1)) : undefined;
    if (name === undefined || address === undefined) return undefined;
    return name === '' ? address : { name, ...address };
  }

  #addrSpec(tokens: readonly Token[]): NamedMailbox | undefined {
    const last = tokens.at(-1);
    const completion = this.#completion;
    if (completion === undefined || last === undefined) return addrSpec(tokens);
    const missing = whatIsMissing(tokens, completion);
    if (missing === '') return addrSpec(tokens);
    this.insertions.push({ at: last.end, text: missing });
    return addrSpec([...tokens, { kind: 'special', text: missing, end: last.end }]);
  }

  #next(special: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === 'special' && token.text === special;
  }

  #take(special: string): boolean {
    if (!this.#next(special)) return false;
    this.#at += 1;
    return true;
  }

  /** The tokens before the first of these specials. */
  #upTo(ends: string): Token[] {
    const start = this.#at;
    let token = this.#tokens[this.#at];
    while (token !== undefined && !(token.kind === 'special' && ends.includes(token.text))) {
      this.#at += 1;
      token = this.#tokens[this.#at];
    }
    return this.#tokens.slice(start, this.#at);
  }
}

/** Words and, as of old, dots; undefined where anything else stands in a name (RFC 5322 §4.1). */
function phrase(tokens: readonly Token[]): string | undefined {
  let name = '';
  for (const { kind, text } of tokens) {
    if (kind === 'literal' || (kind === 'special' && text !== '.')) return undefined;
    if (name !== '' && text !== '.') name += ' ';
    name += kind === 'quoted' ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text;
  }
  return name;
}

function whatIsMissing(tokens: readonly Token[], { domain, isWhole }: AddressCompletion): string {
  const at = tokens.findIndex(({ kind, text }) => kind === 'special' && text === '@');
  if (at < 0) return `@${domain}`;
  const [label, ...more] = tokens.slice(at + 1);
  return label?.kind !== 'atom' || more.length > 0 || isWhole(label.text) ? '' : `.${domain}`;
}

/** The one parser of mailboxes decides; two words without a dot between them are no local-part (RFC 5322 §3.4.1). */
function addrSpec(tokens: readonly Token[]): NamedMailbox | undefined {
  const runs = tokens.some(
    ({ kind }, index) => kind !== 'special' && index > 0 && tokens[index - 1]?.kind !== 'special',
  );
  if (runs) return undefined;
  const mailbox = parseMailbox(tokens.map(({ text }) => text).join(''), { utf8: true });
  return mailbox === undefined ? undefined : { mailbox };
}

/** Undefined when something is not closed, or a control character stands outside of it all. */
function readTokens(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    const end = tokenEnd(text, at);
    if (end <= at) return undefined;
    if (character === '"') tokens.push({ kind: 'quoted', text: text.slice(at, end), end });
    else if (character === '[') tokens.push({ kind: 'literal', text: text.slice(at, end), end });
    else if (specials.includes(character)) tokens.push({ kind: 'special', text: character, end });
    else if (character !== '(' && character !== ' ' && character !== '\t')
      tokens.push({ kind: 'atom', text: text.slice(at, end), end });
    at = end;
  }
  return tokens;
}

/** The index behind the token that begins at `start`; -1 when it is none. */
function tokenEnd(text: string, start: number): number {
  const character = text[start] as string;
  if (character === '"') return closed(text, start, '"');
  if (character === '[') return closed(text, start, ']');
  if (character === '(') return commentEnd(text, start);
  if (specials.includes(character) || character === ' ' || character === '\t') return start + 1;
  let at = start;
  while (at < text.length && atomCharacter.test(text[at] as string)) at += 1;
  return at;
}

function closed(text: string, start: number, end: string): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '\\') at += 1;
    else if (character === end) return at + 1;
    else if (character < ' ') return -1;
  }
  return -1;
}
