import { BlockList, isIP } from 'node:net';
import { Failure } from '../failure/failure.ts';

/** Reads networks in CIDR form, or single addresses, into a list to check against; throws Failure `invalid` (RFC 4632 §3.1). */
export function parseNetworks(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) addNetwork(list, network);
  return list;
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', prefix] = network.split('/', 2);
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (version === 0 || bits < 0 || bits > most) throw new Failure('invalid', `${network} is no network`);
  list.addSubnet(address, bits, version === 6 ? 'ipv6' : 'ipv4');
}
