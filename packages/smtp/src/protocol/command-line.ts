import { parseUtf8 } from '../bytes/utf8.ts';
import { fault } from '../command/fault.ts';
import type { Reply } from '../reply/reply.ts';
import { serverReply } from './server-reply.ts';

/** Octets of a command line with its CRLF: room for every parameter on offer (RFC 5321 §4.5.3.1.4, RFC 3461 §5). */
export const commandLimit = 4096;

/** Octets of a line of an authentication exchange with its CRLF (RFC 4954 §4). */
export const authLineLimit = 12288;

/** What the line reader itself takes, so that a line that is only somewhat too long can still be told by its verb. */
export const lineLimit = authLineLimit + 2048;

const control = /(?!\t)\p{Cc}/u;
const printable = /^[\t\x20-\x7e]*$/;
const auth = /^auth(?:[ \t]|$)/i;

/** Reads the octets of a command line, or tells the reply they earn (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export function readCommandLine(octets: Buffer): string | Reply {
  const ascii = octets.toString('latin1');
  if (octets.length + 2 > commandLimit) {
    if (!auth.test(ascii)) return fault.lineTooLong;
    if (octets.length + 2 > authLineLimit) return serverReply.authLineTooLong;
  }
  if (printable.test(ascii)) return ascii;
  if (ascii.includes('\n')) return serverReply.bareLf;
  const text = parseUtf8(octets);
  if (text === undefined) return fault.characters;
  return control.test(text) ? fault.syntax : text;
}

/** Whether text is all ASCII. */
export function isAscii(text: string): boolean {
  return printable.test(text);
}

const otherProtocol = /^(?:(?:GET|POST|CONNECT|HEAD|PUT|OPTIONS)(?:[ \t]|$)|[!-9;-~]+:|[^a-z])/i;

/**
 * Whether the line, which is no command, belongs to another protocol whose client was tricked into speaking to a mail
 * server: a request of HTTP, a header field, or something that does not begin with a letter.
 */
export function isOtherProtocol(octets: Buffer): boolean {
  return otherProtocol.test(octets.toString('latin1', 0, 128));
}
