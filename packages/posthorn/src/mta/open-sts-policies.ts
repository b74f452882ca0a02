import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fetchStsPolicy } from '../agents/fetch-sts-policy.ts';
import { ownFamilies } from '../agents/own-families.ts';
import { StsCache } from '../agents/sts-cache.ts';
import { StsPolicies } from '../agents/sts-policies.ts';
import type { Config } from '../config/schema.ts';
import type { Resolver } from '../dns/resolver.ts';
import type { Log } from './log.ts';

/** What the policies of domains are found with. */
export interface StsParts {
  readonly config: Config;
  readonly resolver: Resolver;
  /** PEM of the authorities that are trusted, in place of those that Node knows. */
  readonly authorities: Buffer | undefined;
  readonly log: Pick<Log, 'error'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The policies of domains about TLS; undefined where the configuration does not want them. Rejects as the file system does. */
export async function openStsPolicies(parts: StsParts, { readOnly = false } = {}): Promise<StsPolicies | undefined> {
  const { config, resolver, authorities, log, now } = parts;
  if (!config.outboundTls.mtaSts) return undefined;
  const cache = await StsCache.open(join(config.dataDir, 'mta-sts'), { readOnly });
  const families = ownFamilies(networkInterfaces());
  const tlsMaterial = authorities === undefined ? {} : { tlsMaterial: { ca: authorities } };
  const policies = new StsPolicies({
    resolver,
    fetch: (domain) => fetchStsPolicy(domain, { resolver, families, ...tlsMaterial }),
    cache,
    now,
    onError: (error) => log.error({ err: error }, 'a policy of MTA-STS cannot be kept'),
  });
  if (!readOnly) void policies.refresh();
  return policies;
}
