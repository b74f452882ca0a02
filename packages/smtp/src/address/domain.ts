import { isIPv6Text } from './ipv6.ts';

const asciiDomain = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;
const utf8Label = /^[a-z0-9\u0080-\u{10ffff}](?:[a-z0-9\u0080-\u{10ffff}-]*[a-z0-9\u0080-\u{10ffff}])?$/iu;
const ipv4 = /^(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|[01]?\d?\d)){3}$/;
const generalLiteral = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?:[!-Z^-~]+$/i;

/** Whether the text is a domain name: labels of letters, digits and inner hyphens, 255 octets (RFC 5321 §4.1.2). */
export function isDomain(text: string, utf8 = false): boolean {
  if (text.length === 0 || text.length > 255) return false;
  if (asciiDomain.test(text)) return text.split('.').every((label) => label.length <= 63);
  if (!utf8 || Buffer.byteLength(text) > 255) return false;
  return text.split('.').every((label) => utf8Label.test(label));
}

/** Whether the text is an IPv4 address in dotted form, one to three digits a part (RFC 5321 §4.1.3). */
export function isIPv4Text(text: string): boolean {
  return ipv4.test(text);
}

/** An address literal: the address for IPv4 and IPv6, only the tag for others (RFC 5321 §4.1.3). */
export type Literal =
  | { readonly family: 4 | 6; readonly address: string }
  | { readonly family: 'other'; readonly tag: string };

/** Reads an address literal with its brackets; undefined when it is none (RFC 5321 §4.1.3). */
export function parseLiteral(text: string): Literal | undefined {
  if (!text.startsWith('[') || !text.endsWith(']') || text.length > 255) return undefined;
  const inner = text.slice(1, -1);
  if (isIPv4Text(inner)) return { family: 4, address: inner };
  if (/^ipv6:/i.test(inner)) {
    const address = inner.slice(5);
    return isIPv6Text(address) ? { family: 6, address } : undefined;
  }
  return generalLiteral.test(inner) ? { family: 'other', tag: inner.slice(0, inner.indexOf(':')) } : undefined;
}

/** Writes the literal of an IP address, with brackets and the tag of IPv6 (RFC 5321 §4.1.3). */
export function formatLiteral(address: string): string {
  return address.includes(':') ? `[IPv6:${address}]` : `[${address}]`;
}
