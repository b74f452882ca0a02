import type { Input } from '../bytes/input.ts';

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const none = Buffer.alloc(0);

/**
 * How a text comes in: `stuffed` is DATA, with doubled dots and a lone dot at its end; `lines` is text in BDAT chunks;
 * `octets` are BDAT chunks that may hold anything (RFC 5321 §4.5.2, RFC 3030 §2).
 */
export type TextForm = 'stuffed' | 'lines' | 'octets';

/**
 * Where the text stands between two chunks. Only a real CRLF leads to `line start`, so no other octets end a line, let a
 * dot end the text, or take a dot away: that is what keeps one message from being read as two.
 */
type Place = 'line start' | 'in line' | 'after CR' | 'after dot' | 'after dot CR';

/**
 * Reads the text of one message. Each chunk gives at most one piece, which shares the chunk's memory unless a dot had to
 * be taken out of it. The scan jumps from line end to line end; octets are looked at one by one only at a chunk's edges.
 */
export class TextReader {
  /** Whether the lone dot was seen (RFC 5321 §4.1.1.4). */
  ended = false;
  /** Whether a CR or LF was seen that is no part of a CRLF (RFC 5321 §2.3.8). */
  bare = false;
  readonly #form: TextForm;
  #place: Place = 'line start';
  #chunk: Buffer = none;
  /** The next octet to look at. */
  #at = 0;
  /** The octets of the chunk that are kept and not copied yet. */
  #from = 0;
  #until = 0;
  /** Made when the first dot is taken out; holds what is kept of the chunk before it. */
  #copy: Buffer | undefined;
  #copied = 0;

  constructor(form: TextForm) {
    this.#form = form;
  }

  /** Takes all of the text that is at hand, at most `most` octets; undefined when that gives nothing to keep. */
  read(input: Input, most = Number.POSITIVE_INFINITY): Buffer | undefined {
    const atHand = input.peek();
    this.#chunk = atHand.length > most ? atHand.subarray(0, most) : atHand;
    this.#at = 0;
    this.#from = 0;
    this.#until = this.#chunk.length;
    if (this.#form === 'octets') this.#at = this.#until;
    else if (this.#until > 0) this.#scan();
    input.skip(this.#at);
    return this.#piece();
  }

  /** Says that no more comes: a CR at the very end is a bare one. */
  finish(): void {
    if (this.#place === 'after CR') this.bare = true;
  }

  #scan(): void {
    const chunk = this.#chunk;
    let cr = -1;
    this.#enter();
    while (this.#at < chunk.length && !this.ended) {
      const start = this.#at;
      const lf = chunk.indexOf(LF, start);
      if (cr < start) cr = positionOrEnd(chunk.indexOf(CR, start), chunk.length);
      this.#at = lf + 1;
      if (lf === -1) this.#leave(cr);
      else if (cr === lf - 1) this.#startLine();
      else this.#passBare(start, lf);
    }
  }

  /** A line in which a CR stands alone, or an LF that has no CR before it. */
  #passBare(start: number, lf: number): void {
    this.bare = true;
    if (lf > start && this.#chunk[lf - 1] === CR) this.#startLine();
    else this.#place = 'in line';
  }

  /** Goes on where the last chunk broke off at a line end or behind a dot. */
  #enter(): void {
    const [first, second] = this.#chunk;
    const place = this.#place;
    this.#place = 'in line';
    if (place === 'line start') this.#startLine();
    else if (place === 'after CR') this.#endLine(first);
    else if (place === 'after dot') this.#passDot(0, first, second);
    else if (place === 'after dot CR') this.#passDotCr(first);
  }

  #endLine(first: number | undefined): void {
    if (first !== LF) {
      this.bare = true;
      return;
    }
    this.#at = 1;
    this.#startLine();
  }

  /** Looks at the octet behind a CRLF, or at the first of the text. */
  #startLine(): void {
    const dot = this.#at;
    if (dot === this.#chunk.length) this.#place = 'line start';
    else this.#place = 'in line';
    if (this.#form !== 'stuffed' || this.#chunk[dot] !== DOT) return;
    if (!this.#passDot(dot + 1, this.#chunk[dot + 1], this.#chunk[dot + 2])) this.#takeOut(dot);
    else this.#until = dot;
  }

  /** Whether a dot that begins a line is followed by the text's end, or by so little that it may be. */
  #passDot(at: number, first: number | undefined, second: number | undefined): boolean {
    if (first === undefined) return this.#pause('after dot', at);
    if (first !== CR) return false;
    if (second === undefined) return this.#pause('after dot CR', at);
    if (second !== LF) return false;
    return this.#end(at + 2);
  }

  #pause(place: Place, until: number): boolean {
    this.#place = place;
    this.#until = until;
    this.#at = this.#chunk.length;
    return true;
  }

  #end(at: number): boolean {
    this.ended = true;
    this.#until = 0;
    this.#at = at;
    return true;
  }

  /** The CR behind the dot was held back, since it could have been the end's. */
  #passDotCr(first: number | undefined): void {
    if (first === LF) {
      this.#end(1);
      return;
    }
    this.bare = true;
    this.#copy = Buffer.allocUnsafe(this.#chunk.length + 1);
    this.#copy[0] = CR;
    this.#copied = 1;
  }

  /** The chunk ends within a line; `cr` is the first CR in that line, or the chunk's length. */
  #leave(cr: number): void {
    const last = this.#chunk.length - 1;
    if (cr < last) this.bare = true;
    this.#place = this.#chunk[last] === CR ? 'after CR' : 'in line';
    this.#at = this.#chunk.length;
  }

  #takeOut(dot: number): void {
    this.#copy ??= Buffer.allocUnsafe(this.#chunk.length);
    this.#keep(this.#copy, dot);
    this.#at = dot + 1;
    this.#from = dot + 1;
  }

  #keep(copy: Buffer, end: number): void {
    this.#copied += this.#chunk.copy(copy, this.#copied, this.#from, end);
  }

  #piece(): Buffer | undefined {
    const piece =
      this.#copy === undefined ? this.#chunk.subarray(this.#from, this.#until) : this.#finishCopy(this.#copy);
    this.#chunk = none;
    this.#copy = undefined;
    this.#copied = 0;
    return piece.length > 0 ? piece : undefined;
  }

  #finishCopy(copy: Buffer): Buffer {
    this.#keep(copy, this.#until);
    return copy.subarray(0, this.#copied);
  }
}

function positionOrEnd(index: number, end: number): number {
  return index === -1 ? end : index;
}
