import { isIP } from 'node:net';
import { normalizeAddress } from '@posthorn/smtp/address/normalize-address';
import { normalizeName } from './name.ts';

/** What the machine's own table of hosts says (RFC 952). */
export interface HostsFile {
  /** All addresses of a normalized name; undefined when the table does not have it. */
  addresses(name: string): readonly string[] | undefined;
  /** The official name of an address, then its other names; empty when the table does not have it. */
  names(address: string): readonly string[];
}

/** Names of a table that are kept; block lists of advertisers have hundreds of thousands. */
const mostNames = 100_000;

/** Reads a table of hosts: an address and its names a line, comments from `#`; faulty lines are skipped (RFC 952). */
export function parseHostsFile(text: string): HostsFile {
  const byName = new Map<string, string[]>();
  const byAddress = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (isIP(address) === 0 || byName.size >= mostNames) continue;
    for (const name of names) {
      const known = normalizeName(name);
      if (known === undefined) continue;
      append(byName, known, address);
      append(byAddress, normalizeAddress(address) as string, known);
    }
  }
  return {
    addresses: (name) => byName.get(name),
    names: (address) => byAddress.get(normalizeAddress(address) ?? '') ?? [],
  };
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else if (!list.includes(value)) list.push(value);
}
