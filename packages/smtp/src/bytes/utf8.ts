import { isUtf8 } from 'node:buffer';

/** Reads octets as UTF-8; undefined when they are none: overlong forms, surrogates and cut sequences too (RFC 3629 §3). */
export function parseUtf8(octets: Uint8Array): string | undefined {
  if (!isUtf8(octets)) return undefined;
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('utf8');
}
