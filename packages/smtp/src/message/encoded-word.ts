import { foldField } from './fold.ts';

/** Characters of one encoded word, so that the first fits beside the name of its field; 75 are allowed (RFC 2047 §2). */
const longestWord = 62;
const payload = longestWord - '=?utf-8?q??='.length;
const base64Octets = Math.floor(payload / 4) * 3;

/** What stands for itself in an encoded word wherever that stands, a display name too (RFC 2047 §5). */
const plain = /^[a-zA-Z0-9!*+/-]$/;
/** A word that goes as it is: it looks like no encoded word, and a line has room for it. */
const plainWord = /^[!-~]{1,900}$/;

/** Encodes text as words for a reader to join, each of whole characters; lone surrogates become U+FFFD (RFC 2047 §5). */
export function encodeWords(text: string): string[] {
  const characters = Array.from(text, (character) => character.replace(/\p{Cs}/u, '\ufffd'));
  const quoted = characters.map(quote);
  const octets = Buffer.byteLength(characters.join(''));
  // Mostly Latin text stays legible to those who read the source, at the price of a few octets.
  const isLegible = quoted.reduce((sum, each) => sum + each.length, 0) <= octets * 2.5;
  if (isLegible) return fill(quoted, payload, (each) => each.length).map((word) => `=?utf-8?q?${word}?=`);
  const words = fill(characters, base64Octets, (each) => Buffer.byteLength(each));
  return words.map((word) => `=?utf-8?b?${Buffer.from(word).toString('base64')}?=`);
}

/** Writes a field of free text, encoding only from the first to the last word that needs it (RFC 2047 §5). */
export function formatTextField(name: string, text: string): string {
  const words = text.split(' ');
  const isPlain = (word: string) => plainWord.test(word) && !word.includes('=?');
  const first = words.findIndex((word) => !isPlain(word));
  if (first < 0 || text === '') return foldField(name, text === '' ? [] : words);
  const last = words.findLastIndex((word) => !isPlain(word));
  const encoded = encodeWords(words.slice(first, last + 1).join(' '));
  return foldField(name, [...words.slice(0, first), ...encoded, ...words.slice(last + 1)]);
}

function quote(character: string): string {
  if (plain.test(character)) return character;
  if (character === ' ') return '_';
  return Array.from(Buffer.from(character), (octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`).join(
    '',
  );
}

/** Joins pieces up to the room of a word. */
function fill(pieces: readonly string[], room: number, measure: (piece: string) => number): string[] {
  const words: string[] = [];
  let word = '';
  let length = 0;
  for (const piece of pieces) {
    const more = measure(piece);
    if (length + more > room) {
      words.push(word);
      word = '';
      length = 0;
    }
    word += piece;
    length += more;
  }
  return [...words, word];
}
