const LF = 0x0a;
const CR = 0x0d;
const none = Buffer.alloc(0);

/** Makes a CRLF of every bare CR and bare LF, piece by piece; a CR at a piece's end waits for the next piece (RFC 5321 §2.3.8). */
export class LineEndMender {
  #heldCr = false;

  /** The piece mended; `bare` false spares the look at a piece that is known to need none. */
  write(piece: Buffer, bare: boolean): Buffer {
    if (!bare && !this.#heldCr && piece.at(-1) !== CR) return piece;
    const out = Buffer.allocUnsafe(2 * piece.length + 2);
    let size = 0;
    let afterCr = this.#heldCr;
    for (const octet of piece) {
      if (afterCr || octet === LF) {
        out[size++] = CR;
        out[size++] = LF;
      }
      if (octet !== LF && octet !== CR) out[size++] = octet;
      // The LF of a CRLF was written with its CR.
      if (afterCr && octet === LF) afterCr = false;
      else afterCr = octet === CR;
    }
    this.#heldCr = afterCr;
    return out.subarray(0, size);
  }

  /** What is still held. */
  end(): Buffer {
    return this.#heldCr ? Buffer.from('\r\n') : none;
  }
}
