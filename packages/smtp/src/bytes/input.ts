const LF = 0x0a;
const CR = 0x0d;
const none = Buffer.alloc(0);

/**
 * Octets that came in and are not used up yet. A piece is not copied unless a line or run goes over its end; what is taken out
 * shares its memory, so it must be used before the caller of `push` writes over it.
 */
export class Input {
  #bytes: Buffer = none;
  #start = 0;
  /** Octets at hand in which no line ends: they are not searched again, or a line that drips in would cost its square. */
  #searched = 0;
  /** What is not kept of a line too long; `cr` when the last of it was a CR. */
  #skipping: 'no' | 'yes' | 'cr' = 'no';

  /** Octets at hand. */
  get length(): number {
    return this.#bytes.length - this.#start;
  }

  /** Adds what came in. */
  push(bytes: Buffer): void {
    this.#bytes = this.length === 0 ? bytes : Buffer.concat([this.#bytes.subarray(this.#start), bytes]);
    this.#start = 0;
  }

  /**
   * Takes one line that ends in CRLF, without it. A lone LF ends no line (RFC 5321 §2.3.8). `limit` counts the CRLF: of a
   * longer line nothing is kept, and `too long` comes once, when its CRLF has been seen; undefined asks for more octets.
   */
  takeLine(limit: number): Buffer | 'too long' | undefined {
    const end = this.#findLineEnd();
    if (end === -1) return this.#waitForLine(limit);
    const line = this.#bytes.subarray(this.#start, end - 2);
    const isWhole = this.#skipping === 'no' && end - this.#start <= limit;
    this.#skipping = 'no';
    this.#advance(end);
    return isWhole ? line : 'too long';
  }

  /** Takes at most `most` octets, what is at hand; undefined when there is nothing. */
  take(most: number): Buffer | undefined {
    if (this.length === 0 || most === 0) return undefined;
    const end = Math.min(this.#bytes.length, this.#start + most);
    const bytes = this.#bytes.subarray(this.#start, end);
    this.#advance(end);
    return bytes;
  }

  /** Drops the first octets at hand, no more than there are. */
  skip(octets: number): void {
    this.#advance(this.#start + octets);
  }

  /** All octets at hand, left where they are. */
  peek(): Buffer {
    return this.#start === 0 ? this.#bytes : this.#bytes.subarray(this.#start);
  }

  /** Drops all octets at hand (RFC 3207 §4.2). */
  clear(): void {
    this.#advance(this.#bytes.length);
    this.#skipping = 'no';
  }

  #advance(to: number): void {
    this.#searched = 0;
    this.#start = to;
    if (to < this.#bytes.length) return;
    // An idle session keeps no piece alive.
    this.#bytes = none;
    this.#start = 0;
  }

  /** The index behind the next CRLF, whose CR may be gone already; -1 when there is none. */
  #findLineEnd(): number {
    if (this.#skipping === 'cr' && this.#bytes[this.#start] === LF) return this.#start + 1;
    let at = this.#bytes.indexOf(LF, this.#start + this.#searched);
    while (at !== -1 && (at === this.#start || this.#bytes[at - 1] !== CR)) at = this.#bytes.indexOf(LF, at + 1);
    if (at !== -1) return at + 1;
    this.#searched = this.length;
    return -1;
  }

  #waitForLine(limit: number): undefined {
    if (this.length < limit && this.#skipping === 'no') return undefined;
    if (this.length > 0) this.#skipping = this.#bytes[this.#bytes.length - 1] === CR ? 'cr' : 'yes';
    this.#advance(this.#bytes.length);
    return undefined;
  }
}
