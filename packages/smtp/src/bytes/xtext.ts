import { parseUtf8 } from './utf8.ts';

const unsafe = /[^!-*,-<>-~]/g;
const wellFormed = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/;

/** Writes text as xtext: octets outside of 33 to 126, `+` and `=` become `+XX` (RFC 3461 §4). */
export function encodeXtext(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(unsafe, (octet) => `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Reads xtext; undefined when it is malformed or its octets are no UTF-8 (RFC 3461 §4). */
export function decodeXtext(text: string): string | undefined {
  if (!wellFormed.test(text)) return undefined;
  if (!text.includes('+')) return text;
  const octets = text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return parseUtf8(Buffer.from(octets, 'latin1'));
}
