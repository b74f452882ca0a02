/** How an address is read: with `utf8` letters outside of ASCII may stand in it (RFC 6531 §3.3). */
export interface AddressRules {
  readonly utf8?: boolean;
}

const atext = "A-Za-z0-9!#$%&'*+\\-/=?^_`{|}~";
// Neither C1 controls nor halves of a surrogate pair.
const beyondAscii = '\\u{a0}-\\u{d7ff}\\u{e000}-\\u{10ffff}';

function dotString(characters: string): RegExp {
  return new RegExp(`^[${characters}]+(?:\\.[${characters}]+)*$`, 'u');
}

function quotedString(beyond: string): RegExp {
  return new RegExp(`^"(?:[ !#-\\[\\]-~${beyond}]|\\\\[ -~])*"$`, 'u');
}

const asciiForms = { dotString: dotString(atext), quotedString: quotedString('') };
const utf8Forms = { dotString: dotString(atext + beyondAscii), quotedString: quotedString(beyondAscii) };

/** The index behind the closing quote of the quoted string that begins at `from`; -1 when it has none. */
export function quotedEnd(text: string, from = 0): number {
  for (let index = from + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 0x5c) index += 1;
    else if (code === 0x22) return index + 1;
  }
  return -1;
}

/** Reads a local-part, dot-string or quoted, as it is meant; undefined when it is faulty (RFC 5321 §4.1.2). */
export function parseLocalPart(text: string, rules: AddressRules = {}): string | undefined {
  const forms = rules.utf8 ? utf8Forms : asciiForms;
  if (!text.startsWith('"')) return forms.dotString.test(text) ? text : undefined;
  return forms.quotedString.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : undefined;
}

/** Writes a local-part with the least quoting that is valid (RFC 5321 §4.1.2). */
export function formatLocalPart(localPart: string): string {
  return utf8Forms.dotString.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`;
}
