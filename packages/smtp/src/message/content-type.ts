import { commentEnd } from './comment-end.ts';

/** A media type and its parameters (RFC 2045 §5.1). */
export interface ContentType {
  /** Type and subtype in lower case, as `text/plain`. */
  readonly mediaType: string;
  /** By name in lower case; the first wins where one is given twice. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Longer values are cut: they name no type, and their parameters are no use. */
const longestValue = 8192;

const tokens = /"((?:[^"\\]|\\.)*)"?|([^\s"();=,]+)|([;=])|\(/gs;

interface Word {
  readonly text: string;
  /** A semicolon or equals sign outside of quotes. */
  readonly separates: boolean;
}

/** Reads a Content-Type value, or a Content-Disposition, tolerant of faults; undefined when it names none (RFC 2045 §5.1). */
export function parseContentType(value: string): ContentType | undefined {
  const words = readWords(value.slice(0, longestValue));
  const first = words[0];
  if (first === undefined || first.separates) return undefined;
  const parameters = new Map<string, string>();
  for (let at = 1; at < words.length; at += 1) {
    const [before, name, equals, text] = words.slice(at - 1, at + 3);
    if (!separates(before, ';') || name === undefined || name.separates || !separates(equals, '=')) continue;
    const key = name.text.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, text === undefined || text.separates ? '' : text.text);
  }
  return { mediaType: first.text.toLowerCase(), parameters };
}

function separates(word: Word | undefined, text: string): boolean {
  return word?.separates === true && word.text === text;
}

function readWords(value: string): Word[] {
  const reader = new RegExp(tokens);
  const words: Word[] = [];
  for (let match = reader.exec(value); match !== null; match = reader.exec(value)) {
    const [, quoted, token, separator] = match;
    const text = quoted?.replace(/\\(.)/gs, '$1') ?? token ?? separator;
    if (text === undefined) {
      const end = commentEnd(value, match.index);
      reader.lastIndex = end === -1 ? value.length : end;
    } else words.push({ text, separates: separator !== undefined });
  }
  return words;
}
