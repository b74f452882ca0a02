import { isAscii } from 'node:buffer';
import { QuotedPrintableEncoder } from '../bytes/quoted-printable.ts';
import { printable } from './printable.ts';
import type { ReportForm } from './typed-address.ts';

/** One part of a report, ready to be written. */
export interface ReportPart {
  /** With its parameters. */
  readonly mediaType: string;
  readonly encoding: string;
  readonly body: Buffer;
  /** What it is called as a file; one word of ASCII. */
  readonly fileName?: string;
}

/** What a report is put together from (RFC 6522 §3). */
export interface ReportFrame {
  /** As `delivery-status`. */
  readonly reportType: string;
  /** The header fields before those of MIME, each with its line end. */
  readonly fields: string;
  /** What it says to people, what it says to programs, what it gives back. */
  readonly parts: readonly ReportPart[];
  /** Octets of chance, for the boundary. */
  readonly random: (octets: number) => Buffer;
}

/** A report, ready for the queue. */
export interface ComposedReport {
  readonly content: Buffer;
  /** Whether it needs SMTPUTF8. */
  readonly smtputf8: boolean;
  readonly body: '7BIT' | '8BITMIME';
}

/** Puts a multipart/report together (RFC 6522 §3). */
export function composeReport({ reportType, fields, parts, random }: ReportFrame): Buffer {
  const boundary = `=_${random(16).toString('hex')}`;
  const head = [
    `${fields}MIME-Version: 1.0`,
    `Content-Type: multipart/report; report-type=${reportType};\r\n boundary="${boundary}"`,
    '',
    'This is a report about a message, in MIME format.',
  ].join('\r\n');
  const delimiter = Buffer.from(`\r\n--${boundary}\r\n`);
  return Buffer.concat([
    Buffer.from(head),
    ...parts.flatMap((part) => [delimiter, writePart(part)]),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

/** What goes out: 8-bit parts need a way that takes them. */
export function composedReport(content: Buffer, smtputf8: boolean): ComposedReport {
  return { content, smtputf8, body: isAscii(content) ? '7BIT' : '8BITMIME' };
}

/** The part for people, in lines that end in CRLF (RFC 6522 §3). */
export function textPart(text: string, form: ReportForm): ReportPart {
  const octets = Buffer.from(text);
  if (isAscii(octets)) return { mediaType: 'text/plain; charset=us-ascii', encoding: '7bit', body: octets };
  if (form === 'utf8') return { mediaType: 'text/plain; charset=utf-8', encoding: '8bit', body: octets };
  const encoder = new QuotedPrintableEncoder('text');
  const body = Buffer.concat([encoder.write(octets), encoder.end()]);
  return { mediaType: 'text/plain; charset=utf-8', encoding: 'quoted-printable', body };
}

/**
 * The part for programs, of `message/<name>`, or `message/global-<name>` where it is not ASCII: more readers know the older
 * type (RFC 6533 §4.4).
 */
export function fieldsPart(name: string, fields: string): ReportPart {
  const body = Buffer.from(fields);
  return isAscii(body)
    ? { mediaType: `message/${name}`, encoding: '7bit', body }
    : { mediaType: `message/global-${name}`, encoding: '8bit', body };
}

/** The identifier of a report of a host. */
export function reportId(host: string, random: (octets: number) => Buffer): string {
  return `<${random(16).toString('hex')}@${printable(host)}>`;
}

function writePart({ mediaType, encoding, body, fileName }: ReportPart): Buffer {
  const label = encoding === '7bit' ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`;
  const file = fileName === undefined ? '' : `Content-Disposition: attachment;\r\n filename="${fileName}"\r\n`;
  return Buffer.concat([Buffer.from(`Content-Type: ${mediaType}\r\n${label}${file}\r\n`), body]);
}
