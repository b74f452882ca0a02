import { parseUtf8 } from '../bytes/utf8.ts';

const plain = /^[\t -~]*$/;
const control = /(?!\t)\p{Cc}/u;

/**
 * Reads the octets of a command line without its CRLF, ASCII or UTF-8; undefined when they are neither, or have control
 * characters other than TAB. Whether letters outside of ASCII are permitted depends on SMTPUTF8 (RFC 5321 §4.1.2, RFC 6531 §3.3).
 */
export function decodeLine(octets: Buffer): string | undefined {
  const ascii = octets.toString('latin1');
  if (plain.test(ascii)) return ascii;
  const text = parseUtf8(octets);
  return text === undefined || control.test(text) ? undefined : text;
}
