import { Failure } from '../failure/failure.ts';
import { type ServiceLookup, serviceLookup } from '../net/service-lookup.ts';
import { orderServices } from '../net/service-record.ts';
import { mtqpPort, type TrackerOptions } from './open-tracker.ts';

/** Where a tracking server is. */
export type TrackerAddress = Pick<TrackerOptions, 'host' | 'port'>;

/** Finds the tracking servers of a mail host, the one to ask first. Rejects with Failure `dns`. */
export type TrackerFinder = (host: string) => Promise<readonly TrackerAddress[]>;

/** Records of one host that are used. */
const mostServers = 8;

/** Finds tracking servers through DNS, by the name servers of the system or the given ones (RFC 3887 §2). */
export function dnsTrackers(servers?: readonly string[]): TrackerFinder {
  return trackerFinder(serviceLookup(servers), Math.random);
}

/** Finds tracking servers by SRV records, else at the mail host itself (RFC 3887 §2). */
export function trackerFinder(lookUp: ServiceLookup, chance: () => number): TrackerFinder {
  return async (host) => {
    // An address has no records of its own.
    const records = isName(host) ? await lookUp(`_mtqp._tcp.${host}`) : [];
    if (records.length === 0) return [{ host: host.replace(/^\[(?:IPv6:)?|\]$/gi, ''), port: mtqpPort }];
    const servers = orderServices(records, chance).filter(({ name }) => name !== '' && name !== '.');
    if (servers.length === 0) throw new Failure('refused', `${host} has no tracking server, as its SRV record says`);
    return servers.slice(0, mostServers).map(({ name, port }) => ({ host: name.replace(/\.$/, ''), port }));
  };
}

function isName(host: string): boolean {
  return /[a-z]/i.test(host) && !host.includes(':') && !host.startsWith('[');
}
