import type { Readable } from 'node:stream';
import type { Text } from '../client/text-source.ts';

/** Octets up to which a message is read before it is sent: such a one can go over another connection if one fails. */
const inOnePiece = 262_144;

/** The text of a message: at hand when it is small, else the stream from its beginning. Rejects with what the stream fails with. */
export async function readText(stream: Readable): Promise<Text> {
  const pieces: Buffer[] = [];
  let octets = 0;
  const rest: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  while (octets <= inOnePiece) {
    const { done, value } = await rest.next();
    if (done === true) return Buffer.concat(pieces);
    pieces.push(value);
    octets += value.length;
  }
  return fromPieces(pieces, rest);
}

async function* fromPieces(
  pieces: readonly Buffer[],
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* pieces;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
