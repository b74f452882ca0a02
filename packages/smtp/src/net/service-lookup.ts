import { promises as dns } from 'node:dns';
import { Failure } from '../failure/failure.ts';
import type { ServiceRecord } from './service-record.ts';
import { errorCode } from './socket-failure.ts';

/** Looks SRV records up, none when there are none. Rejects with Failure `dns` when that cannot be known. */
export type ServiceLookup = (name: string) => Promise<readonly ServiceRecord[]>;

const nothing: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'NOTFOUND', 'NODATA']);

/** The look-up of the system, or of the given name servers (RFC 2782). */
export function serviceLookup(servers?: readonly string[]): ServiceLookup {
  const resolver = new dns.Resolver({ timeout: 3000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  return async (name) => {
    try {
      return await resolver.resolveSrv(name);
    } catch (error) {
      if (nothing.has(errorCode(error))) return [];
      throw new Failure('dns', `SRV records of ${name} cannot be looked up`, error);
    }
  };
}
