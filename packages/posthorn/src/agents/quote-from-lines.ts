const greater = 0x3e;
const lf = 0x0a;
const from = Buffer.from('From ');
const quote = Buffer.of(greater);

/**
 * Puts one more `>` into each line that reads `From ` behind any number of `>` (mboxrd), so that no line of a message begins
 * another; line ends are LF. Pieces may be cut anywhere. It is put next to the `F`: among others alike, nobody can tell, and
 * a run of them need not be held.
 */
export async function* quoteFromLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let held = Buffer.alloc(0);
  /** Whether what was given out ends within the `>` at the beginning of a line. */
  let open = true;
  for await (const next of pieces) {
    const piece = held.length === 0 ? next : Buffer.concat([held, next]);
    const end = piece.length - heldLength(piece, open);
    yield quotePiece(piece.subarray(0, end), open);
    held = Buffer.from(piece.subarray(end));
    open = isOpen(piece, end, open);
  }
  if (held.length > 0) yield held;
}

function quotePiece(piece: Buffer, open: boolean): Buffer {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = piece.indexOf(from); at !== -1; at = piece.indexOf(from, at + from.length)) {
    if (!isOpen(piece, at, open)) continue;
    parts.push(piece.subarray(start, at), quote);
    start = at;
  }
  return start === 0 && parts.length === 0 ? piece : Buffer.concat([...parts, piece.subarray(start)]);
}

/** Whether only `>` stand between the index and the beginning of its line. */
function isOpen(piece: Buffer, index: number, open: boolean): boolean {
  let at = index - 1;
  while (piece[at] === greater) at -= 1;
  return at < 0 ? open : piece[at] === lf;
}

/** Octets at the end that the next piece may make a `From ` of. */
function heldLength(piece: Buffer, open: boolean): number {
  for (let length = Math.min(from.length - 1, piece.length); length > 0; length -= 1) {
    const start = piece.length - length;
    if (piece.subarray(start).equals(from.subarray(0, length))) return isOpen(piece, start, open) ? length : 0;
  }
  return 0;
}
