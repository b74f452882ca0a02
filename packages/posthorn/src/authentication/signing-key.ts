import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { type SignatureAlgorithm, sha256 } from './public-key.ts';

/** A key of our own, and where the name system has its other half (RFC 6376 §3.6.2.1). */
export interface SigningKey {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: SignatureAlgorithm;
  readonly key: KeyObject;
}

/** Bits of RSA that are signed with, at least: with fewer some believe no signature (RFC 8301 §3.2). */
const leastBits = 1024;

/** Reads a private key in PEM; the text says what is wrong with it (RFC 8301 §3.2, RFC 8463 §4). */
export function parseSigningKey(pem: string, domain: string, selector: string): SigningKey | string {
  const key = readPem(pem);
  if (key === undefined) return 'is no private key in PEM without a pass phrase';
  if (key.asymmetricKeyType === 'ed25519') return { domain, selector, algorithm: 'ed25519-sha256', key };
  if (key.asymmetricKeyType !== 'rsa') return 'is neither an RSA nor an Ed25519 key';
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < leastBits) return `is too short: ${bits} bits`;
  return { domain, selector, algorithm: 'rsa-sha256', key };
}

/** The signature of octets (RFC 6376 §3.3.2, RFC 8463 §3). */
export function signOctets({ algorithm, key }: SigningKey, octets: Buffer): Buffer {
  return algorithm === 'rsa-sha256' ? sign('sha256', octets, key) : sign(null, sha256(octets), key);
}

/** The record that the name system has to have for a key, in one string (RFC 6376 §3.6.1, RFC 8463 §4). */
export function formatKeyRecord({ algorithm, key }: Pick<SigningKey, 'algorithm' | 'key'>): string {
  const other = createPublicKey(key);
  if (algorithm === 'rsa-sha256') {
    return `v=DKIM1; k=rsa; p=${other.export({ type: 'spki', format: 'der' }).toString('base64')}`;
  }
  const { x = '' } = other.export({ format: 'jwk' });
  return `v=DKIM1; k=ed25519; p=${Buffer.from(x, 'base64url').toString('base64')}`;
}

function readPem(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
