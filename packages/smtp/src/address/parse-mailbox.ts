import { isDomain, parseLiteral } from './domain.ts';
import type { Mailbox } from './mailbox.ts';

/** How an address is read: with `utf8` letters outside of ASCII may stand in it (RFC 6531 §3.3). */
export interface AddressRules {
  readonly utf8?: boolean;
}

const asciiAtom = /^[a-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[a-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/i;
const utf8Atom =
  /^[a-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+(?:\.[a-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\u{10ffff}]+)*$/iu;

function isQuotable(code: number, utf8: boolean): boolean {
  return (code >= 32 && code <= 126) || (utf8 && code >= 160);
}

/** The end of the quoted string that begins the text: the index behind its closing quote; -1 when it has none. */
export function quotedEnd(text: string): number {
  for (let index = 1; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\\') index += 1;
    else if (character === '"') return index + 1;
  }
  return -1;
}

function unquote(quoted: string, utf8: boolean): string | undefined {
  let local = '';
  for (let index = 1; index < quoted.length - 1; index += 1) {
    if (quoted[index] === '\\') index += 1;
    if (!isQuotable(quoted.charCodeAt(index), utf8)) return undefined;
    local += quoted[index];
  }
  return local;
}

/** Reads a local-part, dot-string or quoted; undefined when it is faulty (RFC 5321 §4.1.2). */
export function parseLocalPart(text: string, rules: AddressRules = {}): string | undefined {
  if (!text.startsWith('"')) return (rules.utf8 ? utf8Atom : asciiAtom).test(text) ? text : undefined;
  return quotedEnd(text) === text.length ? unquote(text, rules.utf8 === true) : undefined;
}

/**
 * Reads `local@domain` or `local@[literal]` without brackets; undefined when it is faulty or longer than 64 octets of
 * local-part, 255 of domain, 254 in all (RFC 5321 §4.1.2, RFC 5321 §4.5.3.1).
 */
export function parseMailbox(text: string, rules: AddressRules = {}): Mailbox | undefined {
  const at = text.startsWith('"') ? quotedEnd(text) : text.indexOf('@');
  if (at < 1 || text[at] !== '@') return undefined;
  const localPart = parseLocalPart(text.slice(0, at), rules);
  const domain = text.slice(at + 1);
  if (localPart === undefined || isTooLong(text, at)) return undefined;
  if (!isDomain(domain, rules.utf8) && parseLiteral(domain) === undefined) return undefined;
  return { localPart, domain };
}

function isTooLong(text: string, at: number): boolean {
  if (text.length <= 64) return false;
  return Buffer.byteLength(text.slice(0, at)) > 64 || Buffer.byteLength(text) > 254;
}
