import { isUtf8 } from 'node:buffer';

const cr = 0x0d;
const lf = 0x0a;
const colon = 0x3a;
const space = 0x20;
const tab = 0x09;

/** Octets of a header that are held in memory; what a message has beyond counts as body (256 KiB). */
export const headerLimit = 256 * 1024;

/** A message taken apart; the three pieces together are the message, octet by octet (RFC 5322 §2.1). */
export interface MessageParts {
  /** The header fields, with the line end of the last. */
  readonly header: Buffer;
  /** The empty line, or nothing where it is missing. */
  readonly separator: Buffer;
  readonly body: Buffer;
}

/** One field of a header, as it stands and as it reads (RFC 5322 §2.2). */
export class HeaderField {
  /** All its lines, with their line ends. */
  readonly raw: Buffer;
  readonly #nameEnd: number;

  constructor(raw: Buffer) {
    this.raw = raw;
    this.#nameEnd = nameEnd(raw);
  }

  /** The name in lower case; empty for a line that is no field. */
  get name(): string {
    return this.raw.toString('latin1', 0, this.#nameEnd).trimEnd().toLowerCase();
  }

  /** The text behind the colon, unfolded, trimmed; read as Latin-1 where it is no UTF-8 (RFC 5322 §2.2.3). */
  get value(): string {
    const value = this.raw.subarray(this.#nameEnd === 0 ? 0 : this.#nameEnd + 1);
    return value
      .toString(isUtf8(value) ? 'utf8' : 'latin1')
      .replace(/\r?\n/g, '')
      .trim();
  }
}

/** Takes a message apart at its first empty line; CRLF and LF alone both end lines (RFC 5322 §2.1). */
export function splitMessage(message: Buffer): MessageParts {
  const found = findHeaderEnd(message, 0);
  const headerEnd = found < 0 ? message.length : found;
  const bodyStart = found < 0 ? message.length : message.indexOf(lf, found) + 1;
  return {
    header: message.subarray(0, headerEnd),
    separator: message.subarray(headerEnd, bodyStart),
    body: message.subarray(bodyStart),
  };
}

/** The index of the first empty line at or behind `lineStart`, which begins a line; -1 when there is none yet. */
export function findHeaderEnd(bytes: Buffer, lineStart: number): number {
  for (let at = lineStart; at >= 0 && at < bytes.length; ) {
    if (bytes[at] === lf || (bytes[at] === cr && bytes[at + 1] === lf)) return at;
    const next = bytes.indexOf(lf, at);
    if (next < 0) return -1;
    at = next + 1;
  }
  return -1;
}

/** The fields of a header in their order, malformed lines among them (RFC 5322 §2.2). */
export function* headerFields(header: Buffer): Generator<HeaderField, void, undefined> {
  for (let start = 0; start < header.length; ) {
    const end = fieldEnd(header, start);
    yield new HeaderField(header.subarray(start, end));
    start = end;
  }
}

/** The text of the first field of that name, in lower case; undefined when there is none (RFC 5322 §3.6). */
export function fieldValue(header: Buffer, name: string): string | undefined {
  for (const field of headerFields(header)) if (field.name === name) return field.value;
  return undefined;
}

/** The header without the fields of these names, in lower case; all others keep every octet (RFC 5322 §3.6). */
export function withoutFields(header: Buffer, ...names: readonly string[]): Buffer {
  const kept: Buffer[] = [];
  let removed = false;
  for (const field of headerFields(header)) {
    if (names.includes(field.name)) removed = true;
    else kept.push(field.raw);
  }
  return removed ? Buffer.concat(kept) : header;
}

/** The index behind the field that begins at `start`: its line, and the lines folded onto it. */
function fieldEnd(header: Buffer, start: number): number {
  for (let at = start; ; ) {
    const end = header.indexOf(lf, at);
    if (end < 0) return header.length;
    at = end + 1;
    if (header[at] !== space && header[at] !== tab) return at;
  }
}

/** The index of the colon when a name of printable characters, perhaps with blanks behind it, stands before it; else 0. */
function nameEnd(raw: Buffer): number {
  let blank = false;
  for (let at = 0; at < raw.length; at += 1) {
    const octet = raw[at] as number;
    if (octet === colon) return at;
    const isBlank = octet === space || octet === tab;
    if (!isBlank && (blank || octet < 0x21 || octet > 0x7e)) return 0;
    blank = isBlank;
  }
  return 0;
}
