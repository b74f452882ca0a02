/**
 * Walks through a message that comes in pieces, part by part, and tells a visitor what each octet belongs to. All octets
 * are told, in order and unchanged, so that a visitor that passes them on makes the same message again. A part is a
 * header and a body; the body of a multipart holds parts between delimiter lines, the body of a message/rfc822 is one.
 * The CRLF before a delimiter line belongs to that line (RFC 2046 §5.1.1).
 */
import { GrowingBuffer } from '../bytes/growing-buffer.ts';
import { parseContentType } from './content-type.ts';
import { fieldValue, findHeaderEnd, headerLimit } from './header.ts';

/** How a part's body is read: as octets, as parts between delimiters, or as a message of its own. */
export type PartKind = 'leaf' | 'multipart' | 'message';

/** One part, told when its header is known; the message itself is the first (RFC 2045 §2.4). */
export interface MimePart {
  /** Counts from 0 in the order of the headers. */
  readonly index: number;
  /** Parts around this one. */
  readonly depth: number;
  /** With the line end of the last field. */
  readonly header: Buffer;
  /** The empty line, or nothing where a delimiter follows the header at once. */
  readonly separator: Buffer;
  /** In lower case; where the header names none, `text/plain`, or `message/rfc822` in a digest (RFC 2046 §5.1.5). */
  readonly mediaType: string;
  /** In lower case; `7bit` when the header names none. */
  readonly encoding: string;
  readonly kind: PartKind;
}

/** What listens to a scanner. The octets it gets share memory with those written, and hold only until it returns. */
export interface MimeVisitor {
  /** A part begins. */
  part(part: MimePart): void;
  /** Octets of the body of the part that began last, a leaf. */
  body(octets: Buffer): void;
  /** A delimiter line, with the CRLF before it. */
  delimiter(octets: Buffer): void;
  /** Octets before the first delimiter of a multipart or behind its last, which readers skip. */
  filler(octets: Buffer): void;
  /** Whether to look for parts in this body; without it, always. */
  enters?(part: Omit<MimePart, 'kind'>): boolean;
}

/** Why a message could not be read to its end; what follows the place was told as body. */
export type ScanLimit = 'depth' | 'parts' | 'header';

const lf = 0x0a;
const cr = 0x0d;
const hyphen = 0x2d;
const mostParts = 10_000;
const deepest = 100;
/** A delimiter has 70 characters at most; some are longer, but none has the length of a line (RFC 2046 §5.1.1). */
const longestDelimiter = 998;
const delimiterStart = Buffer.from('\n--');

type State = 'header' | 'body' | 'filler';

interface OpenMultipart {
  readonly boundary: string;
  /** Of its parts. */
  readonly depth: number;
  /** What its parts are that do not say so. */
  readonly partType: string;
}

interface Delimiter {
  /** Where the line begins, and the index behind it. */
  readonly start: number;
  readonly end: number;
  readonly of: OpenMultipart;
  readonly closes: boolean;
}

/** Pushes a message through a visitor (RFC 2046 §5.1). */
export class MimeScanner {
  readonly #visitor: MimeVisitor;
  readonly #pending = new GrowingBuffer();
  readonly #open: OpenMultipart[] = [];
  /** By the text of the line: the innermost multipart that it delimits. */
  readonly #delimiters = new Map<string, Pick<Delimiter, 'of' | 'closes'>>();
  #state: State = 'header';
  /** What is not told yet begins a line. */
  #atLineStart = true;
  /** Octets of a pending header that hold neither its end nor a delimiter. */
  #scanned = 0;
  #depth = 0;
  #parts = 0;
  #limit: ScanLimit | undefined;

  constructor(visitor: MimeVisitor) {
    this.#visitor = visitor;
  }

  /** The bound that the message went over, if it did. */
  get limit(): ScanLimit | undefined {
    return this.#limit;
  }

  write(piece: Buffer): void {
    if (this.#pending.length === 0) this.#pending.append(this.#scan(piece, false));
    else {
      this.#pending.append(piece);
      const bytes = this.#pending.view();
      this.#pending.drop(bytes.length - this.#scan(bytes, false).length);
    }
  }

  /** The message is complete. */
  end(): void {
    this.#scan(this.#pending.view(), true);
  }

  /** Tells what can be told, and gives back what has to wait. */
  #scan(bytes: Buffer, last: boolean): Buffer {
    for (let rest = bytes; ; ) {
      const { length } = rest;
      const state = this.#state;
      rest = state === 'header' ? this.#scanHeader(rest, last) : this.#scanBody(rest, last);
      if (rest.length === length && state === this.#state) return rest;
    }
  }

  #scanHeader(bytes: Buffer, last: boolean): Buffer {
    const emptyLine = findHeaderEnd(bytes, this.#scanned);
    const lines = emptyLine < 0 ? bytes : bytes.subarray(0, emptyLine);
    const delimiter = this.#findDelimiter(lines, this.#scanned, true, last);
    if (emptyLine < 0 && delimiter === undefined && !last) {
      this.#scanned = bytes.lastIndexOf(lf) + 1;
      if (bytes.length <= headerLimit) return bytes;
      this.#limit ??= 'header';
    }
    const headerEnd = delimiter?.start ?? lines.length;
    const hasEmptyLine = emptyLine >= 0 && delimiter === undefined;
    const bodyStart = hasEmptyLine ? bytes.indexOf(lf, emptyLine) + 1 : headerEnd;
    this.#begin(bytes.subarray(0, headerEnd), bytes.subarray(headerEnd, bodyStart));
    return bytes.subarray(bodyStart);
  }

  #begin(header: Buffer, separator: Buffer): void {
    const type = parseContentType(fieldValue(header, 'content-type') ?? '');
    const encoding = fieldValue(header, 'content-transfer-encoding')
      ?.replace(/\(.*|;.*/s, '')
      .trim()
      .toLowerCase();
    const part = {
      index: this.#parts,
      depth: this.#depth,
      header,
      separator,
      mediaType: type?.mediaType ?? this.#defaultType(),
      encoding: encoding ?? '7bit',
    };
    const boundary = type?.parameters.get('boundary');
    const kind = this.#kindOf(part, boundary);
    this.#parts += 1;
    this.#visitor.part({ ...part, kind });
    if (kind === 'leaf') this.#enter('body');
    else {
      this.#depth += 1;
      if (kind === 'multipart') {
        const partType = part.mediaType === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
        this.#open.push({ boundary: `--${boundary}`, depth: this.#depth, partType });
      }
      this.#nameDelimiters();
      this.#enter(kind === 'multipart' ? 'filler' : 'header');
    }
  }

  #defaultType(): string {
    const around = this.#open.at(-1);
    return around?.depth === this.#depth ? around.partType : 'text/plain';
  }

