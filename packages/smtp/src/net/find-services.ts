import { promises as dns } from 'node:dns';
import { Failure } from '../failure/failure.ts';
import { errorCode } from './socket-failure.ts';

/** One SRV record: where a service of a domain is (RFC 2782). */
export interface ServiceRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** The host; empty or `.`: the service is not to be had. */
  readonly name: string;
}

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

/** Sorts by priority, and among equals by chance as their weights say; `chance` gives 0 up to 1 (RFC 2782). */
export function orderServices(records: readonly ServiceRecord[], chance: () => number): ServiceRecord[] {
  const left = [...records].sort((one, other) => one.priority - other.priority || one.weight - other.weight);
  const ordered: ServiceRecord[] = [];
  while (left.length > 0) {
    const [first] = left as [ServiceRecord];
    const equals = left.filter(({ priority }) => priority === first.priority);
    let mark = chance() * equals.reduce((sum, { weight }) => sum + weight, 0);
    const chosen = equals.find(({ weight }) => {
      mark -= weight;
      return mark <= 0;
    });
    const [next] = left.splice(left.indexOf(chosen ?? first), 1) as [ServiceRecord];
    ordered.push(next);
  }
  return ordered;
}
