import { decodeBase64Body } from '../bytes/base64.ts';
import { decodeCharset } from './decode-charset.ts';

const word = /=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=/gi;

/** Octets of words of one charset that stand side by side: a character may be cut between them. */
interface Run {
  readonly charset: string;
  readonly octets: Buffer[];
}

/** Reads the encoded words of an unstructured field or a display name; whatever is none stays (RFC 2047 §6.2). */
export function decodeWords(text: string): string {
  let decoded = '';
  let end = 0;
  let run: Run | undefined;
  const close = () => {
    if (run !== undefined) decoded += decodeCharset(Buffer.concat(run.octets), run.charset);
    run = undefined;
  };
  for (const match of text.matchAll(word)) {
    const [whole, label = '', encoding = '', payload = ''] = match;
    const gap = text.slice(end, match.index);
    const charset = label.replace(/\*.*$/, '').toLowerCase();
    if (run === undefined || run.charset !== charset || gap.trim() !== '') {
      const isBetween = run !== undefined && gap.trim() === '';
      close();
      if (!isBetween) decoded += gap;
    }
    run ??= { charset, octets: [] };
    run.octets.push(encoding.toLowerCase() === 'b' ? decodeBase64Body(Buffer.from(payload)) : unquote(payload));
    end = match.index + whole.length;
  }
  close();
  return decoded + text.slice(end);
}

/** The Q encoding (RFC 2047 §4.2). */
function unquote(payload: string): Buffer {
  return percentOctets(payload.replaceAll('_', ' ').replaceAll('%', '=25').replaceAll('=', '%'));
}

/** Octets of a text in which some are written as `%` and two hexadecimal digits (RFC 2231 §4). */
export function percentOctets(text: string): Buffer {
  const octets = Buffer.from(text);
  let length = 0;
  for (let at = 0; at < octets.length; at += 1) {
    const isEscape = octets[at] === 0x25 && /^[0-9a-f]{2}$/i.test(octets.toString('latin1', at + 1, at + 3));
    octets[length] = isEscape ? Number.parseInt(octets.toString('latin1', at + 1, at + 3), 16) : (octets[at] as number);
    if (isEscape) at += 2;
    length += 1;
  }
  return octets.subarray(0, length);
}
