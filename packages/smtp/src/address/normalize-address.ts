import { isIPv4, isIPv6 } from 'node:net';

/** The eight groups of an IPv6 address, a zone left out; undefined when the text is none (RFC 4291 §2.2). */
export function ipv6Groups(address: string): number[] | undefined {
  if (!isIPv6(address)) return undefined;
  const [head = '', tail] = withoutDots(address.replace(/%.*$/, '')).split('::');
  const before = readGroups(head);
  if (tail === undefined) return before;
  const after = readGroups(tail);
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function readGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** An IPv4 part at the end written as the two groups it stands for (RFC 4291 §2.2). */
function withoutDots(address: string): string {
  const start = address.lastIndexOf(':') + 1;
  const last = address.slice(start);
  if (!last.includes('.')) return address;
  const [a = 0, b = 0, c = 0, d = 0] = last.split('.').map(Number);
  return `${address.slice(0, start)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/**
 * One form for each IP address, for comparing: IPv6 in full and without its zone, IPv4-mapped as IPv4; undefined when the
 * text is none (RFC 4291 §2.5.5.2).
 */
export function normalizeAddress(address: string): string | undefined {
  if (isIPv4(address)) return address;
  const groups = ipv6Groups(address);
  if (groups === undefined) return undefined;
  if (groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff) {
    return groups.map((group) => group.toString(16)).join(':');
  }
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
