import { Failure } from '../failure/failure.ts';

/** What a code may be: digits, perhaps in two groups, or capitals and digits mixed. */
const candidate =
  /(?<![\p{L}\p{N}_.,:/$€£#-])(?:[0-9]{3}[ -][0-9]{3}|[0-9]{4,8}|[A-Z0-9]{4,8}|[A-Z0-9]{4}-[A-Z0-9]{4})(?![\p{L}\p{N}_:/%€-]|[.,][0-9])/gu;
const word =
  /\b(?:pass)?codes?\b|\bpin\b|\botp\b|\bpasswor[dt]|\bcódigo|\bcodice\b|\bkod\b|код|コード|验证码|驗證碼/giu;
/** Characters between the word and the code. */
const near = 60;
const far = 200;
/** Characters of a message that are looked at. */
const longest = 20_000;

interface Found {
  readonly value: string;
  readonly start: number;
  readonly end: number;
  /** Alone in its line. */
  readonly alone: boolean;
}

/**
 * The one-time code of a message: 4 to 8 digits or capitals and digits, next to a word such as code or PIN in its
 * sentence; else alone in a line behind such a word; else alone in a line. Throws Failure `invalid` when there is none, or
 * several stand equally near.
 */
export function findCode(text: string): string {
  const plain = text.slice(0, longest).replace(/\b[a-z][a-z0-9+.-]{1,20}:\/\/\S+/gi, ' ');
  const codes = Array.from(plain.matchAll(candidate), (match) => found(plain, match)).filter(({ value }) =>
    /\d/.test(value),
  );
  const words = Array.from(plain.matchAll(word), ({ 0: { length }, index }) => ({ start: index, end: index + length }));
  for (const choose of [beside, below, alone]) {
    const chosen = [...new Set(choose(plain, codes, words))];
    if (chosen.length > 1) throw new Failure('invalid', `The mail has several codes: ${chosen.join(', ')}`);
    if (chosen[0] !== undefined) return chosen[0];
  }
  const seen =
    codes.length === 0 ? '' : `; nothing says which of these is one: ${codes.map(({ value }) => value).join(', ')}`;
  throw new Failure('invalid', `The mail has no code${seen}`);
}

type Word = Pick<Found, 'start' | 'end'>;

function found(text: string, { 0: whole, index }: RegExpExecArray): Found {
  const end = index + whole.length;
  const lineStart = text.lastIndexOf('\n', index - 1) + 1;
  const lineEnd = text.indexOf('\n', end);
  const isAlone = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).trim() === whole;
  return { value: whole.replace(/^(\d{3})[ -](\d{3})$/, '$1$2'), start: index, end, alone: isAlone };
}

/** In the sentence of a word: the first behind it, or where there is none the last before it. */
function beside(text: string, codes: readonly Found[], words: readonly Word[]): string[] {
  const isOneSentence = (from: number, to: number) =>
    to - from <= near && !/[.!?]\s|\n\s*\n/.test(text.slice(from, to));
  return words.flatMap(({ start, end }) => {
    const behind = codes.find((code) => code.start >= end && isOneSentence(end, code.start));
    const before = codes.findLast((code) => code.end <= start && isOneSentence(code.end, start));
    return (behind ?? before)?.value ?? [];
  });
}

/** Alone in its line, not too far behind a word. */
function below(_: string, codes: readonly Found[], words: readonly Word[]): string[] {
  return codes
    .filter((code) => code.alone && words.some(({ end }) => code.start >= end && code.start - end <= far))
    .map(({ value }) => value);
}

function alone(_: string, codes: readonly Found[]): string[] {
  return codes.filter((code) => code.alone).map(({ value }) => value);
}
