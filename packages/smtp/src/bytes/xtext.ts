const unsafe = /[^!-*,-<>-~]/g;

/** Writes text as xtext: octets outside of 33 to 126, `+` and `=` become `+XX` (RFC 3461 §4). */
export function encodeXtext(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(unsafe, (octet) => `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Reads xtext; undefined when it is malformed or its octets are no UTF-8 (RFC 3461 §4). */
export function decodeXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(text)) return undefined;
  const octets = text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const decoded = Buffer.from(octets, 'latin1').toString('utf8');
  return decoded.includes('\ufffd') ? undefined : decoded;
}
