import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { ownFamilies } from '../agents/own-families.ts';
import type { RouteOptions } from '../agents/route.ts';
import type { StsPolicies } from '../agents/sts-policies.ts';
import type { TlsReporting } from '../agents/tls-sessions.ts';
import type { Config } from '../config/schema.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Policy } from './policy.ts';

/** What finding the way to other hosts is made from. */
export interface RelayParts {
  readonly config: Config;
  readonly resolver: Resolver;
  readonly ownAddresses: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The policy in force. */
  readonly policy: () => Pick<Policy, 'tlsFor'>;
  /** Absent: nobody asks for the policies of domains. */
  readonly sts?: StsPolicies | undefined;
  /** Absent: nobody counts sessions. */
  readonly tlsReporting?: TlsReporting | undefined;
}

/** How the way to other hosts is found under a configuration. */
export function relayOptionsOf({
  config,
  resolver,
  ownAddresses,
  now,
  policy,
  sts,
  tlsReporting,
}: RelayParts): RouteOptions {
  const { hostname, authorities, dns } = config;
  return {
    name: hostname,
    resolver,
    ownNames: [hostname],
    ownAddresses,
    families: ownFamilies(networkInterfaces()),
    now,
    chance: Math.random,
    tlsFor: (domain) => policy().tlsFor(domain),
    dane: dns.validating,
    ...(sts === undefined ? {} : { sts }),
    ...(tlsReporting === undefined ? {} : { tlsReporting }),
    ...(authorities === undefined ? {} : { tlsMaterial: { ca: readFileSync(authorities) } }),
  };
}
