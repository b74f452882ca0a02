import { formatMailbox } from '../address/mailbox.ts';
import { mailboxesOf, parseAddressList } from '../message/address-list.ts';
import { BodyDecoder } from '../message/body-decoder.ts';
import { type ContentType, parseContentType } from '../message/content-type.ts';
import { fieldValue, splitMessage } from '../message/header.ts';
import { type MimePart, MimeScanner, type MimeVisitor } from '../message/mime-scanner.ts';
import { decodeCharset } from './decode-charset.ts';
import { decodeWords } from './decode-words.ts';
import { MailHeaders } from './mail-headers.ts';
import { readParameter } from './read-parameter.ts';
import { unflow } from './unflow.ts';

/** A mailbox of a header field (RFC 5322 §3.4). */
export interface MailAddress {
  /** Empty where there is none. */
  readonly name: string;
  readonly address: string;
}

/** A part of a message that is not its text: a file, a picture in the HTML, a message (RFC 2183 §2). */
export interface MailAttachment {
  readonly filename: string | undefined;
  /** Type and subtype in lower case. */
  readonly contentType: string;
  readonly disposition: 'attachment' | 'inline';
  /** Content-ID without its brackets (RFC 2392 §2). */
  readonly contentId: string | undefined;
  /** Its octets, without transfer encoding. */
  readonly content: Buffer;
}

/** What a reader sees of a message. */
export interface MailContent {
  readonly headers: MailHeaders;
  readonly subject: string;
  readonly from: MailAddress | undefined;
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly replyTo: readonly MailAddress[];
  /** The plain text, with LF line ends; empty where there is none. */
  readonly text: string;
  /** The HTML, likewise. */
  readonly html: string;
  /** In their order. */
  readonly attachments: readonly MailAttachment[];
}

/** Reads a message, tolerant of faults (RFC 2045 §2.4, RFC 2046 §5.1). */
export function readMail(source: Buffer): MailContent {
  const parts = new PartCollector();
  const scanner = new MimeScanner(parts);
  scanner.write(source);
  scanner.end();
  const headers = new MailHeaders(splitMessage(source).header);
  const addresses = (name: string) => headers.raw(name).flatMap(readAddresses);
  const leaves = parts.leaves.map(readLeaf);
  const texts = (mediaType: string) =>
    leaves.flatMap((leaf) => (leaf.isText && leaf.contentType === mediaType ? [leaf.text] : [])).join('\n');
  return {
    headers,
    subject: headers.get('subject') ?? '',
    from: addresses('from')[0],
    to: addresses('to'),
    cc: addresses('cc'),
    replyTo: addresses('reply-to'),
    text: texts('text/plain'),
    html: texts('text/html'),
    attachments: leaves.flatMap((leaf) => (leaf.isText ? [] : [leaf.attachment])),
  };
}

interface Leaf {
  readonly part: MimePart;
  readonly decoder: BodyDecoder;
  readonly pieces: Buffer[];
}

/** Gathers what is no multipart; an attached message is left whole. */
class PartCollector implements MimeVisitor {
  readonly leaves: Leaf[] = [];

  part(part: MimePart): void {
    if (part.kind === 'leaf') this.leaves.push({ part, decoder: new BodyDecoder(part.encoding), pieces: [] });
  }

  body(octets: Buffer): void {
    const leaf = this.leaves.at(-1);
    leaf?.pieces.push(leaf.decoder.write(octets));
  }

  enters({ mediaType }: Omit<MimePart, 'kind'>): boolean {
    return mediaType !== 'message/rfc822';
  }

  delimiter(): void {}

  filler(): void {}
}

type ReadLeaf =
  | { readonly isText: true; readonly contentType: string; readonly text: string }
  | { readonly isText: false; readonly contentType: string; readonly attachment: MailAttachment };

function readLeaf({ part, decoder, pieces }: Leaf): ReadLeaf {
  const { header, mediaType: contentType } = part;
  const content = Buffer.concat([...pieces, decoder.end()]);
  const type = parseContentType(fieldValue(header, 'content-type') ?? '');
  const placed = parseContentType(fieldValue(header, 'content-disposition') ?? '');
  const isBody = contentType === 'text/plain' || contentType === 'text/html';
  const disposition = placed === undefined ? (isBody ? 'inline' : 'attachment') : dispositionOf(placed);
  if (isBody && disposition === 'inline') return { isText: true, contentType, text: readText(content, type) };
  const filename =
    (placed && readParameter(placed.parameters, 'filename')) ?? (type && readParameter(type.parameters, 'name'));
  const contentId = fieldValue(header, 'content-id')?.replace(/^<|>$/g, '');
  return { isText: false, contentType, attachment: { filename, contentType, disposition, contentId, content } };
}

/** A disposition that is not known counts as an attachment (RFC 2183 §2.8). */
function dispositionOf({ mediaType }: ContentType): MailAttachment['disposition'] {
  return mediaType === 'inline' ? 'inline' : 'attachment';
}

function readText(content: Buffer, type: ContentType | undefined): string {
  const parameters = type?.parameters;
  const text = decodeCharset(content, parameters?.get('charset') ?? '').replace(/\r\n?/g, '\n');
  const isFlowed = parameters?.get('format')?.toLowerCase() === 'flowed';
  return isFlowed ? unflow(text, parameters?.get('delsp')?.toLowerCase() === 'yes') : text;
}

function readAddresses(value: string): MailAddress[] {
  return mailboxesOf(parseAddressList(value) ?? []).map(({ name = '', mailbox }) => ({
    name: decodeWords(name),
    address: formatMailbox(mailbox),
  }));
}
