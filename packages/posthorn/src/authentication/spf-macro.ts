/** One piece of a macro string: text as it stands, or what is put in for a letter (RFC 7208 §7.1). */
type MacroPart =
  | string
  | {
      /** In lower case. */
      readonly letter: string;
      /** Whether the value is written for a URL. */
      readonly escaped: boolean;
      /** How many labels are kept, from the right; 0: all. */
      readonly labels: number;
      readonly reversed: boolean;
      readonly delimiters: string;
    };

/** A macro string that was read (RFC 7208 §7.1). */
export type MacroString = readonly MacroPart[];

/** Gives the value of a macro letter, in lower case. */
export type MacroValues = (letter: string) => Promise<string> | string;

const macro = /^%\{([slodiphcrtv])(\d*)(r?)([.\-+,/_=]*)\}/i;
const escapes: Readonly<Record<string, string>> = { '%%': '%', '%_': ' ', '%-': '%20' };
const topLabel = /^(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])$/i;

/** Reads a macro string; undefined when it is faulty. The letters c, r and t belong in explanations alone (RFC 7208 §7.1). */
export function parseMacroString(text: string, within: 'term' | 'explanation'): MacroString | undefined {
  const parts: MacroPart[] = [];
  const allowed = within === 'term' ? /^[!-~]*$/ : /^[ -~]*$/;
  if (!allowed.test(text)) return undefined;
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('%', at);
    const end = next < 0 ? text.length : next;
    if (end > at) parts.push(text.slice(at, end));
    if (next < 0) break;
    // No macro is longer; a longer look would make the whole quadratic.
    const window = text.slice(end, end + 64);
    const plain = escapes[window.slice(0, 2)];
    const found = plain === undefined ? readMacro(window, within) : undefined;
    if (plain === undefined && found === undefined) return undefined;
    parts.push(plain ?? (found as Macro).part);
    at = end + (plain === undefined ? (found as Macro).length : 2);
  }
  return parts;
}

interface Macro {
  readonly part: MacroPart;
  readonly length: number;
}

function readMacro(text: string, within: 'term' | 'explanation'): Macro | undefined {
  const [whole, letter, digits, reversed, delimiters] = macro.exec(text) ?? [];
  if (whole === undefined || letter === undefined) return undefined;
  const labels = Number(digits || '0');
  if ((digits !== '' && labels === 0) || (within === 'term' && /[crt]/i.test(letter))) return undefined;
  return {
    part: {
      letter: letter.toLowerCase(),
      escaped: letter !== letter.toLowerCase(),
      labels,
      reversed: reversed !== '',
      delimiters: delimiters || '.',
    },
    length: whole.length,
  };
}

/** Reads a domain of a term: a macro string that ends in a macro or in a label that no address has (RFC 7208 §7.1). */
export function parseDomainSpec(text: string): MacroString | undefined {
  const parts = parseMacroString(text, 'term');
  const last = parts?.at(-1);
  if (parts === undefined || last === undefined) return undefined;
  if (typeof last !== 'string') return parts;
  const trimmed = last.endsWith('.') ? last.slice(0, -1) : last;
  const dot = trimmed.lastIndexOf('.');
  return dot >= 0 && topLabel.test(trimmed.slice(dot + 1)) ? parts : undefined;
}

/** Puts the values into a macro string (RFC 7208 §7.3). */
export async function expandMacros(parts: MacroString, values: MacroValues): Promise<string> {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const { letter, escaped, labels, reversed, delimiters } = part;
    const pieces = splitAt(await values(letter), delimiters);
    if (reversed) pieces.reverse();
    const value = (labels === 0 ? pieces : pieces.slice(-labels)).join('.');
    text += escaped ? encodeURIComponent(value).replace(/[!'()*]/g, percent) : value;
  }
  return text;
}

function splitAt(value: string, delimiters: string): string[] {
  const pieces: string[] = [''];
  for (const character of value) {
    if (delimiters.includes(character)) pieces.push('');
    else pieces[pieces.length - 1] += character;
  }
  return pieces;
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
