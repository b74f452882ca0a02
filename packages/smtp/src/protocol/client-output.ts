/** Octets up to which all is copied into one piece: one write costs less than the copy. */
const oneWrite = 131_072;

/** What waits to be written, in order. */
export class ClientOutput {
  #pieces: (string | Buffer)[] = [];
  #size = 0;

  /** Adds a command line; CRLF is put behind it. */
  line(text: string): void {
    this.#pieces.push(`${text}\r\n`);
    this.#size += 3 * text.length + 2;
  }

  /** Adds octets, which are not copied yet. */
  octets(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#size += bytes.length;
  }

  /** Takes all that waits: one piece unless it is large; undefined when there is nothing. */
  take(): readonly Buffer[] | undefined {
    if (this.#pieces.length === 0) return undefined;
    const pieces = this.#pieces;
    const size = this.#size;
    this.#pieces = [];
    this.#size = 0;
    if (size > oneWrite) return pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece));
    return [join(pieces, size)];
  }

  /** Forgets what waits. */
  clear(): void {
    this.#pieces = [];
    this.#size = 0;
  }
}

/** `room` is enough for all, since lines are counted three times: a UTF-16 unit makes at most three octets. */
function join(pieces: readonly (string | Buffer)[], room: number): Buffer {
  if (pieces.length === 1) {
    const [piece] = pieces;
    return typeof piece === 'string' ? Buffer.from(piece) : (piece as Buffer);
  }
  const out = Buffer.allocUnsafe(room);
  let size = 0;
  for (const piece of pieces) size += typeof piece === 'string' ? out.write(piece, size) : piece.copy(out, size);
  return out.subarray(0, size);
}
