/**
 * How far the text may use characters outside ASCII: `ascii` escapes them all and fits everywhere, `utf8` keeps them
 * and needs SMTPUTF8 on the way (RFC 6533 §3).
 */
export type UnitextForm = 'ascii' | 'utf8';

const special = /[\0- \\+=\x7f]/;
const specials = /[\0- \\+=\x7f]/g;
const specialsAndNonAscii = /[\0- \\+=\x7f]|[^\0-\x7f]/gu;

/** Writes an address of type `utf-8` for ORCPT or a report that is ASCII, as `\x{HEX}` escapes (RFC 6533 §3). */
export function formatUnitext(text: string, form: UnitextForm): string {
  return text.replace(form === 'ascii' ? specialsAndNonAscii : specials, escaped);
}

/** Reads any of the three forms of an address of type `utf-8`; undefined when an escape is malformed (RFC 6533 §3). */
export function parseUnitext(unitext: string): string | undefined {
  let out = '';
  let from = 0;
  for (let at = unitext.indexOf('\\'); at >= 0; at = unitext.indexOf('\\', from)) {
    const end = unitext.indexOf('}', at);
    const point = end < 0 || end - at > 9 ? undefined : hexPoint(unitext.slice(at, end + 1));
    if (point === undefined) return undefined;
    out += unitext.slice(from, at) + point;
    from = end + 1;
  }
  return out + unitext.slice(from);
}

function hexPoint(sequence: string): string | undefined {
  const digits =
    /^\\x\{(10[0-9A-F]{4}|[1-9A-F][0-9A-F]{4}|(?!D[89A-F])[1-9A-F][0-9A-F]{3}|[1-9A-F][0-9A-F]{2}|[0-9A-F]{2})\}$/i.exec(
      sequence,
    )?.[1];
  if (digits === undefined) return undefined;
  const character = String.fromCodePoint(Number.parseInt(digits, 16));
  // An escape exists only for what may not stand for itself: anything else is a second spelling of the same address.
  return character > '\x7f' || special.test(character) ? character : undefined;
}

function escaped(character: string): string {
  const point = character.codePointAt(0) as number;
  const isLoneSurrogate = point >= 0xd800 && point <= 0xdfff;
  return `\\x{${(isLoneSurrogate ? 0xfffd : point).toString(16).toUpperCase().padStart(2, '0')}}`;
}
