import { HeaderCollector } from '@posthorn/smtp/message/header-collector';

const cr = 0x0d;
const lf = 0x0a;

/** The same octets with LF line ends, as Unix mailboxes keep them; a CR or LF that stands alone is kept. */
export async function* withLineFeeds(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let heldCr = false;
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    if (heldCr && piece[0] !== lf) yield Buffer.of(cr);
    heldCr = piece[piece.length - 1] === cr;
    yield dropCr(heldCr ? piece.subarray(0, -1) : piece);
  }
  if (heldCr) yield Buffer.of(cr);
}

/**
 * A message whose body is binary, with LF line ends in its header alone: in the body, CR and LF are octets as any other
 * (RFC 3030 §3).
 */
export async function* withHeaderLineFeeds(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const collector = new HeaderCollector();
  let known = false;
  for await (const piece of pieces) {
    if (known) yield piece;
    else if (collector.write(piece)) {
      known = true;
      yield opening(collector);
    }
  }
  if (!known) yield opening(collector);
}

/** Header and empty line with LF, and what came of the body. */
function opening({ header, rest }: HeaderCollector): Buffer {
  const separator = rest[0] === cr && rest[1] === lf ? 2 : 0;
  return Buffer.concat([dropCr(header), dropCr(rest.subarray(0, separator)), rest.subarray(separator)]);
}

/** Octet by octet: with the usual short lines, that is faster than a search for each line end. */
function dropCr(piece: Buffer): Buffer {
  const first = piece.indexOf(cr);
  if (first === -1) return piece;
  const result = Buffer.allocUnsafe(piece.length);
  let length = piece.copy(result, 0, 0, first);
  for (let at = first; at < piece.length; at += 1) {
    const octet = piece[at] as number;
    if (octet === cr && piece[at + 1] === lf) continue;
    result[length] = octet;
    length += 1;
  }
  return result.subarray(0, length);
}
