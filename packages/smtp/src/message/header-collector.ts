import { findHeaderEnd, headerLimit } from './header.ts';

/** Collects the header of a message that comes in pieces (RFC 5322 §2.1). */
export class HeaderCollector {
  readonly #limit: number;
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;
  /** Where the last line that is not known to its end begins. */
  #lineStart = 0;
  #end = -1;

  /** `limit` in octets: a longer header is cut behind the last whole line within it. */
  constructor(limit = headerLimit) {
    this.#limit = limit;
  }

  /** Takes a piece, and copies it; true once the header is known and no more pieces are needed. */
  write(piece: Buffer): boolean {
    this.#append(piece);
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#end = findHeaderEnd(bytes, this.#lineStart);
    this.#lineStart = bytes.lastIndexOf(0x0a) + 1;
    return this.#end >= 0 || this.#length >= this.#limit;
  }

  /** The header, with the line end of its last field, so far as it is known. */
  get header(): Buffer {
    if (this.#end >= 0) return this.#bytes.subarray(0, this.#end);
    return this.#bytes.subarray(
      0,
      this.#length < this.#limit || this.#lineStart === 0 ? this.#length : this.#lineStart,
    );
  }

  /** What was taken beyond the header: the empty line and the beginning of the body. */
  get rest(): Buffer {
    return this.#bytes.subarray(this.header.length, this.#length);
  }

  /** Grows by doubling, so that a message dripped octet by octet costs no more than its length. */
  #append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}
