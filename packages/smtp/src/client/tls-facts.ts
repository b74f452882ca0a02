import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/** What a TLS connection and the certificate of its host show. */
export interface TlsFacts {
  /** As `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher: string;
  /** Whether the certificate is trusted and for the host that was asked for; else `reason` says why not. */
  readonly verified: boolean;
  readonly reason?: string;
  readonly subject: string;
  readonly issuer: string;
  /** As Node writes them: `DNS:mx.example.org, IP Address:192.0.2.1`. */
  readonly names: string;
  /** As Node writes them: `Nov 21 10:00:00 2027 GMT`. */
  readonly validFrom: string;
  readonly validTo: string;
  /** SHA-256, in hex with colons. */
  readonly fingerprint: string;
}

/** Reads the facts of a stream; undefined when it is in clear text. */
export function tlsFactsOf(stream: Duplex): TlsFacts | undefined {
  if (!(stream instanceof TLSSocket)) return undefined;
  const { subject, issuer, subjectaltname, valid_from, valid_to, fingerprint256 } = stream.getPeerCertificate();
  const reason: unknown = stream.authorizationError;
  return {
    protocol: stream.getProtocol() ?? 'unknown',
    cipher: stream.getCipher().name,
    verified: stream.authorized,
    ...(stream.authorized || !reason ? {} : { reason: reason instanceof Error ? reason.message : String(reason) }),
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: subjectaltname ?? '',
    validFrom: valid_from ?? '',
    validTo: valid_to ?? '',
    fingerprint: fingerprint256 ?? '',
  };
}

/** `CN=mx.example.org, O=Example`; a part that stands several times is written so. */
function nameOf(parts: object | undefined): string {
  return Object.entries(parts ?? {})
    .flatMap(([key, value]) => [value].flat().map((each) => `${key}=${each}`))
    .join(', ');
}
