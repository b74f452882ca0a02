import { BlockList, isIPv6 } from 'node:net';
import type { Network } from '@posthorn/smtp/address/network';

/** Prefixes below these are of no single organisation. */
const widest = { 4: 8, 6: 16 } as const;
/** So many of the widest networks may be listed together. */
const most = 4;
/** IPv4 within IPv6: networks of it, or around it, hold IPv4 addresses (RFC 4291 §2.5.5.2). */
const mapped = networkList({ family: 6, address: '::ffff:0:0', prefix: 96 });

/** Whether a network holds more of the Internet than anyone has. */
export function isTooWide({ family, address, prefix }: Network): boolean {
  if (family === 4) return prefix < widest[4];
  if (mapped.check(address, 'ipv6')) return prefix < 96 + widest[4];
  return prefix < widest[6] || networkList({ family, address, prefix }).check('::ffff:0:0', 'ipv6');
}

/** Whether networks that are not too wide each make up a good part of the Internet together. */
export function isTooWideTogether(networks: readonly Network[]): boolean {
  const parts = { 4: 0, 6: 0 };
  for (const { family, prefix } of disjoint(networks.map(asOwnFamily))) parts[family] += 2 ** (widest[family] - prefix);
  return parts[4] > most || parts[6] > most;
}

function asOwnFamily(network: Network): Network {
  const { family, address, prefix } = network;
  if (family === 4 || !isIPv6(address) || prefix < 96 || !mapped.check(address, 'ipv6')) return network;
  return { family: 4, address: tail(address), prefix: prefix - 96 };
}

/** The last 32 bits of an IPv6 address, as an IPv4 address. */
function tail(address: string): string {
  const dotted = /\d+\.\d+\.\d+\.\d+$/.exec(address)?.[0];
  if (dotted !== undefined) return dotted;
  const [high = '0', low = '0'] = address.split(':').slice(-2);
  const groups = [high, low].map((group) => Number.parseInt(group || '0', 16));
  return groups.flatMap((group) => [group >> 8, group & 255]).join('.');
}

/** Without those that lie within others. */
function disjoint(networks: readonly Network[]): Network[] {
  const kept: Network[] = [];
  const list = new BlockList();
  for (const network of [...networks].sort((one, other) => one.prefix - other.prefix)) {
    const family = network.family === 4 ? 'ipv4' : 'ipv6';
    if (list.check(network.address, family)) continue;
    list.addSubnet(network.address, network.prefix, family);
    kept.push(network);
  }
  return kept;
}

function networkList({ address, prefix, family }: Network): BlockList {
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list;
}
