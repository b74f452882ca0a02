import { X509Certificate } from 'node:crypto';
import { Failure } from '../failure/failure.ts';
import type { TlsSettings } from './server-tls.ts';

/** Tells whether a certificate of ours is for a name: by its alternative names alone. Throws Failure `tls` (RFC 3887 §6). */
export function certifiedNames(settings: TlsSettings): (domain: string) => boolean {
  const certificates = [settings, ...Object.values(settings.names ?? {})].map(({ cert }) => readCertificate(cert));
  return (domain) => certificates.some((each) => each.checkHost(domain, { subject: 'never' }) !== undefined);
}

function readCertificate(cert: string | Buffer): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch (cause) {
    throw new Failure('tls', 'The certificate cannot be read', cause);
  }
}
