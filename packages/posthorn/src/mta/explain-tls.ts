import { readFileSync } from 'node:fs';
import { formatTlsa } from '@posthorn/smtp/net/tlsa';
import { type PlannedHosts, Route } from '../agents/route.ts';
import type { Config } from '../config/schema.ts';
import { createStubResolver } from '../dns/stub-resolver.ts';
import type { DomainTls } from '../routing/outbound-tls.ts';
import type { StsPolicy } from '../routing/sts-policy.ts';
import { openStsPolicies } from './open-sts-policies.ts';
import { createPolicy, ownAddresses } from './policy.ts';
import { relayOptionsOf } from './relay-options.ts';

/** How one host of a domain is spoken to, and why. */
export interface ExplainedHost {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Whether the DNS, or a policy, proves that it is a host of the domain. */
  readonly proven: boolean;
  readonly tls: PlannedHosts['plans'][number]['tls'];
  readonly because: string;
  /** The TLSA records that count, in the form of zone files, and the name they are for; absent where none were asked for. */
  readonly tlsa?: { readonly found: string; readonly base: string; readonly records: readonly string[] };
}

/** Which policy of TLS holds for mail to a domain, and what it means for each host. */
export interface TlsExplanation {
  readonly domain: string;
  /** Where its mail goes: `mx:example.org`, or what a route says. */
  readonly way: string;
  /** What the configuration says of the domain. */
  readonly configured: DomainTls;
  readonly validating: boolean;
  /** The policy of MTA-STS in force. */
  readonly policy?: StsPolicy;
  /** Why a policy that is offered could not be fetched. */
  readonly policyFault?: string;
  /** In the order they are tried. */
  readonly hosts: readonly ExplainedHost[];
  /** Why there is no host. */
  readonly noHost?: string;
}

const patience = 90_000;

/** Finds out how mail to a domain would be sent now, and sends nothing. Throws Failure for a configuration of no use. */
export async function explainTls(domain: string, config: Config): Promise<TlsExplanation> {
  const policy = createPolicy(config);
  const hop = policy.route(`postmaster@${domain}`);
  const about = { domain, way: hop.key, configured: policy.tlsFor(domain), validating: config.dns.validating };
  const isRelayed = hop.kind === 'mx' || ((hop.kind === 'smtp' || hop.kind === 'lmtp') && hop.path === undefined);
  if (!isRelayed) return { ...about, hosts: [], noHost: 'its mail goes to no other host' };
  const resolver = createStubResolver(config.dns);
  const authorities = config.authorities === undefined ? undefined : readFileSync(config.authorities);
  const log = { error: () => undefined };
  const sts = await openStsPolicies({ config, resolver, authorities, log, now: Date.now }, { readOnly: true });
  const parts = { config, resolver, ownAddresses: ownAddresses(), now: Date.now, policy: () => policy, sts };
  const planned = await new Route(relayOptionsOf(parts)).plan(hop, {}, AbortSignal.timeout(patience));
  await sts?.close();
  if (planned.kind === 'outcome') return { ...about, hosts: [], noHost: planned.text };
  const found = planned.plans[0]?.found.sts;
  return {
    ...about,
    ...(found?.policy === undefined ? {} : { policy: found.policy }),
    ...(found?.failed === undefined ? {} : { policyFault: `${found.failed.fault}: ${found.failed.text}` }),
    hosts: planned.hosts.map((_, index) => explainHost(planned, index)),
  };
}

function explainHost({ hosts, plans }: PlannedHosts, index: number): ExplainedHost {
  const host = hosts[index] as PlannedHosts['hosts'][number];
  const { tls, because, proven, found } = plans[index] as PlannedHosts['plans'][number];
  const { tlsa } = found;
  return {
    name: host.name,
    addresses: host.addresses.map(({ address }) => address),
    proven,
    tls,
    because,
    ...(tlsa === undefined
      ? {}
      : { tlsa: { found: tlsa.dane, base: tlsa.base, records: tlsa.records.map(formatTlsa) } }),
  };
}
