import { isUtf8 } from 'node:buffer';

const unspecific = /^(?:us-)?ascii$|^$/i;

/** Reads octets in a charset; without one, or with one that is not known, as UTF-8 where they are that, else as Latin-1 (RFC 2045 §5.2). */
export function decodeCharset(octets: Uint8Array, charset: string): string {
  const label = unspecific.test(charset) ? undefined : charset;
  try {
    return new TextDecoder(label ?? (isUtf8(octets) ? 'utf-8' : 'latin1')).decode(octets);
  } catch {
    return decodeCharset(octets, '');
  }
}
