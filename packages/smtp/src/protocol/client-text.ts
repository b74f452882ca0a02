import { LineEndMender } from './line-end-mender.ts';

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const lineDot = Buffer.from('\n.');
const lineEnd = Buffer.from('\r\n');
const lastDot = Buffer.from('.\r\n');
const none = Buffer.alloc(0);

/** Whether a CR or LF stands alone; a CR as the very last octet does not count, for its LF may follow (RFC 5321 §2.3.8). */
function hasBareLineEnd(bytes: Buffer): boolean {
  let cr = bytes.indexOf(CR);
  for (let lf = bytes.indexOf(LF); lf !== -1; lf = bytes.indexOf(LF, lf + 1)) {
    if (lf === 0 || cr !== lf - 1) return true;
    cr = bytes.indexOf(CR, lf);
  }
  return cr !== -1 && cr < bytes.length - 1;
}

function endsLine(bytes: Buffer): boolean {
  return bytes.length === 0 || (bytes.at(-1) === LF && bytes.at(-2) === CR);
}

/** A whole text with CRLF as its only line end, the last line ended too; the same octets when nothing is to change (RFC 5321 §2.3.8). */
export function mendText(text: Buffer): Buffer {
  if (!hasBareLineEnd(text)) {
    if (endsLine(text)) return text;
    return Buffer.concat([text, text.at(-1) === CR ? lineEnd.subarray(1) : lineEnd]);
  }
  const mender = new LineEndMender();
  const mended = Buffer.concat([mender.write(text, true), mender.end()]);
  return endsLine(mended) ? mended : Buffer.concat([mended, lineEnd]);
}

/** Doubles each dot that begins a line; the same octets when there is none (RFC 5321 §4.5.2). */
export function stuffDots(bytes: Buffer, atLineStart: boolean): Buffer {
  const first = atLineStart && bytes[0] === DOT ? 1 : 0;
  let count = first;
  for (let at = bytes.indexOf(lineDot); at !== -1; at = bytes.indexOf(lineDot, at + 1)) count += 1;
  if (count === 0) return bytes;
  const out = Buffer.allocUnsafe(bytes.length + count);
  let [from, size] = [0, 0];
  if (first === 1) out[size++] = DOT;
  for (let at = bytes.indexOf(lineDot); at !== -1; at = bytes.indexOf(lineDot, at + 1)) {
    size += bytes.copy(out, size, from, at + 2);
    out[size++] = DOT;
    from = at + 2;
  }
  bytes.copy(out, size, from);
  return out;
}

/** The text of one message on its way out, piece by piece: line ends mended and, for DATA, dots stuffed (RFC 5321 §4.5.2). */
export class TextWriter {
  /** Octets so far, as BDAT and SIZE count them: without stuffing and closing dot. */
  size = 0;
  /** Octets of its beginning that are still to be left out: the host has them (RFC 1845 §3). */
  skip: number;
  readonly #stuff: boolean;
  readonly #mender = new LineEndMender();
  #lineStart = true;

  constructor(stuff: boolean, skip = 0) {
    this.#stuff = stuff;
    this.skip = skip;
  }

  /** What goes out for a piece; it may be empty, and shares the piece's memory when nothing had to change. */
  write(piece: Buffer): Buffer {
    return this.#pass(this.#mender.write(piece, hasBareLineEnd(piece)));
  }

  /** What ends the text: a line end if the last line has none, and for DATA the lone dot (RFC 5321 §4.1.1.4). */
  end(): Buffer {
    const held = this.#mender.end();
    const last = this.#pass(held.length === 0 && !this.#lineStart ? lineEnd : held);
    return this.#stuff ? Buffer.concat([last, lastDot]) : last;
  }

  #pass(mended: Buffer): Buffer {
    if (mended.length === 0) return none;
    const skipped = Math.min(this.skip, mended.length);
    const lineStart = skipped === 0 ? this.#lineStart : mended[skipped - 1] === LF;
    this.#lineStart = mended.at(-1) === LF;
    this.skip -= skipped;
    this.size += mended.length;
    const rest = skipped === 0 ? mended : mended.subarray(skipped);
    return this.#stuff ? stuffDots(rest, lineStart) : rest;
  }
}
