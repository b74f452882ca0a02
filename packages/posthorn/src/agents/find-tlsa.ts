import { type TlsaRecord, usableTlsa } from '@posthorn/smtp/net/tlsa';
import type { Resolver } from '../dns/resolver.ts';
import type { DaneFinding } from '../routing/decide-tls.ts';
import type { MailHost } from './find-hosts.ts';

/** The TLSA records of a host. */
export interface FoundTlsa {
  readonly dane: Exclude<DaneFinding, 'off'>;
  /** The usable ones. */
  readonly records: readonly TlsaRecord[];
  /** The name that they are for, which the host is asked for in the handshake (RFC 7672 §8.1). */
  readonly base: string;
}

/** Whose records are asked for. */
export interface TlsaQuery {
  readonly host: MailHost;
  readonly port: number;
  readonly signal: AbortSignal;
}

/**
 * Finds the TLSA records of a host: under the name that its aliases lead to, then under its own; only where the way to
 * them is proven, as servers of unsigned zones often choke on these queries (RFC 7672 §2.2.2, RFC 7672 §2.2.3).
 */
export async function findTlsa({ host, port, signal }: TlsaQuery, resolver: Resolver): Promise<FoundTlsa> {
  const { name, unproven } = host;
  const bases = unproven ? [] : await basesOf(host, resolver, signal);
  if (bases === undefined) return { dane: 'failed', records: [], base: name };
  for (const base of bases) {
    const answer = await resolver.tlsa(`_${port}._tcp.${base}`, signal);
    if (answer.kind === 'failed') return { dane: 'failed', records: [], base };
    if (answer.kind !== 'found' || !answer.secure) continue;
    const records = usableTlsa(answer.records);
    return { dane: records.length > 0 ? 'usable' : 'unusable', records, base };
  }
  return { dane: 'absent', records: [], base: name };
}

/** The names that records may stand under; undefined when it cannot be found out. */
async function basesOf(
  { name, secure, canonical }: MailHost,
  resolver: Resolver,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (secure) return canonical === undefined ? [name] : [canonical, name];
  if (canonical === undefined) return [];
  const alias = await resolver.alias(name, signal);
  if (alias.kind === 'failed') return undefined;
  return alias.kind === 'found' && alias.secure ? [name] : [];
}
