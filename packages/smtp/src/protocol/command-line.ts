import { isUtf8 } from 'node:buffer';
import { decodeLine } from '../command/decode-line.ts';
import { fault } from '../command/fault.ts';
import type { Reply } from '../reply/reply.ts';
import { serverReply } from './server-reply.ts';

/** Octets of a command line with its CRLF: room for every parameter on offer (RFC 5321 §4.5.3.1.4, RFC 3461 §5). */
const commandLimit = 4096;

/** Octets of a line of an authentication exchange with its CRLF (RFC 4954 §4). */
export const authLineLimit = 12288;

/** What the line reader itself takes, so that a line that is only somewhat too long can still be told by its verb. */
export const lineLimit = authLineLimit + 2048;

const LF = 0x0a;
const printable = /^[\t\x20-\x7e]*$/;
const auth = /^auth(?:[ \t]|$)/i;

/** Reads the octets of a command line, or tells the reply they earn (RFC 5321 §4.1.2, RFC 6531 §3.3). */
export function readCommandLine(octets: Buffer): string | Reply {
  if (octets.length + 2 > commandLimit) {
    if (!auth.test(octets.toString('latin1', 0, 8))) return fault.lineTooLong;
    if (octets.length + 2 > authLineLimit) return serverReply.authLineTooLong;
  }
  const line = decodeLine(octets);
  if (line !== undefined) return line;
  if (octets.includes(LF)) return serverReply.bareLf;
  return isUtf8(octets) ? fault.syntax : fault.characters;
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
