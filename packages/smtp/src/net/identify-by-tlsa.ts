import type { X509Certificate } from 'node:crypto';
import { type CertificateFault, type Identify, isFor, nameFault } from './identify.ts';
import { matchesTlsa, type TlsaRecord, tlsaCertificate, tlsaKey } from './tlsa.ts';

/** What a certificate is held against. */
export interface TlsaIdentity {
  /** Usable ones, see `usableTlsa`; at least one. */
  readonly records: readonly TlsaRecord[];
  /** The names that count where the record is for an authority (RFC 7672 §3.2.3). */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Believes a host by its TLSA records: with usage 3 the certificate itself, whatever names and dates are in it, with
 * usage 2 one of these names under an authority that a record names (RFC 7672 §3.1.1, RFC 7672 §3.1.2).
 */
export function identifyByTlsa({ records, names, now }: TlsaIdentity): Identify {
  const own = records.filter(({ usage }) => usage === 3);
  const authorities = records.filter(({ usage }) => usage === 2);
  return ({ chain }) => {
    const [leaf] = chain;
    if (own.some((record) => matchesTlsa(record, leaf))) return undefined;
    if (authorities.length === 0) return mismatch;
    const fault = chainFault(chain, authorities, now());
    if (fault !== undefined) return fault;
    return isFor(leaf, names, 'default') ? undefined : nameFault(leaf, names);
  };
}

const mismatch: CertificateFault = { kind: 'tlsa', text: 'the certificate is none that the TLSA records name' };
const serverPurposes = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];
const longestChain = 10;

/**
 * Why the chain leads to no authority of the records (RFC 5280 §6.1). Node tells no constraints on the length of a path or
 * on names: an authority that the domain names itself may certify what it likes.
 */
function chainFault(
  chain: readonly X509Certificate[],
  records: readonly TlsaRecord[],
  now: number,
): CertificateFault | undefined {
  const purposes: readonly string[] | undefined = chain[0]?.keyUsage;
  if (purposes !== undefined && !purposes.some((purpose) => serverPurposes.includes(purpose))) {
    return { kind: 'untrusted', text: 'the certificate is not for servers' };
  }
  for (const [depth, certificate] of chain.slice(0, longestChain).entries()) {
    if (!isCurrent(certificate, now)) return { kind: 'expired', text: 'a certificate of the chain is not valid now' };
    if (depth > 0) {
      const below = chain[depth - 1] as X509Certificate;
      if (!certificate.ca || !isIssued(below, certificate)) return mismatch;
      if (records.some((record) => matchesTlsa(record, certificate))) return undefined;
    }
    // An authority that the record holds as a whole need not be sent (RFC 7672 §3.1.2).
    if (records.some((record) => isIssuedByRecord(certificate, record, now))) return undefined;
  }
  return mismatch;
}

function isIssuedByRecord(certificate: X509Certificate, record: TlsaRecord, now: number): boolean {
  const authority = tlsaCertificate(record);
  if (authority !== undefined) return authority.ca && isCurrent(authority, now) && isIssued(certificate, authority);
  const key = tlsaKey(record);
  return key !== undefined && certificate.verify(key);
}

function isIssued(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

function isCurrent({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo);
}
