import { withoutControls } from '../bytes/without-controls.ts';
import type { Reply } from './reply.ts';

/** Octets of one reply line without its CRLF (RFC 5321 §4.5.3.1.5). */
const lineOctets = 510;
const space = 0x20;
const formatted = new WeakMap<Reply, string>();

/**
 * Writes a reply as lines of at most 512 octets, each with its CRLF; code and status stand on every line, a longer text
 * goes on in the next one (RFC 5321 §4.2.1, RFC 2034 §4). Throws RangeError for a code that is not 200 to 599.
 */
export function formatReply(reply: Reply): string {
  // Most replies are constants, sent thousands of times.
  let text = formatted.get(reply);
  if (text === undefined) {
    text = format(reply);
    formatted.set(reply, text);
  }
  return text;
}

function format({ code, status, lines }: Reply): string {
  if (!Number.isInteger(code) || code < 200 || code > 599) throw new RangeError(`${code} is no reply code`);
  // A status of another class than the code would tell two stories; clients believe either.
  const prefix = status?.charCodeAt(0) === String(code).charCodeAt(0) ? `${status} ` : '';
  const texts = lines.flatMap((line) => splitText(withoutControls(line), lineOctets - 4 - prefix.length));
  const last = texts.pop() ?? '';
  return `${texts.map((line) => `${code}-${prefix}${line}\r\n`).join('')}${code} ${prefix}${last}\r\n`;
}

function splitText(text: string, most: number): string[] {
  // Three octets at most for each UTF-16 unit.
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return [text];
  const pieces: string[] = [];
  let rest = Buffer.from(text, 'utf8');
  while (rest.length > most) {
    const blank = rest.subarray(0, most + 1).lastIndexOf(space);
    const end = blank > 0 ? blank : characterStart(rest, most);
    pieces.push(rest.toString('utf8', 0, end));
    rest = rest.subarray(blank > 0 ? end + 1 : end);
  }
  pieces.push(rest.toString('utf8'));
  return pieces;
}

/** The index of the first octet of the character that has an octet at `index`. */
function characterStart(utf8: Buffer, index: number): number {
  let start = index;
  while (((utf8[start] as number) & 0xc0) === 0x80) start--;
  return start;
}
