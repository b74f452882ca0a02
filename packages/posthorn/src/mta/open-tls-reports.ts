import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { ownFamilies } from '../agents/own-families.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import type { Log } from './log.ts';
import type { StsParts } from './open-sts-policies.ts';
import { TlsReports } from './tls-reports.ts';
import { TlsTally } from './tls-tally.ts';

/** What reports on TLS are made with. */
export interface TlsReportingParts extends StsParts {
  readonly store: Pick<QueueStore, 'draft' | 'release'>;
  readonly log: Log;
  /** Tells that the queue has something new. */
  readonly wake: () => void;
}

/** The reports on TLS; undefined where the configuration wants none. Rejects as the file system does. */
export async function openTlsReports(parts: TlsReportingParts): Promise<TlsReports | undefined> {
  const { config, authorities, now, ...others } = parts;
  const { tlsReports, dataDir, hostname } = config;
  if (tlsReports === undefined) return undefined;
  return new TlsReports({
    ...others,
    ...tlsReports,
    hostname,
    now,
    tally: await TlsTally.open(join(dataDir, 'tls-reports'), now),
    chance: Math.random,
    families: ownFamilies(networkInterfaces()),
    ...(authorities === undefined ? {} : { tlsMaterial: { ca: authorities } }),
  });
}
