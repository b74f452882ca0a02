import { isDomain, parseLiteral } from './domain.ts';
import { type AddressRules, parseLocalPart, quotedEnd } from './local-part.ts';
import type { Mailbox } from './mailbox.ts';

/**
 * Reads `local@domain` or `local@[literal]` without brackets; undefined when it is faulty or longer than 64 octets of
 * local-part or 254 in all, quoting not counted (RFC 5321 §4.1.2, RFC 5321 §4.5.3.1).
 */
export function parseMailbox(text: string, rules: AddressRules = {}): Mailbox | undefined {
  const at = text.startsWith('"') ? quotedEnd(text) : text.indexOf('@');
  if (at < 1 || text[at] !== '@') return undefined;
  const localPart = parseLocalPart(text.slice(0, at), rules);
  const domain = text.slice(at + 1);
  if (localPart === undefined || isTooLong(localPart, domain)) return undefined;
  return isDomain(domain, rules.utf8) || parseLiteral(domain) !== undefined ? { localPart, domain } : undefined;
}

function isTooLong(localPart: string, domain: string): boolean {
  const octets = Buffer.byteLength(localPart);
  return octets > 64 || octets + 1 + Buffer.byteLength(domain) > 254;
}
