import { GrowingBuffer } from '../bytes/growing-buffer.ts';
import { findHeaderEnd, headerLimit } from './header.ts';

/** Collects the header of a message that comes in pieces (RFC 5322 §2.1). */
export class HeaderCollector {
  readonly #limit: number;
  readonly #taken = new GrowingBuffer();
  /** Where the last line that is not known to its end begins. */
  #lineStart = 0;
  #end = -1;

  /** `limit` in octets: a longer header is cut behind the last whole line within it. */
  constructor(limit = headerLimit) {
    this.#limit = limit;
  }

  /** Takes a piece, and copies it; true once the header is known and no more pieces are needed. */
  write(piece: Buffer): boolean {
    this.#taken.append(piece);
    const bytes = this.#taken.view();
    this.#end = findHeaderEnd(bytes, this.#lineStart);
    this.#lineStart = bytes.lastIndexOf(0x0a) + 1;
    return this.#end >= 0 || bytes.length >= this.#limit;
  }

  /** The header, with the line end of its last field, so far as it is known. */
  get header(): Buffer {
    return this.#taken.view().subarray(0, this.#headerLength());
  }

  /** What was taken beyond the header: the empty line and the beginning of the body. */
  get rest(): Buffer {
    return this.#taken.view().subarray(this.#headerLength());
  }

  #headerLength(): number {
    if (this.#end >= 0) return this.#end;
    const isCut = this.#taken.length >= this.#limit && this.#lineStart > 0;
    return isCut ? this.#lineStart : this.#taken.length;
  }
}
