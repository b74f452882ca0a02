import { BlockList, isIP } from 'node:net';
import { remembering } from './remembering.ts';

/** A range of IP addresses (RFC 4632 §3.1, RFC 4291 §2.3). */
export interface Network {
  readonly family: 4 | 6;
  readonly address: string;
  /** Leading bits that all its addresses share: 0 to 32, or 0 to 128. */
  readonly prefix: number;
}

/** Reads `address/prefix`, or one address alone; undefined when it is neither (RFC 4632 §3.1). */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', digits] = /^([^/%]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  if (family !== 4 && family !== 6) return undefined;
  const bits = family === 4 ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  return prefix > bits ? undefined : { family, address, prefix };
}

/** Addresses whose answer is remembered: the list takes its time, and a session asks for each recipient. */
const mostRemembered = 1000;

/** Tells of an address whether it is in one of the networks; IPv4 within IPv6 counts as IPv4 (RFC 4291 §2.5.5.2). */
export function networkMatcher(networks: readonly Network[]): (address: string) => boolean {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const { family, address, prefix } of networks) list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  const check = (text: string): boolean => {
    const address = text.replace(/%.*$/s, '');
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
  return remembering(check, { most: mostRemembered });
}
