import type { Resolver } from '../dns/resolver.ts';

/** One IP address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** What was found out about a host's addresses. */
export interface HostLookup {
  /** IPv6 before IPv4, each family in the order of the resolver. */
  readonly addresses: readonly HostAddress[];
  /** Whether there may be more, which could not be looked up now. */
  readonly failed: boolean;
  /** Whether all of them are proven (RFC 4035 §3.2.3). */
  readonly secure: boolean;
  /** The name that aliases lead to, where there are any. */
  readonly canonical?: string;
}

/** How addresses are looked up. */
export interface AddressRequest {
  readonly resolver: Resolver;
  readonly families: readonly (4 | 6)[];
  /** Addresses of one family that are wanted. */
  readonly most: number;
  readonly signal: AbortSignal;
}

/**
 * Looks up the addresses of a host in all families at once. What goes wrong in one family takes nothing from the other; and
 * none of them can fill all places, so that a host without a working IPv6 is reached (RFC 3974 §3, RFC 5321 §5.2).
 */
export async function lookUpAddresses(host: string, request: AddressRequest): Promise<HostLookup> {
  const { resolver, families, most, signal } = request;
  const wanted = ([6, 4] as const).filter((family) => families.includes(family));
  const answers = await Promise.all(wanted.map((family) => resolver.addresses(host, family, signal)));
  const addresses = answers.flatMap((answer, index) => {
    const family = wanted[index] as 4 | 6;
    const records = answer.kind === 'found' ? answer.records.slice(0, most) : [];
    return records.map((address): HostAddress => ({ address, family }));
  });
  const found = answers.filter((answer) => answer.kind === 'found');
  const canonical = found[0]?.canonical;
  return {
    addresses,
    failed: answers.some(({ kind }) => kind === 'failed'),
    secure: found.length > 0 && found.every(({ secure }) => secure),
    ...(canonical === undefined ? {} : { canonical }),
  };
}
