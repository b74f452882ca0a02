import { isIPv4 } from 'node:net';
import { ipv6Groups } from '@posthorn/smtp/address/normalize-address';

/** Names as they nearly always are, seen to be well-formed at one look. */
const usual = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

/**
 * A name as it is looked up and compared: lower case, no dot at its end. Undefined when it cannot be in the name system:
 * an empty label, a label of more than 63 octets, or more than 253 in all (RFC 1035 §2.3.4).
 */
export function normalizeName(name: string): string | undefined {
  const text = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
  if (text.length > 253) return undefined;
  if (usual.test(text)) return text;
  return Buffer.byteLength(text) <= 253 && text.split('.').every(isLabel) ? text : undefined;
}

function isLabel(label: string): boolean {
  return label !== '' && Buffer.byteLength(label) <= 63;
}

/** Whether the name means this machine, whatever the name system says (RFC 6761 §6.3). */
export function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

/** The name under which the names of an address are kept; undefined when the text is no address (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(address: string): string | undefined {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const groups = ipv6Groups(address);
  if (groups === undefined) return undefined;
  const nibbles = groups.map((group) => group.toString(16).padStart(4, '0')).join('');
  return `${[...nibbles].reverse().join('.')}.ip6.arpa`;
}
