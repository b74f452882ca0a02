const CR = 0x0d;
const LF = 0x0a;

/** The same octets with LF line ends, as Unix mailboxes keep them; a CR or LF that stands alone is kept. */
export async function* withLineFeeds(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let heldCr = false;
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    if (heldCr && piece[0] !== LF) yield Buffer.of(CR);
    heldCr = piece[piece.length - 1] === CR;
    yield dropCr(heldCr ? piece.subarray(0, -1) : piece);
  }
  if (heldCr) yield Buffer.of(CR);
}

function dropCr(piece: Buffer): Buffer {
  let end = piece.indexOf('\r\n');
  if (end === -1) return piece;
  const result = Buffer.allocUnsafe(piece.length);
  let length = 0;
  let start = 0;
  while (end !== -1) {
    length += piece.copy(result, length, start, end);
    start = end + 1;
    end = piece.indexOf('\r\n', start);
  }
  length += piece.copy(result, length, start);
  return result.subarray(0, length);
}
