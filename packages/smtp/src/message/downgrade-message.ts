import { isAscii } from 'node:buffer';
import { downgradeField } from './downgrade-field.ts';
import { fieldValue, headerFields, splitMessage } from './header.ts';
import { type MimePart, MimeScanner } from './mime-scanner.ts';

/** What parts that hold fields or messages in UTF-8 are called when these are ASCII (RFC 6533 §6, RFC 6532 §3.7). */
const asciiTypes: Readonly<Record<string, string>> = {
  'message/global': 'message/rfc822',
  'message/global-headers': 'text/rfc822-headers',
  'message/global-delivery-status': 'message/delivery-status',
  'message/global-disposition-notification': 'message/disposition-notification',
};

/** Parts whose bodies are fields in groups. */
const fieldTypes = /^(?:message\/(?:global-)?(?:delivery-status|disposition-notification)|message\/global-headers)$/;
const plainEncodings = ['7bit', '8bit', 'binary'];
/** Messages within messages. */
const deepest = 20;

/**
 * A delivered message for a reader that knows no headers in UTF-8, such as a POP or IMAP client without such support: the
 * headers of all its parts become ASCII, everything else keeps every octet. Never for mail on its way: that form of
 * downgrading, of RFC 5504, is dead (RFC 6857 §3, RFC 6857 §4, RFC 6530 §6).
 */
export function downgradeMessage(message: Buffer): Buffer {
  return downgrade(message, 0);
}

function downgrade(message: Buffer, depth: number): Buffer {
  const out: Buffer[] = [];
  let leaf: { readonly type: string; readonly pieces: Buffer[] } | undefined;
  const finish = () => {
    if (leaf !== undefined) out.push(downgradeBody(leaf.type, Buffer.concat(leaf.pieces), depth));
    leaf = undefined;
  };
  const scanner = new MimeScanner({
    part({ header, separator, mediaType, encoding, kind }: MimePart) {
      finish();
      const isOpened = kind === 'leaf' && plainEncodings.includes(encoding) && depth < deepest;
      const isFields = isOpened && (fieldTypes.test(mediaType) || mediaType === 'message/global');
      if (isFields) leaf = { type: mediaType, pieces: [] };
      out.push(downgradeHeader(header, isFields ? asciiTypes[mediaType] : undefined), Buffer.from(separator));
    },
    body(octets) {
      (leaf?.pieces ?? out).push(Buffer.from(octets));
    },
    delimiter(octets) {
      finish();
      out.push(Buffer.from(octets));
    },
    filler(octets) {
      finish();
      out.push(Buffer.from(octets));
    },
  });
  scanner.write(message);
  scanner.end();
  finish();
  return Buffer.concat(out);
}

function downgradeBody(type: string, body: Buffer, depth: number): Buffer {
  if (type === 'message/global') return downgrade(body, depth + 1);
  const out: Buffer[] = [];
  for (let rest = body; rest.length > 0; ) {
    const { header, separator, body: next } = splitMessage(rest);
    out.push(downgradeHeader(header, undefined), separator);
    rest = next;
  }
  return Buffer.concat(out);
}

/** `mediaType`: what the content is called from now on, if it changes. */
function downgradeHeader(header: Buffer, mediaType: string | undefined): Buffer {
  if (isAscii(header) && mediaType === undefined) return Buffer.from(header);
  const isTyped = mediaType !== undefined && fieldValue(header, 'content-type') !== undefined;
  const out: Buffer[] = [];
  for (const field of headerFields(header)) {
    const isType = isTyped && field.name === 'content-type';
    if (!isType && isAscii(field.raw)) out.push(field.raw);
    else out.push(withLineEndsOf(field.raw, isType ? `Content-Type: ${mediaType}\r\n` : downgradeField(field)));
  }
  return Buffer.concat(out);
}

/** Mailboxes may keep mail with the line ends of their system. */
function withLineEndsOf(raw: Buffer, text: string): Buffer {
  return Buffer.from(raw.includes('\r\n') ? text : text.replaceAll('\r\n', '\n'));
}
