import { isIP } from 'node:net';
import { formatLiteral, parseLiteral } from '@posthorn/smtp/address/domain';
import { normalizeAddress } from '@posthorn/smtp/address/normalize-address';
import { Failure } from '@posthorn/smtp/failure/failure';
import type { Resolver } from '../dns/resolver.ts';
import { cutAt, type Exchanger, loopsBack, type NoHost, noHost, orderExchangers } from '../routing/exchangers.ts';
import { type HostAddress, type HostLookup, lookUpAddresses } from './look-up-addresses.ts';

/** A host to try, and its addresses in the order they are tried. */
export interface MailHost {
  /** Its name, or the literal of its address. */
  readonly name: string;
  /** At least one. */
  readonly addresses: readonly HostAddress[];
  /** Set when its name comes from an answer of the DNS that nothing proves (RFC 4035 §3.2.3). */
  readonly unproven?: true;
  /** Set when its addresses are proven. */
  readonly secure?: true;
  /** The name that aliases at its name lead to, where there are any. */
  readonly canonical?: string;
}

/** The hosts of a domain in the order they are tried. */
export interface HostsOfDomain {
  readonly kind: 'hosts';
  /** At least one. */
  readonly hosts: readonly MailHost[];
  /** The domain that aliases at the domain lead to, where there are any. */
  readonly canonical?: string;
}

/** The hosts for a domain, or what becomes of its mail without any. */
export type FoundHosts = HostsOfDomain | NoHost;

/** Where mail shall go. */
export interface HostQuery {
  /** A domain, a host, or an IP address, bare or as a literal. */
  readonly domain: string;
  /** Whether its mail exchangers are asked for; off: it is the host itself. */
  readonly lookupMx: boolean;
  /** Named by the configuration: a mistake in it bounces no mail, and the host may well be another port of this one. */
  readonly configured?: boolean;
  readonly signal: AbortSignal;
}

/** What finding hosts works with. */
export interface HostFinder {
  readonly resolver: Resolver;
  /** Names and addresses of this host: mail is never sent there, nor to where it would come back from (RFC 5321 §5.1). */
  readonly ownNames: readonly string[];
  readonly ownAddresses: readonly string[];
  /** The families of addresses that this host can reach. */
  readonly families: readonly (4 | 6)[];
  /** A number from 0 to below 1, by chance. */
  readonly chance: () => number;
  /** Hosts that are tried, 5 by default. */
  readonly mostHosts?: number;
  /** Addresses of one family that are tried of each host, 4 by default. */
  readonly mostAddresses?: number;
}

/** Of a domain with more exchangers than these times `mostHosts`, the others are not even looked up. */
const mostBatches = 3;

/** Turns a domain into the hosts that its mail goes to (RFC 5321 §5.1). */
export async function findHosts(query: HostQuery, finder: HostFinder): Promise<FoundHosts> {
  const found = await findAnyHosts(query, finder).catch((error: unknown) => {
    if (error instanceof Failure && error.kind === 'aborted') {
      return noHost('deferred', '4.4.3', `Looking up the hosts of ${query.domain} took too long`);
    }
    throw error;
  });
  if (found.kind === 'hosts' || query.configured !== true) return found;
  return noHost('deferred', `4.${Number(found.status[2])}.${Number(found.status.slice(4))}`, found.text);
}

async function findAnyHosts(query: HostQuery, finder: HostFinder): Promise<FoundHosts> {
  const { domain, signal } = query;
  const literal = parseLiteral(domain);
  const address = literal !== undefined && 'address' in literal ? literal.address : domain;
  if (isIP(address) !== 0) return hostOfAddress(address, query, finder);
  const ownNames = query.configured ? [] : finder.ownNames;
  const answer = query.lookupMx ? await finder.resolver.mx(domain, signal) : ({ kind: 'none' } as const);
  const order = orderExchangers({ domain, answer, ownNames, chance: finder.chance });
  if (order.kind === 'outcome') return order;
  const found = await walkExchangers(order.exchangers, query, finder);
  const isProven = !query.lookupMx || ('secure' in answer && answer.secure);
  if (found.kind === 'outcome') return found;
  if (!isProven) return { kind: 'hosts', hosts: found.hosts.map((host) => ({ ...host, unproven: true })) };
  return answer.kind === 'found' && answer.canonical !== undefined ? { ...found, canonical: answer.canonical } : found;
}

function hostOfAddress(address: string, query: HostQuery, finder: HostFinder): FoundHosts {
  const family = isIP(address) === 6 ? 6 : 4;
  if (isOwn([{ address, family }], query, finder)) return loopsBack(query.domain);
  if (!finder.families.includes(family)) return noHost('failed', '5.4.4', `This host has no way to ${query.domain}`);
  return { kind: 'hosts', hosts: [{ name: formatLiteral(address), addresses: [{ address, family }] }] };
}

type LookedUp = Exchanger & HostLookup;

/** Looks the best exchangers up side by side, and the next ones only when those are not enough. */
async function walkExchangers(
  exchangers: readonly Exchanger[],
  query: HostQuery,
  finder: HostFinder,
): Promise<FoundHosts> {
  const { mostHosts = 5, mostAddresses = 4, resolver, families } = finder;
  const looked: LookedUp[] = [];
  let others: LookedUp[] = [];
  let usable: LookedUp[] = [];
  for (let batch = 0; batch < mostBatches && usable.length < mostHosts; batch += 1) {
    const next = exchangers.slice(looked.length, looked.length + mostHosts);
    const lookUp = async (exchanger: Exchanger): Promise<LookedUp> => ({
      ...exchanger,
      ...(await lookUpAddresses(exchanger.exchange, { resolver, families, most: mostAddresses, signal: query.signal })),
    });
    looked.push(...(await Promise.all(next.map(lookUp))));
    others = cutAt(looked, ({ addresses }) => isOwn(addresses, query, finder));
    usable = others.filter(({ addresses }) => addresses.length > 0);
    // Beyond its own preference a host never goes.
    if (others.length < looked.length || next.length < mostHosts) break;
  }
  if (usable.length > 0) return { kind: 'hosts', hosts: usable.slice(0, mostHosts).map(toHost) };
  if (others.length === 0) return loopsBack(query.domain);
  if (others.some(({ failed }) => failed))
    return noHost('deferred', '4.4.4', `No host for ${query.domain} can be looked up now`);
  return noHost('failed', '5.4.4', `No host for ${query.domain} has an address`);
}

function toHost({ exchange, addresses, secure, canonical }: LookedUp): MailHost {
  return {
    name: exchange,
    addresses,
    ...(secure ? { secure } : {}),
    ...(canonical === undefined ? {} : { canonical }),
  };
}

/** The addresses that mean "any" lead to this host, too. */
const unspecified = ['0.0.0.0', '0:0:0:0:0:0:0:0'];

function isOwn(addresses: readonly HostAddress[], { configured }: HostQuery, { ownAddresses }: HostFinder): boolean {
  if (configured === true) return false;
  const own = [...ownAddresses.map(normalizeAddress), ...unspecified];
  return addresses.some(({ address }) => own.includes(normalizeAddress(address)));
}
