import { Failure } from '@posthorn/smtp/failure/failure';
import type { HostsFile } from './hosts-file.ts';
import type { Lookup, RecordType, RecordValues } from './lookup.ts';
import { isLocalhost, normalizeName, reverseName } from './name.ts';
import type { Answer, Resolver } from './resolver.ts';

/** A resolver over one way to look records up, with the rules that hold for all: names, `localhost`, the hosts file. */
export function resolverOver(lookup: Lookup, hosts?: HostsFile): Resolver {
  const find = async <T extends RecordType>(type: T, text: string | undefined, signal?: AbortSignal) => {
    if (signal?.aborted) throw new Failure('aborted', 'The look-up was given up');
    const name = text === undefined ? undefined : normalizeName(text);
    if (name === undefined) return { kind: 'absent', secure: false } as const;
    return (fromHosts(hosts, type, name) ?? (await lookup(type, name, signal))) as Answer<RecordValues[T]>;
  };
  return {
    mx: (domain, signal) => find('MX', domain, signal),
    addresses: (host, family, signal) => find(family === 4 ? 'A' : 'AAAA', host, signal),
    txt: (name, signal) => find('TXT', name, signal),
    tlsa: (name, signal) => find('TLSA', name, signal),
    alias: (name, signal) => find('CNAME', name, signal),
    reverse: async (address, signal) => {
      const names = hosts?.names(address) ?? [];
      return names.length > 0 ? found(names) : find('PTR', reverseName(address), signal);
    },
  };
}

/** What is known without asking anyone: the file's addresses, and that `localhost` is this machine (RFC 6761 §6.3). */
function fromHosts(hosts: HostsFile | undefined, type: RecordType, name: string): Answer<string> | undefined {
  if (type === 'A' || type === 'AAAA') {
    const known = hosts?.addresses(name);
    if (known !== undefined) return found(known.filter((address) => address.includes(':') === (type === 'AAAA')));
    if (isLocalhost(name)) return found([type === 'A' ? '127.0.0.1' : '::1']);
  }
  return isLocalhost(name) ? found([]) : undefined;
}

function found(records: readonly string[]): Answer<string> {
  return records.length === 0 ? { kind: 'none', secure: false } : { kind: 'found', records, secure: false };
}
