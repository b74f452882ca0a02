/** Octets put together from pieces; it grows by doubling, so that many small pieces cost no more than a large one. */
export class GrowingBuffer {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a copy of the piece. */
  append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  /** All octets so far; valid until the next `append` or `drop`. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Takes the first octets away. */
  drop(octets: number): void {
    if (octets === 0) return;
    this.#bytes.copyWithin(0, octets, this.#length);
    this.#length -= octets;
  }
}
