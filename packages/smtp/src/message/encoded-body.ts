import { isAscii } from 'node:buffer';
import { QuotedPrintableEncoder } from '../bytes/quoted-printable.ts';
import { Failure } from '../failure/failure.ts';
import { splitMessage } from './header.ts';
import type { AttachmentInput, PieceSource, TextInput } from './message-input.ts';
import { surveyOctets } from './octet-survey.ts';

/** A body and how it is encoded: ready to be written, or octets still to be written as base64 (RFC 2045 §6). */
export type EncodedBody =
  | { readonly encoding: '7bit' | '8bit' | 'quoted-printable'; readonly written: Buffer }
  | { readonly encoding: 'base64'; readonly octets: Buffer | PieceSource };

/** Encodes text as UTF-8 in a way that every host passes; throws Failure `invalid` for an unknown charset (RFC 2045 §6.7). */
export function encodeText(input: TextInput): EncodedBody {
  const octets = Buffer.from(readText(input).replace(/\r\n?|\n/g, '\r\n'));
  const survey = surveyOctets(octets);
  if (!survey.eightBit && !survey.binary) return { encoding: '7bit', written: octets };
  const encoder = new QuotedPrintableEncoder('text');
  const written = Buffer.concat([encoder.write(octets), encoder.end()]);
  // Mostly Latin text stays legible to those who read the source, at the price of a few octets.
  return written.length <= octets.length * 2
    ? { encoding: 'quoted-printable', written }
    : { encoding: 'base64', octets };
}

function readText(input: TextInput): string {
  if (typeof input === 'string') return input;
  const { content, charset } = Buffer.isBuffer(input) ? { content: input, charset: 'utf-8' } : input;
  try {
    return new TextDecoder(charset).decode(content);
  } catch (cause) {
    throw new Failure('invalid', `the charset ${JSON.stringify(charset)} is not known`, cause);
  }
}

/** Encodes a file so that it keeps every octet. */
export function encodeFile(content: AttachmentInput['content']): EncodedBody {
  return {
    encoding: 'base64',
    octets: typeof content === 'string' || content instanceof Uint8Array ? asBuffer(content) : content,
  };
}

/**
 * A message inside of a message may be neither base64 nor quoted-printable, unless its header is UTF-8; throws Failure
 * `invalid` when it has no form that mail can carry (RFC 2046 §5.2.1, RFC 6532 §3.7).
 */
export function encodeMessage(content: AttachmentInput['content']): {
  readonly mediaType: string;
  readonly body: EncodedBody;
} {
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
    throw new Failure('invalid', 'an attached message must be a string or octets, not a stream');
  }
  const written = withCrlf(asBuffer(content));
  if (!isAscii(splitMessage(written).header))
    return { mediaType: 'message/global', body: { encoding: 'base64', octets: written } };
  const survey = surveyOctets(written);
  if (survey.binary) throw new Failure('invalid', 'an attached message has NUL, or a line of more than 998 octets');
  return { mediaType: 'message/rfc822', body: { encoding: survey.eightBit ? '8bit' : '7bit', written } };
}

/** Files of messages have the line ends of their system; mail has its own (RFC 5322 §2.1). */
function withCrlf(octets: Buffer): Buffer {
  return surveyOctets(octets).bareLineEnd
    ? Buffer.from(octets.toString('latin1').replace(/\r\n?|\n/g, '\r\n'), 'latin1')
    : octets;
}

function asBuffer(content: string | Uint8Array): Buffer {
  if (typeof content === 'string') return Buffer.from(content);
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

/** Octets of lines of 76 characters with their CRLF (RFC 2045 §6.8). */
export function base64Length(octets: number): number {
  return Math.ceil(octets / 3) * 4 + Math.ceil(octets / 57) * 2;
}
