import { decodeCharset } from './decode-charset.ts';
import { decodeWords, percentOctets } from './decode-words.ts';

/** More pieces of one value than any program writes. */
const mostPieces = 200;

/**
 * The value of a parameter of Content-Type or Content-Disposition, whether it is written as a token, in numbered pieces,
 * with a charset, or, as many programs do against the standard, as encoded words (RFC 2231 §3, RFC 2231 §4).
 */
export function readParameter(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
  const whole = parameters.get(`${name}*`);
  if (whole !== undefined) return join([{ text: whole, extended: true }]);
  const pieces: Piece[] = [];
  for (let index = 0; index < mostPieces; index += 1) {
    const extended = parameters.get(`${name}*${index}*`);
    const text = extended ?? parameters.get(`${name}*${index}`);
    if (text === undefined) break;
    pieces.push({ text, extended: extended !== undefined });
  }
  if (pieces.length > 0) return join(pieces);
  const plain = parameters.get(name);
  return plain === undefined ? undefined : decodeWords(plain);
}

interface Piece {
  readonly text: string;
  /** With charset and language before the first piece, and octets as `%` and digits. */
  readonly extended: boolean;
}

function join(pieces: readonly Piece[]): string {
  const charset = pieces[0]?.extended ? /^([^']*)'[^']*'/.exec(pieces[0].text) : null;
  const octets = pieces.map(({ text, extended }, index) => {
    const value = index === 0 && charset !== null ? text.slice(charset[0].length) : text;
    return extended ? percentOctets(value) : Buffer.from(value);
  });
  return decodeCharset(Buffer.concat(octets), charset?.[1] ?? '');
}
