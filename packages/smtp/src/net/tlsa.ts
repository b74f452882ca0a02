import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';

/** A TLSA record: what the certificate of a service, or its authority, is (RFC 6698 §2.1). */
export interface TlsaRecord {
  /** 2: an authority of the domain's own, 3: the certificate of the host itself; 0 and 1 are of no use for mail (RFC 7672 §3.1.3). */
  readonly usage: number;
  /** 0: the whole certificate, 1: its public key. */
  readonly selector: number;
  /** 0: as it is, 1: SHA-256, 2: SHA-512. */
  readonly matchingType: number;
  readonly data: Buffer;
}

const digests: Readonly<Record<number, { readonly name: string; readonly octets: number }>> = {
  1: { name: 'sha256', octets: 32 },
  2: { name: 'sha512', octets: 64 },
};

/** The records that a certificate can be held against (RFC 7672 §3.1, RFC 7671 §4). */
export function usableTlsa(records: readonly TlsaRecord[]): TlsaRecord[] {
  return records.filter((record) => {
    const { usage, selector, matchingType, data } = record;
    if ((usage !== 2 && usage !== 3) || selector > 1 || matchingType > 2) return false;
    const digest = digests[matchingType];
    if (digest !== undefined) return data.length === digest.octets;
    return tlsaCertificate(record) !== undefined || tlsaKey(record) !== undefined;
  });
}

/** Whether the record is for the certificate (RFC 6698 §2.1.2, RFC 6698 §2.1.3). */
export function matchesTlsa({ selector, matchingType, data }: TlsaRecord, certificate: X509Certificate): boolean {
  const octets = selector === 0 ? certificate.raw : keyOctets(certificate);
  const digest = digests[matchingType];
  const shown = digest === undefined ? octets : createHash(digest.name).update(octets).digest();
  return shown.equals(data);
}

/** The certificate that a record holds as a whole; undefined when it holds none. */
export function tlsaCertificate({ selector, matchingType, data }: TlsaRecord): X509Certificate | undefined {
  if (selector !== 0 || matchingType !== 0) return undefined;
  return orUndefined(() => new X509Certificate(data));
}

/** The public key that a record holds as a whole; undefined when it holds none. */
export function tlsaKey({ selector, matchingType, data }: TlsaRecord): KeyObject | undefined {
  if (selector !== 1 || matchingType !== 0) return undefined;
  return orUndefined(() => createPublicKey({ key: data, format: 'der', type: 'spki' }));
}

/** The form of a record in zone files and reports: `3 1 1 0a1b…` (RFC 6698 §2.2). */
export function formatTlsa({ usage, selector, matchingType, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${data.toString('hex')}`;
}

function keyOctets({ publicKey }: X509Certificate): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
