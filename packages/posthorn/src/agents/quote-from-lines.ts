const GREATER = 0x3e;
const LF = 0x0a;
const from = Buffer.from('From ');
const mostHeld = 64 * 1024;
const quote = Buffer.of(GREATER);

/**
 * Puts one more `>` before each line that reads `From ` behind any number of `>` (mboxrd), so that no line of a message
 * begins another; line ends are LF. Pieces may be cut anywhere.
 */
export async function* quoteFromLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let atLineStart = true;
  let held: Buffer = Buffer.alloc(0);
  for await (const next of pieces) {
    const piece = held.length === 0 ? next : Buffer.concat([held, next]);
    held = Buffer.alloc(0);
    for (let start = 0; start < piece.length; ) {
      if (atLineStart) {
        const kind = lineKind(piece, start);
        if (kind === 'unknown') {
          held = Buffer.from(piece.subarray(start));
          break;
        }
        if (kind === 'from') yield quote;
      }
      const end = nextSuspect(piece, start);
      yield piece.subarray(start, end);
      atLineStart = piece[end - 1] === LF;
      start = end;
    }
  }
  if (held.length > 0) yield held;
}

/** The next line start that begins with `>` or `F`, or the end of the piece. */
function nextSuspect(piece: Buffer, start: number): number {
  for (let at = piece.indexOf(LF, start); at !== -1; at = piece.indexOf(LF, at + 1)) {
    const first = piece[at + 1];
    if (first === undefined || first === GREATER || first === from[0]) return at + 1;
  }
  return piece.length;
}

function lineKind(piece: Buffer, start: number): 'from' | 'other' | 'unknown' {
  let at = start;
  while (piece[at] === GREATER) at += 1;
  const rest = piece.subarray(at, at + from.length);
  if (!from.subarray(0, rest.length).equals(rest)) return 'other';
  if (rest.length === from.length) return 'from';
  // A line of nothing but `>` without end must not fill the memory.
  return piece.length - start > mostHeld ? 'other' : 'unknown';
}
