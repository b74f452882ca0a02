const cr = 0x0d;
const lf = 0x0a;
const space = 0x20;
const tab = 0x09;
const equals = 0x3d;
const digits = Buffer.from('0123456789ABCDEF', 'latin1');

/** Columns of an encoded line without the `=` of a soft line break (RFC 2045 §6.7). */
const columns = 75;

/** What the octets are: in `text` a CRLF is a line break, in `binary` it is two octets like any other (RFC 2045 §6.7). */
export type QuotedPrintableKind = 'text' | 'binary';

/** Writes octets as quoted-printable, chunk by chunk, in lines of at most 76 characters (RFC 2045 §6.7). */
export class QuotedPrintableEncoder {
  readonly #text: boolean;
  /** A blank or CR that cannot be written before the next octet is known; 0 for none. */
  #held = 0;
  #column = 0;
  #out: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(kind: QuotedPrintableKind) {
    this.#text = kind === 'text';
  }

  write(octets: Buffer): Buffer {
    // Three characters an octet and three for the break of each line of 25 of them.
    this.#out = Buffer.allocUnsafe(Math.ceil((octets.length + 2) * 3.2) + 8);
    this.#length = 0;
    for (let i = 0; i < octets.length; i++) this.#octet(octets[i] as number);
    return this.#out.subarray(0, this.#length);
  }

  /** The octet held back, if any; no line break is added. */
  end(): Buffer {
    this.#out = Buffer.allocUnsafe(8);
    this.#length = 0;
    if (this.#held !== 0) this.#escaped(this.#held);
    this.#held = 0;
    this.#column = 0;
    return this.#out.subarray(0, this.#length);
  }

  #octet(octet: number): void {
    const held = this.#held;
    if (held !== 0) {
      this.#held = 0;
      if (held === cr && octet === lf) {
        this.#lineBreak();
        return;
      }
      // A blank before a line break would be lost on the way (rule 3).
      if (held === cr || octet === cr) this.#escaped(held);
      else this.#literal(held);
    }
    if (octet === space || octet === tab || (octet === cr && this.#text)) this.#held = octet;
    else if (octet < space || octet > 0x7e || octet === equals) this.#escaped(octet);
    else this.#literal(octet);
  }

  #literal(octet: number): void {
    if (this.#column >= columns) this.#softBreak();
    this.#out[this.#length++] = octet;
    this.#column++;
  }

  #escaped(octet: number): void {
    if (this.#column + 3 > columns) this.#softBreak();
    this.#out[this.#length++] = equals;
    this.#out[this.#length++] = digits[octet >> 4] as number;
    this.#out[this.#length++] = digits[octet & 15] as number;
    this.#column += 3;
  }

  #softBreak(): void {
    this.#out[this.#length++] = equals;
    this.#lineBreak();
  }

  #lineBreak(): void {
    this.#out[this.#length++] = cr;
    this.#out[this.#length++] = lf;
    this.#column = 0;
  }
}

/** Reads a quoted-printable body; a malformed escape stays as it is (RFC 2045 §6.7). */
export function decodeQuotedPrintable(body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(body.length);
  let length = 0;
  for (let i = 0; i < body.length; i++) {
    const octet = body[i] as number;
    if (octet === equals) {
      const value = hexDigit(body[i + 1]) * 16 + hexDigit(body[i + 2]);
      const end = Number.isNaN(value) ? lineEnd(body, i + 1) : i + 3;
      if (!Number.isNaN(value)) out[length++] = value;
      else if (end < 0) out[length++] = octet;
      i = end < 0 ? i : end - 1;
    } else if (octet === space || octet === tab) {
      const run = blankRun(body, i);
      const next = body[run];
      // Blanks at the end of a line were added on the way (rule 3).
      if (run < body.length && next !== cr && next !== lf) length += body.copy(out, length, i, run);
      i = run - 1;
    } else out[length++] = octet;
  }
  return out.subarray(0, length);
}

function blankRun(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === space || body[at] === tab) at++;
  return at;
}

/** The index behind the blanks and line break that start at `from`; -1 when something else is there. */
function lineEnd(body: Buffer, from: number): number {
  const at = blankRun(body, from);
  if (at === body.length) return at;
  if (body[at] === cr && body[at + 1] === lf) return at + 2;
  return body[at] === lf ? at + 1 : -1;
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return Number.NaN;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const upper = code & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : Number.NaN;
}
