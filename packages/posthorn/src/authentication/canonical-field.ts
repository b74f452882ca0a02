import type { HeaderField } from '@posthorn/smtp/message/header';

/** How a header or a body is brought into the form that is signed (RFC 6376 §3.4). */
export type CanonicalForm = 'simple' | 'relaxed';

/** A field in the form that is signed, as Latin-1, without the line end of its last line (RFC 6376 §3.4.1, RFC 6376 §3.4.2). */
export function canonicalField(field: string, form: CanonicalForm): string {
  const text = field.endsWith('\r\n') ? field.slice(0, -2) : field.endsWith('\n') ? field.slice(0, -1) : field;
  if (form === 'simple') return text;
  const colon = text.indexOf(':');
  const name = text.slice(0, colon).trimEnd().toLowerCase();
  const value = text
    .slice(colon + 1)
    .replace(/\r?\n/g, '')
    .replace(/[ \t]+/g, ' ');
  return `${name}:${value.replace(/^ | $/g, '')}`;
}

/** A signature field without the value of its tag b, as it is signed (RFC 6376 §3.7). */
export function withoutSignature(field: string): string {
  const colon = field.indexOf(':') + 1;
  const value = field.slice(colon).replace(/(^|;)([ \t\r\n]*b[ \t\r\n]*=)[^;]*/, '$1$2');
  return field.slice(0, colon) + value;
}

/**
 * The fields that a signature names, the last of a name first; what is named more often than it is there adds nothing
 * (RFC 6376 §5.4.2).
 */
export function chooseFields(fields: readonly HeaderField[], names: readonly string[]): HeaderField[] {
  const byName = new Map<string, HeaderField[]>();
  for (const field of fields) {
    const same = byName.get(field.name);
    if (same === undefined) byName.set(field.name, [field]);
    else same.push(field);
  }
  return names.flatMap((name) => byName.get(name.toLowerCase())?.pop() ?? []);
}

/** What a signature is made of: the fields it names, then itself without its value and last line end (RFC 6376 §3.7). */
export function signedText(chosen: readonly HeaderField[], signature: string, form: CanonicalForm): Buffer {
  const fields = chosen.map(({ raw }) => `${canonicalField(raw.toString('latin1'), form)}\r\n`);
  return Buffer.from(fields.join('') + canonicalField(withoutSignature(signature), form), 'latin1');
}
