import { networkInterfaces } from 'node:os';
import { parseAddress } from '@posthorn/smtp/address/parse-address';
import { findHosts, type HostFinder, type MailHost } from '../agents/find-hosts.ts';
import { ownFamilies } from '../agents/own-families.ts';
import type { Entry } from '../directory/directory.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Recipient } from '../queue/envelope.ts';
import type { NextHop } from '../queue/next-hop.ts';
import { expandAddresses } from './expand-addresses.ts';
import { copiesOf } from './expand-recipients.ts';
import { ownAddresses, type Policy } from './policy.ts';
import { redirectionOf } from './redirection.ts';

/** Where the mail for one recipient goes. */
export interface Way {
  readonly address: string;
  /** The kind of next hop, and what names it: never a password. */
  readonly kind: NextHop['kind'];
  readonly nextHop: string;
  /** The hosts that would be tried, in their order. */
  readonly hosts?: readonly MailHost[];
  /** Why mail does not get there now, or never does. */
  readonly obstacle?: { readonly kind: 'failed' | 'deferred'; readonly status: string; readonly text: string };
  /** Where it goes on from here with another sender. */
  readonly onward?: readonly Way[];
}

/** Who an address is, and where its mail goes. */
export interface AddressTrace {
  readonly address: string;
  /** Whether it has the form of one. */
  readonly isAddress: boolean;
  readonly entry: Entry;
  /** Whether aliases lead round in a circle. */
  readonly loops: boolean;
  /** None where nobody has the address. */
  readonly ways: readonly Way[];
}

/** What addresses are traced with. */
export interface TraceParts {
  readonly policy: Pick<Policy, 'directory' | 'route'>;
  readonly resolver: Resolver;
  /** The name of this host. */
  readonly hostname: string;
}

/** Lists and those on lists; beyond, nobody reads on. */
const deepest = 3;
const mostWays = 200;
/** Milliseconds for the hosts of one next hop. */
const longestLookUp = 20_000;

/** Says who an address is, what it expands to, and which way its mail would go now: a dry run of all that delivery decides. */
export async function traceAddress(address: string, parts: TraceParts): Promise<AddressTrace> {
  const { directory } = parts.policy;
  const entry = directory.lookup(address);
  const expansion = directory.expand(address);
  const loops = expansion.kind === 'loop';
  const isAddress = parseAddress(address) !== undefined;
  const known = { address, isAddress, entry, loops };
  if (!isAddress || loops || entry.kind === 'unknown-mailbox' || entry.kind === 'malformed')
    return { ...known, ways: [] };
  const finder: HostFinder = {
    resolver: parts.resolver,
    ownNames: [parts.hostname],
    ownAddresses: ownAddresses(),
    families: ownFamilies(networkInterfaces()),
    chance: () => 0,
  };
  return { ...known, ways: await waysOf(copiesOf(expansion), { parts, finder, depth: 0 }) };
}

interface Tracing {
  readonly parts: TraceParts;
  readonly finder: HostFinder;
  readonly depth: number;
}

async function waysOf(recipients: readonly Recipient[], tracing: Tracing): Promise<Way[]> {
  const ways: Way[] = [];
  for (const recipient of recipients.slice(0, mostWays)) ways.push(await wayOf(recipient, tracing));
  return ways;
}

async function wayOf({ address, target }: Recipient, tracing: Tracing): Promise<Way> {
  const { parts, finder, depth } = tracing;
  const { directory, route } = parts.policy;
  const hop = route(address, target);
  const way = { address, kind: hop.kind, nextHop: hop.key };
  const onward = (recipients: readonly Recipient[]) =>
    depth < deepest ? waysOf(recipients, { ...tracing, depth: depth + 1 }) : [];
  switch (hop.kind) {
    case 'nowhere':
      return { ...way, obstacle: { kind: 'failed', status: hop.status, text: hop.text } };
    case 'list':
      return { ...way, onward: await onward(expandAddresses(directory, directory.expansionOf(address) ?? [])) };
    case 'resend':
      return { ...way, onward: await onward(redirectionOf(directory, address)?.recipients ?? []) };
    case 'mx':
    case 'smtp':
    case 'lmtp':
      return { ...way, ...(await hostsOf(hop, finder)) };
    default:
      return way;
  }
}

type RelayHop = Extract<NextHop, { kind: 'mx' | 'smtp' | 'lmtp' }>;

async function hostsOf(hop: RelayHop, finder: HostFinder): Promise<Pick<Way, 'hosts' | 'obstacle'>> {
  if (hop.kind !== 'mx' && hop.path !== undefined) return {};
  const found = await findHosts(
    {
      domain: hop.kind === 'mx' ? hop.domain : (hop.host ?? 'localhost'),
      lookupMx: hop.kind === 'mx' || hop.lookupMx,
      configured: hop.kind !== 'mx',
      signal: AbortSignal.timeout(longestLookUp),
    },
    finder,
  );
  if (found.kind === 'hosts') return { hosts: found.hosts };
  return { obstacle: { kind: found.outcomeKind, status: found.status, text: found.text } };
}

/** How it stands with a trace: whether all of its mail arrives, some of it only later, or some of it never. */
export function resultOf({ loops, ways }: AddressTrace): 'ok' | 'deferred' | 'failed' {
  if (loops || ways.length === 0) return 'failed';
  const kinds = ways.flatMap(obstaclesOf);
  return kinds.includes('failed') ? 'failed' : kinds.includes('deferred') ? 'deferred' : 'ok';
}

function obstaclesOf({ obstacle, onward = [] }: Way): ('failed' | 'deferred')[] {
  return [...(obstacle === undefined ? [] : [obstacle.kind]), ...onward.flatMap(obstaclesOf)];
}
