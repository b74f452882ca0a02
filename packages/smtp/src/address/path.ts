import { isDomain } from './domain.ts';
import { type AddressRules, parseLocalPart, quotedEnd } from './local-part.ts';
import type { Mailbox, ReversePath } from './mailbox.ts';
import { parseMailbox } from './parse-mailbox.ts';

/** A path at the beginning of a command's argument, and what follows it. */
export interface PathRead<T> {
  readonly path: T;
  /** The text behind the closing bracket. */
  readonly rest: string;
}

/** The index of the bracket that closes the path; those in quoted strings and address literals do not. */
function closingBracket(text: string): number {
  for (let index = 1; index < text.length; index += 1) {
    const character = text[index];
    if (character === '>') return index;
    if (character !== '"' && character !== '[') continue;
    const end = character === '"' ? quotedEnd(text, index) : text.indexOf(']', index) + 1;
    if (end <= 0) return -1;
    index = end - 1;
  }
  return -1;
}

function skipRoute(text: string, utf8: boolean): string | undefined {
  if (!text.startsWith('@')) return text;
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  const hops = text.slice(0, colon).split(',');
  return hops.every((hop) => hop.startsWith('@') && isDomain(hop.slice(1), utf8)) ? text.slice(colon + 1) : undefined;
}

function read<T>(text: string, parse: (inner: string) => T | undefined): PathRead<T> | undefined {
  if (!text.startsWith('<')) return undefined;
  const end = closingBracket(text);
  if (end === -1) return undefined;
  const path = parse(text.slice(1, end));
  return path === undefined ? undefined : { path, rest: text.slice(end + 1) };
}

function parseRouted(inner: string, rules: AddressRules): Mailbox | undefined {
  const mailbox = skipRoute(inner, rules.utf8 === true);
  return mailbox === undefined ? undefined : parseMailbox(mailbox, rules);
}

/** Reads the reverse-path that begins the text; a source route is taken away (RFC 5321 §4.1.2, RFC 5321 §C). */
export function readReversePath(text: string, rules: AddressRules = {}): PathRead<ReversePath> | undefined {
  if (text.startsWith('<>')) return { path: null, rest: text.slice(2) };
  return read<ReversePath>(text, (inner) => parseRouted(inner, rules));
}

/** Reads the forward-path that begins the text; a bare `<Postmaster>` has no domain (RFC 5321 §4.1.1.3). */
export function readForwardPath(text: string, rules: AddressRules = {}): PathRead<Mailbox> | undefined {
  return read(text, (inner) => parseRouted(inner, rules) ?? parsePostmaster(inner));
}

function parsePostmaster(inner: string): Mailbox | undefined {
  const localPart = parseLocalPart(inner);
  return localPart?.toLowerCase() === 'postmaster' ? { localPart, domain: '' } : undefined;
}
