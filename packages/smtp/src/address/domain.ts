import { isIPv6 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { isIPv4Text, isIPv6Text } from './ip-text.ts';

function labels(characters: string): RegExp {
  const label = `[${characters}](?:[${characters}-]*[${characters}])?`;
  return new RegExp(`^${label}(?:\\.${label})*$`, 'u');
}

const ldhDomain = labels('A-Za-z0-9');
const utf8Domain = labels('A-Za-z0-9\\u{a0}-\\u{d7ff}\\u{e000}-\\u{10ffff}');
const generalLiteral = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?:[!-Z^-~]+$/i;

/**
 * Whether the text is a domain name: labels of letters, digits and inner hyphens, 255 octets; with `utf8` labels may be
 * U-labels (RFC 5321 §4.1.2, RFC 6531 §3.3).
 */
export function isDomain(text: string, utf8 = false): boolean {
  return isLdhDomain(text) || (utf8 && toALabels(text) !== undefined);
}

/** The domain as DNS knows it: A-labels in lower case; undefined when it is none (RFC 6531 §3.2, RFC 5891 §4). */
export function asciiDomain(domain: string): string | undefined {
  return isLdhDomain(domain) ? domain.toLowerCase() : toALabels(domain);
}

function isLdhDomain(text: string): boolean {
  if (text.length === 0 || text.length > 255 || !ldhDomain.test(text)) return false;
  return text.length <= 63 || text.split('.').every((label) => label.length <= 63);
}

function toALabels(domain: string): string | undefined {
  if (domain.length > 255 || Buffer.byteLength(domain) > 255 || !utf8Domain.test(domain)) return undefined;
  const ascii = domainToASCII(domain);
  // Wide letters, ideographic stops and what else the platform maps away would give one domain several spellings.
  const isOneSpelling = domainToUnicode(ascii).toUpperCase() === domain.normalize('NFC').toUpperCase();
  return isOneSpelling && isLdhDomain(ascii) ? ascii : undefined;
}

/** An address literal: the address for IPv4 and IPv6, only the tag for others (RFC 5321 §4.1.3). */
export type Literal =
  | { readonly family: 4 | 6; readonly address: string }
  | { readonly family: 'other'; readonly tag: string };

/** Reads an address literal with its brackets; undefined when it is none (RFC 5321 §4.1.3). */
export function parseLiteral(text: string): Literal | undefined {
  if (!text.startsWith('[') || !text.endsWith(']') || text.length > 255) return undefined;
  const inner = text.slice(1, -1);
  if (isIPv4Text(inner)) return { family: 4, address: inner.split('.').map(Number).join('.') };
  if (/^ipv6:/i.test(inner)) {
    const address = inner.slice(5);
    return isIPv6Text(address) ? { family: 6, address } : undefined;
  }
  // An IPv6 address without its tag has the form of another kind of literal, its first group for a tag.
  const isGeneral = generalLiteral.test(inner) && !isIPv6(inner);
  return isGeneral ? { family: 'other', tag: inner.slice(0, inner.indexOf(':')) } : undefined;
}

/** Writes the literal of an IP address, with brackets and the tag of IPv6 (RFC 5321 §4.1.3). */
export function formatLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}
