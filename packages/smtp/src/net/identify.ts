import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { Failure } from '../failure/failure.ts';

/** What a host shows in the handshake. */
export interface ShownCertificates {
  /** At least one: its own, then those of the authorities, each the issuer of the one before. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  /** OpenSSL's code for why the chain ends at no authority that is trusted here; undefined when it does. */
  readonly distrust?: string;
}

/** Why a certificate is not believed. */
export interface CertificateFault {
  readonly kind: 'name' | 'expired' | 'untrusted' | 'tlsa';
  readonly text: string;
}

/** Judges the certificates of a host; undefined: it is the host that is meant. */
export type Identify = (shown: ShownCertificates) => CertificateFault | undefined;

/** A handshake that ended because of the certificate. */
export class CertificateFailure extends Failure {
  readonly fault: CertificateFault['kind'];

  constructor({ kind, text }: CertificateFault) {
    super('tls', text);
    this.fault = kind;
  }
}

/**
 * Believes a certificate of a trusted authority for one of these names; `.example.org` stands for all below it. Only
 * alternative names count (RFC 9525 §6, RFC 8461 §4.1).
 */
export function identifyByName(names: readonly string[]): Identify {
  return ({ chain: [leaf], distrust }) => {
    if (distrust !== undefined) {
      const kind = distrust === 'CERT_HAS_EXPIRED' ? 'expired' : 'untrusted';
      return { kind, text: `the certificate is not trusted (${distrust})` };
    }
    return isFor(leaf, names, 'never') ? undefined : nameFault(leaf, names);
  };
}

/** Whether a certificate is for one of these names or addresses; `*` counts as a whole label alone (RFC 7672 §3.2.3). */
export function isFor(leaf: X509Certificate, names: readonly string[], subject: 'never' | 'default'): boolean {
  return names.some((name) => {
    const found = isIP(name) === 0 ? leaf.checkHost(name, { subject, partialWildcards: false }) : leaf.checkIP(name);
    return found !== undefined;
  });
}

/** That a certificate is for other names than those that are meant. */
export function nameFault(leaf: X509Certificate, names: readonly string[]): CertificateFault {
  const shown = leaf.subjectAltName ?? leaf.subject.replaceAll('\n', ', ');
  return { kind: 'name', text: `the certificate is not for ${names.join(' or ') || 'any name'}, but for ${shown}` };
}