  #enter(state: State): void {
    this.#state = state;
    this.#atLineStart = true;
    this.#scanned = 0;
  }

  #kindOf(part: Omit<MimePart, 'kind'>, boundary: string | undefined): PartKind {
    const isPlain = part.encoding === '7bit' || part.encoding === '8bit' || part.encoding === 'binary';
    const kind =
      part.mediaType === 'message/rfc822'
        ? 'message'
        : part.mediaType.startsWith('multipart/') && boundary
          ? 'multipart'
          : 'leaf';
    if (kind === 'leaf' || !isPlain || this.#limit !== undefined) return 'leaf';
    if (this.#visitor.enters?.(part) === false) return 'leaf';
    if (part.depth >= deepest) this.#limit = 'depth';
    else if (part.index >= mostParts) this.#limit = 'parts';
    return this.#limit === undefined ? kind : 'leaf';
  }

  #scanBody(bytes: Buffer, last: boolean): Buffer {
    const delimiter = this.#findDelimiter(bytes, 0, this.#atLineStart, last);
    if (delimiter === undefined) {
      const told = last ? bytes.length : this.#certain(bytes);
      this.#tell(bytes.subarray(0, told));
      if (told > 0) this.#atLineStart = bytes[told - 1] === lf;
      return bytes.subarray(told);
    }
    const start = lineEndBefore(bytes, delimiter.start);
    this.#tell(bytes.subarray(0, start));
    this.#visitor.delimiter(bytes.subarray(start, delimiter.end));
    this.#follow(delimiter);
    return bytes.subarray(delimiter.end);
  }

  #tell(octets: Buffer): void {
    if (octets.length === 0) return;
    if (this.#state === 'body') this.#visitor.body(octets);
    else this.#visitor.filler(octets);
  }

  /** How many octets of a body without a delimiter cannot become part of one by what comes next. */
  #certain(bytes: Buffer): number {
    if (this.#open.length === 0) return bytes.length;
    const lineStart = bytes.lastIndexOf(lf) + 1;
    const isWhole = lineStart > 0 || this.#atLineStart;
    const mayGrow = bytes.length - lineStart <= longestDelimiter && isDelimiterStart(bytes, lineStart);
    if (isWhole && mayGrow) return lineEndBefore(bytes, lineStart);
    return bytes.length > 0 && bytes[bytes.length - 1] === cr ? bytes.length - 1 : bytes.length;
  }

  /** The first line, at or behind `from`, that delimits an open multipart and is known to its end. */
  #findDelimiter(bytes: Buffer, from: number, atLineStart: boolean, last: boolean): Delimiter | undefined {
    if (this.#open.length === 0) return undefined;
    for (let start = atLineStart ? from : nextStart(bytes, from); start >= 0; start = nextStart(bytes, start)) {
      if (bytes[start] !== hyphen || bytes[start + 1] !== hyphen) continue;
      const lineFeed = bytes.indexOf(lf, start);
      if (lineFeed < 0 && !last) return undefined;
      const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
      if (end - start > longestDelimiter) continue;
      const found = this.#delimiters.get(bytes.toString('latin1', start, end).trimEnd());
      if (found !== undefined) return { start, end, ...found };
    }
    return undefined;
  }

  /** A delimiter ends all that is open inside of its multipart, whether or not that was closed (RFC 2046 §5.1.2). */
  #follow({ of, closes }: Delimiter): void {
    while (this.#open.at(-1) !== of) this.#open.pop();
    this.#depth = of.depth;
    if (closes) {
      this.#open.pop();
      this.#depth -= 1;
    }
    this.#nameDelimiters();
    this.#enter(closes ? 'filler' : 'header');
  }

  #nameDelimiters(): void {
    this.#delimiters.clear();
    for (const open of this.#open) {
      this.#delimiters.set(open.boundary, { of: open, closes: false });
      this.#delimiters.set(`${open.boundary}--`, { of: open, closes: true });
    }
  }
}

/** The index behind the next line feed that two hyphens follow; -1 when there is none. */
function nextStart(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(delimiterStart, from);
  return at < 0 ? -1 : at + 1;
}

function isDelimiterStart(bytes: Buffer, at: number): boolean {
  return (at >= bytes.length || bytes[at] === hyphen) && (at + 1 >= bytes.length || bytes[at + 1] === hyphen);
}

/** Where the line end before a line begins; `lineStart` itself when it is the first line. */
function lineEndBefore(bytes: Buffer, lineStart: number): number {
  if (lineStart === 0) return 0;
  return lineStart > 1 && bytes[lineStart - 2] === cr ? lineStart - 2 : lineStart - 1;
}
